import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Burst } from './burst'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('causes that never cease put nothing off', () => {
  let done = 0
  const b = new Burst(() => done++, 700)
  for (let i = 0; i < 100; i++) {
    b.tell()
    vi.advanceTimersByTime(100)
  }
  expect(done).toBeGreaterThanOrEqual(12)
  expect(done).toBeLessThanOrEqual(15)
})

test('a burst is one deed, and after a stop there is none', () => {
  let done = 0
  const b = new Burst(() => done++, 700)
  for (let i = 0; i < 9; i++) b.tell()
  vi.advanceTimersByTime(5000)
  expect(done).toBe(1)
  b.tell()
  b.stop()
  vi.advanceTimersByTime(5000)
  expect(done).toBe(1)
})
