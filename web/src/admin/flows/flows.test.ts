import { expect, test } from 'vitest'
import { readGraph } from './graph'
import { lineOf, locate } from './locate'

const text = `{
  "states": [
    {"name": "A"},
    {"name": "B \\"x\\"", "events": [{"say": 1}, {"goto": {"state": "C"}}]}
  ],
  "x": 1
}`

test('a path in a JSON text is found, or its nearest parent', () => {
  const at = (path: string) => {
    const { from, to } = locate(text, path)
    return text.slice(from, to)
  }
  expect(at('x')).toBe('"x": 1')
  expect(at('states[1].events[0].say')).toBe('"say": 1')
  expect(at('states[1].events[1].goto.state')).toBe('"state": "C"')
  expect(at('states[0].name')).toBe('"name": "A"')
  expect(lineOf(text, locate(text, 'states[1].name').from)).toBe(4)
  expect(at('states[1].events[1].goto.gone')).toContain('"goto"')
})

test('broken texts end', () => {
  for (const broken of ['', '{', '{"a"', '[1,', '{"a": [}', '"']) expect(locate(broken, 'a.b[3]').from).toBeGreaterThanOrEqual(0)
})

test('the drawing is read: states, arrows, counts, places', () => {
  const g = readGraph(`<svg class="flow" width="300" height="200" viewBox="0 0 300 200"><desc id="d">A flow.&#xA;Counted: all 4 steps.&#xA;</desc>
<g transform="translate(24 58)"><g class="arrow idle"><title>any state → Bye&#xA;lower(text) == &#39;bye&#39; &amp;&amp; x</title><rect x="1" y="2" width="3" height="4"/><text><tspan class="count">3×</tspan></text>
</g>
<g class="node"><title>Hi there&#xA;say Hello</title><rect class="initial" x="10" y="22" width="100" height="50" rx="8"/><tspan class="count">12×</tspan></g></g></svg>`)
  expect(g).toEqual({
    width: 300,
    height: 200,
    counted: 'Counted: all 4 steps.',
    arrows: [{ from: 'any state', to: 'Bye', why: "lower(text) == 'bye' && x", count: 3 }],
    nodes: [{ name: 'Hi there', what: ['say Hello'], count: 12, initial: true, beside: false, x: 34, y: 80, width: 100, height: 50 }],
  })
})
