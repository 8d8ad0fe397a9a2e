import { expect, test } from 'vitest'
import css from './tokens.css?raw'
import { matches } from './pick'
import { range } from './window'

test('the window mounts what is seen and a few around', () => {
  expect(range(0, 600, 60, 5000, 6)).toEqual([0, 16])
  expect(range(6000, 600, 60, 5000, 6)).toEqual([94, 116])
  expect(range(1e9, 600, 60, 10, 6)).toEqual([10, 10])
  for (let top = 0; top < 400_000; top += 777) {
    const [from, to] = range(top, 900, 72, 5000, 6)
    expect(to - from).toBeLessThan(30)
  }
})

test('typed words find in any order, without accents and case', () => {
  const c = { id: '1', title: 'Übergabe an Zoë', words: 'transfer' }
  for (const typed of ['', 'uber', 'zoe an', 'TRANS zo']) expect(matches(c, typed), typed).toBe(true)
  expect(matches(c, 'bob')).toBe(false)
})

// light-dark(#aaa, #bbb) of each token
const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map((m) => [m[1]!, [m[2]!, m[3]!]] as const),
)

function light(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const v = parseInt(hex.slice(i, i + 2), 16) / 255
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

function contrast(a: string, b: string): number {
  const [x, y] = [light(a), light(b)].sort((p, q) => q - p)
  return (x! + 0.05) / (y! + 0.05)
}

test('texts and edges stand out in both themes', () => {
  const grounds = ['bg', 'panel', 'sunk', 'hover']
  const pairs: [string, string, number][] = [
    ...grounds.flatMap((g): [string, string, number][] => [['text', g, 7], ['soft', g, 4.5], ['accent', g, 4.5], ['bad', g, 4.5], ['focus', g, 3]]),
    ['edge', 'panel', 3], ['edge', 'bg', 3],
    ['on-accent', 'accent', 4.5], ['accent', 'accent-soft', 4.5], ['text', 'accent-soft', 7], ['soft', 'accent-soft', 4.5],
    ['bad', 'bad-soft', 4.5], ['warn', 'warn-soft', 4.5], ['good', 'good-soft', 4.5], ['text', 'note', 7], ['soft', 'note', 4.5], ['warn', 'note', 4.5], ['warn', 'panel', 4.5], ['good', 'panel', 4.5],
  ]
  for (const [a, b, least] of pairs) {
    for (const theme of [0, 1]) {
      const got = contrast(tokens.get(a)![theme]!, tokens.get(b)![theme]!)
      expect(got, `${a} on ${b}, ${theme ? 'dark' : 'light'}`).toBeGreaterThanOrEqual(least)
    }
  }
})
