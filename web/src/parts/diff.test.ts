import { expect, test } from 'vitest'
import { changesOf, diffLines, folded, inWords } from './diff'

const shown = (a: string, b: string) => diffLines(a, b).map((l) => ({ same: ' ', added: '+', gone: '-' })[l.kind] + l.text)

test('lines: what went, what came, what stayed', () => {
  expect(shown('a\nb\nc', 'a\nx\nc')).toEqual([' a', '-b', '+x', ' c'])
  expect(shown('a\nb', 'a\nb')).toEqual([' a', ' b'])
  expect(shown('', 'a')).toEqual(['-', '+a'])
  expect(shown('a\nb\nc\nd', 'b\nd\ne')).toEqual(['-a', ' b', '-c', ' d', '+e'])
})

test('lines: each side is whole, whatever is compared', () => {
  let seed = 7
  const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n
  for (let round = 0; round < 200; round++) {
    const text = () => Array.from({ length: random(9) }, () => 'abc'[random(3)]).join('\n')
    const [a, b] = [text(), text()]
    for (const limit of [1, 1000]) {
      const d = diffLines(a, b, limit)
      expect(d.filter((l) => l.kind !== 'added').map((l) => l.text).join('\n')).toBe(a)
      expect(d.filter((l) => l.kind !== 'gone').map((l) => l.text).join('\n')).toBe(b)
    }
  }
})

test('what is far from a change is folded', () => {
  const lines = Array.from({ length: 20 }, (_, i) => String(i))
  const d = folded(diffLines(lines.join('\n'), lines.with(10, 'x').join('\n')), 2)
  expect(d[0]).toBe(8)
  expect(d.at(-1)).toBe(7)
  expect(d.filter((l) => typeof l !== 'number').length).toBe(6)
})

test('values: changes at their paths', () => {
  expect(changesOf({ a: 1, b: { c: [1], d: 2 } }, { a: 1, b: { c: [1, 2], d: 2 }, e: true })).toEqual([
    { path: 'b.c', before: [1], after: [1, 2] },
    { path: 'e', after: true },
  ])
  expect(changesOf({ a: { b: 1 } }, { a: { b: 1 } })).toEqual([])
  expect(changesOf(undefined, { a: { b: 1 } })).toEqual([{ path: 'a.b', after: 1 }])
  expect(changesOf({ a: 1 }, { a: { b: 1 } })).toEqual([{ path: 'a', before: 1, after: { b: 1 } }])
  expect(inWords([])).toBe('—')
  expect(inWords(['a', 2])).toBe('a, 2')
})
