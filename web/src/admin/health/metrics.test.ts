import { expect, test } from 'vitest'
import { readMetrics, sum } from './metrics'

test('the text format of Prometheus', () => {
  const m = readMetrics('# HELP a b\n# TYPE a counter\na{x="1",y="q\\"}z"} 3\na{x="2"} 4.5e1\nb 7\nc{le="+Inf"} +Inf\n\nnonsense\n')
  expect(m).toEqual([
    { name: 'a', labels: { x: '1', y: 'q"}z' }, value: 3 },
    { name: 'a', labels: { x: '2' }, value: 45 },
    { name: 'b', labels: {}, value: 7 },
    { name: 'c', labels: { le: '+Inf' }, value: Infinity },
  ])
  expect(sum(m, 'a')).toBe(48)
  expect(sum(m, 'a', { x: '2' })).toBe(45)
  expect(sum(m, 'gone')).toBe(0)
})
