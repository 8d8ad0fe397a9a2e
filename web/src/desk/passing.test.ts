import { expect, test } from 'vitest'
import { Passing } from './passing'
import { emptyState, needed, reduce, type Action, type DeskState } from './state'
import type { Conversation, Event } from './types'
import { counts } from './views'

const at = (n: number) => new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString()
const chat = (id: string, more: Partial<Conversation> = {}): Conversation => ({
  id, channel: 'ch', contact: { id: 'of' + id, name: id }, state: 'closed', last_seq: 1, unread: 0, preview: '', thread: { address: id }, opened_at: at(0), updated_at: at(1), ...more,
})
const said = (id: string, seq: number): Event => ({ pos: seq, seq, kind: 'message', at: at(seq), conversation: id, direction: 'in', sender: { type: 'contact' }, message: { stack: [] } })
const run = (s: DeskState, ...actions: Action[]): DeskState => actions.reduce(reduce, s)
const empty = emptyState({ id: 'ann', name: 'Ann' }, 0)

test('what passes by goes, the oldest first; what is needed and what a list asked for stays', () => {
  const p = new Passing(10)
  for (let i = 0; i < 19; i++) p.came('c' + i)
  expect(p.leaving(() => false)).toEqual([])
  p.asked([{ id: 'c1' }])
  p.came('c19')
  p.came('c20')
  expect(p.leaving((id) => id === 'c0')).toEqual(['c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8', 'c9', 'c10'])
  expect(p.leaving(() => false)).toEqual([])
})

test('however much comes by, only so much is kept', () => {
  const p = new Passing(50)
  let most = 0
  let kept = 0
  for (let i = 0; i < 5000; i++) {
    p.came('c' + i)
    kept += 1 - p.leaving((id) => id.endsWith('00')).length
    most = Math.max(most, kept)
  }
  expect(most).toBeLessThanOrEqual(150)
})

test('needed is what waits, what is mine, and what is under way', () => {
  const s = run(
    empty,
    { do: 'conversations', list: [chat('closed'), chat('waits', { state: 'queued' }), chat('mine', { state: 'assigned', assignee: 'ann' }), chat('his', { state: 'assigned', assignee: 'bob' }), chat('picked'), chat('shown'), chat('read'), chat('acts')] },
    { do: 'pick', ids: ['picked'], on: true },
    { do: 'shown', id: 'shown' },
    { do: 'thread', id: 'read', events: [], atEnd: true, how: 'replace' },
    { do: 'overlay', id: 'acts', patch: { unread: 0 } },
  )
  expect([...s.conversations.keys()].filter((id) => !needed(s, id))).toEqual(['closed', 'his'])
  const left = reduce(s, { do: 'forget', ids: ['closed', 'his', 'picked'] })
  expect([...left.conversations.keys()]).toEqual(['waits', 'mine', 'shown', 'read', 'acts'])
  expect(left.picked.size).toBe(0)
})

test('the conversation before the eyes keeps its events, whatever else is read', () => {
  let s = run(empty, { do: 'shown', id: 'open' }, { do: 'thread', id: 'open', events: [said('open', 1)], atEnd: true, how: 'replace' })
  for (let i = 0; i < 100; i++) s = reduce(s, { do: 'thread', id: 'c' + i, events: [], atEnd: true, how: 'replace' })
  s = reduce(s, { do: 'event', event: said('open', 2) })
  expect(s.threads.get('open')!.events.map((e) => e.seq)).toEqual([1, 2])
  expect(s.threads.size).toBe(41)
})

test('of a conversation that nobody looks at the newest events are kept', () => {
  let s = run(empty, { do: 'shown', id: 'open' }, ...['open', 'other'].map((id): Action => ({ do: 'thread', id, events: [said(id, 1)], atEnd: true, how: 'replace' })))
  for (let i = 2; i <= 1000; i++) s = run(s, { do: 'event', event: said('open', i) }, { do: 'event', event: said('other', i) })
  expect(s.threads.get('open')!.events.length).toBe(1000)
  const kept = s.threads.get('other')!.events.map((e) => e.seq)
  expect(kept.length).toBeLessThanOrEqual(200)
  expect([kept.at(-1), kept.at(-1)! - kept[0]! + 1]).toEqual([1000, kept.length])
})

test('who types and who looks is kept of so many conversations only', () => {
  let s = empty
  for (let i = 0; i < 1000; i++) {
    s = run(s, { do: 'typing', id: 'c' + i, name: 'N', on: true, now: 0 }, { do: 'presence', id: 'c' + i, presence: [{ user: 'bob', name: 'Bob', doing: 'looking', at: at(i) }] })
  }
  expect([s.typing.size, s.presence.size]).toEqual([200, 200])
  expect(s.presence.has('c999')).toBe(true)
})

test('the counts are counted once for each change, and with what is not confirmed', () => {
  let s = run(empty, { do: 'conversations', list: [chat('1', { state: 'assigned', assignee: 'ann', unread: 2 }), chat('2', { state: 'queued' })] })
  const first = counts(s)
  expect(first).toEqual({ unread: 1, waiting: 1, snoozed: 0 })
  expect(counts(reduce(s, { do: 'loaded' }))).toBe(first)
  s = reduce(s, { do: 'overlay', id: '1', patch: { unread: 0 } })
  expect(counts(s)).toEqual({ unread: 0, waiting: 1, snoozed: 0 })
  expect(counts(reduce(s, { do: 'overlay', id: '1', patch: null })).unread).toBe(1)
})
