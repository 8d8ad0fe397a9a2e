import { expect, test } from 'vitest'
import { replayAll, type Run } from './pace'

test('one after the other, at a pace, with what failed counted', async () => {
  const seen: string[] = []
  const waits: number[] = []
  const told: Run[] = []
  const one = async (id: string) => (seen.push(id), id !== 'b')
  await replayAll(['a', 'b', 'c'], one, 4, (r) => told.push(r), new AbortController().signal, async (ms) => void waits.push(ms))
  expect(seen).toEqual(['a', 'b', 'c'])
  expect(waits).toEqual([250, 250])
  expect(told.at(-1)).toEqual({ of: 3, done: 3, failed: 1, going: false })
})

test('it can be stopped', async () => {
  const stop = new AbortController()
  let n = 0
  const told: Run[] = []
  await replayAll(['a', 'b', 'c'], async () => (++n === 2 && stop.abort(), true), 10, (r) => told.push(r), stop.signal, async () => {})
  expect(n).toBe(2)
  expect(told.at(-1)!.going).toBe(false)
})
