import { expect, test } from 'vitest'
import { csv } from '../parts/save'
import { alarms, behind, byOldest, clock, curveOf, inOrder, lineOf, scale, spanAt, staffOf, totals, waited, week, type Conversation, type LiveAgent, type LiveQueue, type Point } from './model'

const queue = (more: Partial<LiveQueue> = {}): LiveQueue => ({
  name: 'support', waiting: 0, offered: 0, active: 0, snoozed: 0, oldest_wait_seconds: 0, agents: { free: 1, busy: 0, away: 0 }, late: 0, ...more,
})

test('a wait goes on between two readings, and nobody waits for nothing', () => {
  expect(waited(queue({ oldest_wait_seconds: 10 }), 1000, 3500)).toBe(12.5)
  expect(waited(queue({ oldest_wait_seconds: 10 }), 3000, 1000)).toBe(10)
  expect(waited(queue(), 0, 99_000)).toBe(0)
  const digits = (n: number, least: number) => String(n).padStart(least, '0')
  expect([0, 35.9, 60, 727, 3909].map((s) => clock(s, digits))).toEqual(['0:00', '0:35', '1:00', '12:07', '1:05:09'])
})

test('alarms only when something is wrong, the worst first', () => {
  const keys = (q: LiveQueue, oldest = 0) => alarms(q, oldest).map((a) => a.level + ' ' + a.key)
  const threshold = { seconds: 60, percent: 80 }
  expect(keys(queue())).toEqual([])
  expect(keys(queue({ waiting: 3, threshold: { ...threshold, reached: 80 } }), 60)).toEqual([])
  expect(keys(queue({ waiting: 1, threshold }), 61)).toEqual(['warn waits'])
  expect(keys(queue({ waiting: 1, threshold }), 121)).toEqual(['bad waits'])
  expect(keys(queue({ threshold: { ...threshold, reached: 79.9 } }))).toEqual(['warn reached'])
  expect(keys(queue({ waiting: 1, agents: { free: 0, busy: 2, away: 1 } }))).toEqual(['warn busy'])
  expect(keys(queue({ waiting: 1, late: 2, agents: { free: 0, busy: 0, away: 1 }, threshold }), 70)).toEqual(['bad nobody', 'bad late', 'warn waits'])
  expect(keys(queue({ agents: { free: 0, busy: 0, away: 3 } }))).toEqual([]) // nobody is there, and nobody waits
})

test('the longest wait comes first; a kept order keeps', () => {
  const all = [queue({ name: 'a', oldest_wait_seconds: 1 }), queue({ name: 'b', oldest_wait_seconds: 9 }), queue({ name: 'c', title: 'A first' })]
  expect(byOldest(all).map((q) => q.name)).toEqual(['b', 'a', 'c'])
  expect(inOrder(all, ['c', 'a']).map((q) => q.name)).toEqual(['c', 'a', 'b'])
  expect(totals(all)).toMatchObject({ waiting: 0, oldest_wait_seconds: 9 })
  expect(totals([]).oldest_wait_seconds).toBe(0)
})

test('agents count as the report counts them', () => {
  const of = (more: Partial<LiveAgent>) => staffOf({ id: 'x', state: 's', available: true, since: '', load: 5, capacity: 5, offered: 0, snoozed: 0, ...more })
  expect([of({}), of({ capacity: 0 }), of({ load: 4 }), of({ available: false })]).toEqual(['busy', 'free', 'free', 'away'])
})

test('behind a figure: who waits the longest first; late is what is over', () => {
  const c = (id: string, placed_at: string, more: Partial<Conversation> = {}): Conversation => ({ id, contact: { id, name: id }, state: 'queued', preview: '', placed_at, last_seq: 1, ...more })
  const list = [c('a', '2026-01-01T10:00:00Z'), c('b', '2026-01-01T11:00:00Z', { waiting_since: '2026-01-01T09:00:00Z', due_at: '2026-01-01T09:30:00Z' })]
  expect(behind('waiting', list, 0).map((x) => x.id)).toEqual(['b', 'a'])
  expect(behind('late', list, Date.parse('2026-01-01T09:31:00Z')).map((x) => x.id)).toEqual(['b'])
  expect(behind('late', list, Date.parse('2026-01-01T09:29:00Z'))).toEqual([])
})

test('curves: the same quarter a week ago, gaps, round scales', () => {
  const { from, to } = spanAt(Date.parse('2026-11-21T15:07:00Z'))
  expect([new Date(from).toISOString(), new Date(to).toISOString()]).toEqual(['2026-11-21T11:15:00.000Z', '2026-11-21T15:15:00.000Z'])
  const p = (at: number, opened: number, first?: number): Point => ({ at: new Date(at).toISOString(), opened, closed: 0, abandoned: 0, messages_in: 0, messages_out: 0, ...(first ? { first_reply_p50: first } : {}) })
  const now = [p(from, 3, 20), p(from + 900_000, 4)]
  const c = curveOf('opened', now, [p(from + 900_000 - week, 9), p(from - week - 900_000, 7)])
  expect([c.now, c.before]).toEqual([[3, 4], [null, 9]])
  expect(curveOf('first_reply_p50', now, []).now).toEqual([20, null])
  for (const most of [0, 1, 5, 9, 17, 99, 101, 12345]) {
    const s = scale([most, null])
    expect(s.top).toBeGreaterThanOrEqual(most)
    expect([s.top % s.step, Number.isInteger(s.step), s.top / s.step <= 5]).toEqual([0, true, true])
  }
  expect(lineOf([1, 2, null, 3], (i) => i, (v) => v)).toBe('M0.0 1.0L1.0 2.0M3.0 3.0h0.1')
})

test('csv: quotes, and no formulas', () => {
  expect(csv([['a', 'b "c", d', null], [1, '=1+1', '-x'], [-2, '', undefined]])).toBe(`a,"b ""c"", d",\r\n1,'=1+1,'-x\r\n-2,,\r\n`)
})
