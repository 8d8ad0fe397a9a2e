import { expect, test } from 'vitest'
import { asBefore, itemsOf } from './fold'
import { at as mentionAt, colleagues, left } from './mentions'
import { emptyState, find, reduce, seen, type Action, type DeskState } from './state'
import type { Conversation, Event, Run } from './types'
import { asks, counts, List, listed, readView, writeView } from './views'

const at = (n: number) => new Date(Date.UTC(2026, 0, 1, 10, 0, n)).toISOString()
const chat = (id: string, more: Partial<Conversation> = {}): Conversation => ({
  id, channel: 'ch', contact: { id: 'ct' + id, name: 'C ' + id }, state: 'assigned', assignee: 'ann', last_seq: 1, unread: 0, preview: '', thread: { address: id },
  opened_at: at(0), updated_at: at(1), ...more,
})
const event = (seq: number, more: Partial<Event> = {}): Event => ({ pos: seq, seq, kind: 'message', at: at(seq), conversation: '1', direction: 'in', sender: { type: 'contact' }, message: { stack: [{ type: 'text', payload: { content: 't' + seq } }] }, ...more })
const run = (...actions: Action[]): DeskState => actions.reduce(reduce, emptyState({ id: 'ann', name: 'Ann' }, 0))
const usual = readView(new URLSearchParams())

test('a message moves its chat up and counts as unread, once', () => {
  const s = run({ do: 'conversations', list: [chat('1'), chat('2', { updated_at: at(2) })] }, { do: 'event', event: event(5) }, { do: 'event', event: event(5) })
  expect(listed(s, usual).map((c) => c.id)).toEqual(['1', '2'])
  expect(s.conversations.get('1')).toMatchObject({ unread: 1, preview: 't5', last_seq: 5, turn: 'first_reply', waiting_since: at(5) })
  const answered = reduce(s, { do: 'event', event: event(6, { direction: 'out', sender: { type: 'agent', id: 'ann' } }) })
  expect(answered.conversations.get('1')).toMatchObject({ turn: 'contact', first_reply_at: at(6) })
  expect(answered.conversations.get('1')!.waiting_since).toBeUndefined()
})

test('what was read late does not undo what an event has told', () => {
  const s = run({ do: 'conversations', list: [chat('1')] }, { do: 'event', event: event(5) }, { do: 'conversations', list: [chat('1', { last_seq: 4 })] })
  expect(s.conversations.get('1')!.last_seq).toBe(5)
})

test('a thread takes what follows, never a gap, never twice', () => {
  let s = run({ do: 'thread', id: '1', events: [event(3), event(4)], atEnd: true, how: 'replace' })
  s = reduce(s, { do: 'event', event: event(5) })
  s = reduce(s, { do: 'event', event: event(5) })
  s = reduce(s, { do: 'event', event: event(9) })
  expect(s.threads.get('1')!.events.map((e) => e.seq)).toEqual([3, 4, 5])
  s = reduce(s, { do: 'thread', id: '1', events: [event(1), event(2), event(3)], atEnd: false, how: 'before' })
  s = reduce(s, { do: 'thread', id: '1', events: [event(5), event(6), event(7)], atEnd: true, how: 'after' })
  expect(s.threads.get('1')!.events.map((e) => e.seq)).toEqual([1, 2, 3, 4, 5, 6, 7])
  s = reduce(s, { do: 'event', event: event(8, { kind: 'receipt', data: { seq: 6, status: 'failed', error: { class: 'rejected', detail: 'no' } } }) })
  expect(s.threads.get('1')!.events[5]).toMatchObject({ status: 'failed', error: { detail: 'no' } })
  for (let i = 1; i <= 8; i++) expect(find(s.threads.get('1')!.events, i)).toBe(i - 1)
  expect(find(s.threads.get('1')!.events, 99)).toBe(-1)
})

test('a receipt that is read late still moves its message on', () => {
  let s = run({ do: 'thread', id: '1', events: [event(1, { direction: 'out', status: 'queued' })], atEnd: true, how: 'replace' })
  s = reduce(s, { do: 'thread', id: '1', events: [event(2, { kind: 'receipt', data: { seq: 1, status: 'sent' } }), event(3, { kind: 'receipt', data: { seq: 1, status: 'read' } })], atEnd: true, how: 'after' })
  expect(s.threads.get('1')!.events.map((e) => e.status ?? '')).toEqual(['read', '', ''])
})

test('what another system was asked for goes when it is done, whoever tells of it first', () => {
  const one: Run = { key: 'k', conversation: '1', name: 'case', title: 'Case', inputs: { b: 1, a: 'x' }, at: at(1) }
  const done = (more: Record<string, unknown>, by = 'ann') => event(2, { kind: 'action', sender: { type: 'agent', id: by }, data: { action: 'case', inputs: { a: 'x', b: 1 }, ...more } })
  const s = run({ do: 'run', key: 'k', run: one })
  for (const other of [done({ action: 'other' }), done({ inputs: {} }), done({}, 'bob'), { ...done({}), conversation: '2' }]) expect(reduce(s, { do: 'event', event: other }).runs.size).toBe(1)
  expect(reduce(s, { do: 'event', event: done({}) }).runs.size).toBe(0)
  expect(itemsOf([], [], { type: 'agent' }, [one])).toEqual([{ kind: 'run', key: 'rk', run: one }])
})

test('mentions: where a name is written, who can be meant, who is left', () => {
  const bob = { id: 'bob', name: 'Bob Stone' }
  expect(mentionAt('hi @bo', 6, [])).toEqual({ from: 3, q: 'bo' })
  expect(mentionAt('@', 1, [])).toEqual({ from: 0, q: '' })
  expect(mentionAt('(@bob st', 8, [])).toEqual({ from: 1, q: 'bob st' })
  for (const text of ['a@b', 'bob', '@ x', '@@', '@Bob Stone is']) expect(mentionAt(text, text.length, [bob])).toBeNull()
  expect(left('@Bob Stone, look', [bob, { id: 'eve', name: 'Eve' }])).toEqual([bob])
  const agent = (id: string, name: string, available: boolean) => ({ id, name, capacity: 0, state: '', available, load: 0 })
  const s = run({
    do: 'around',
    agents: [agent('ann', 'Ann', true), agent('bob', 'Bob', false), agent('cy', 'Cy', true), agent('dan', 'Dan', true)],
    queues: [{ name: 'q', rule: '', members: ['ann', 'bob', 'team:night'] }],
    teams: [{ name: 'night', members: ['cy'] }],
    overseers: [{ id: 'bob', name: 'Bob' }, { id: 'max', name: 'Max' }],
  }, { do: 'presence', id: '1', presence: [{ user: 'sue', name: 'Sue', doing: 'looking', at: at(1) }] })
  expect(colleagues(chat('1', { queue: 'q' }), s).map((x) => x.id)).toEqual(['sue', 'cy', 'bob', 'max'])
  expect(colleagues(chat('2', { assignee: 'dan' }), s).map((x) => x.id)).toEqual(['dan', 'bob', 'max'])
})

test('what was done here shows at once, and goes again when it is refused', () => {
  let s = run({ do: 'conversations', list: [chat('1')] }, { do: 'overlay', id: '1', patch: { state: 'closed' } })
  expect(seen(s, '1')!.state).toBe('closed')
  expect(listed(s, usual)).toEqual([])
  s = reduce(s, { do: 'overlay', id: '1', patch: null })
  expect(seen(s, '1')!.state).toBe('assigned')
})

test('offers come, shrink and go', () => {
  const offered = event(2, { kind: 'offered', data: { agents: ['ann', 'bob'], until: at(99) } })
  let s = run({ do: 'event', event: offered })
  expect(s.offers.get('1')).toMatchObject({ agents: ['ann', 'bob'], until: at(99) })
  s = reduce(s, { do: 'event', event: event(3, { kind: 'offer_ended', data: { agents: ['ann'] } }) })
  expect(s.offers.get('1')!.agents).toEqual(['bob'])
  s = reduce(s, { do: 'event', event: event(4, { kind: 'assigned', data: { assignee: 'bob' } }) })
  expect(s.offers.size).toBe(0)
})

test('moves take the conversation where the event says', () => {
  const s = run({ do: 'conversations', list: [chat('1')] }, { do: 'event', event: event(2, { kind: 'queued', data: { queue: 'support' } }) })
  expect(s.conversations.get('1')).toMatchObject({ state: 'queued', queue: 'support' })
  expect(s.conversations.get('1')!.assignee).toBeUndefined()
  expect(counts(s)).toEqual({ unread: 0, waiting: 1, snoozed: 0 })
})

test('typing goes with the message that it announced; who has left is gone', () => {
  let s = run({ do: 'typing', id: '1', name: 'x', on: true, now: 0 }, { do: 'event', event: event(1) })
  expect(s.typing.size).toBe(0)
  s = reduce(s, { do: 'presence', id: '1', presence: [{ user: 'bob', name: 'Bob', doing: 'typing', at: at(1) }] })
  s = reduce(s, { do: 'presence', id: '1', presence: [{ user: 'bob', name: 'Bob', doing: 'looking', at: at(0) }] })
  expect(s.presence.get('1')![0]!.doing).toBe('typing')
  s = reduce(s, { do: 'presence', id: '1', presence: [{ user: 'bob', name: 'Bob', doing: 'gone', at: at(2) }] })
  expect(s.presence.get('1')).toEqual([])
})

test('views read and write their address', () => {
  const v = readView(new URLSearchParams('view=all&sort=due&queue=a b&state=bot'))
  expect(readView(new URLSearchParams(writeView(v)))).toEqual(v)
  expect(writeView(usual)).toBe('')
  expect(readView(new URLSearchParams('view=<x>&sort=7'))).toEqual(usual)
  expect(asks(usual, 'ann')).toMatchObject({ state: 'assigned', assignee: 'ann' })
})

test('a thread as people read it: days, edits, deletions, reactions, steps, what waits', () => {
  const items = itemsOf(
    [
      event(1, { kind: 'opened', data: {} }),
      event(2),
      event(3, { kind: 'flow_step', data: {} }),
      event(4, { kind: 'call', data: {} }),
      event(5, { direction: 'out', sender: { type: 'agent' }, status: 'delivered' }),
      event(6, { kind: 'edited', data: { seq: 5 }, message: { stack: [{ type: 'text', payload: { content: 'better' } }] } }),
      event(7, { kind: 'reaction', data: { seq: 5, added: ['👍'], all: true } }),
      event(8, { kind: 'reaction', data: { seq: 5, added: ['🎉'], all: true } }),
      event(9, { kind: 'deleted', data: { seq: 2 } }),
      event(10, { kind: 'receipt', data: { seq: 5 } }),
      event(11, { kind: 'note', sender: { type: 'agent' } }),
      event(12, { at: new Date(Date.UTC(2026, 0, 3)).toISOString() }),
    ],
    [{ id: 'w1', conversation: '1', path: '/v1/conversations/1/notes', body: { text: 'hm' }, at: 0, tries: 1 }],
    { type: 'agent', name: 'Ann' },
  )
  expect(items.map((i) => i.kind)).toEqual(['day', 'place', 'message', 'bot', 'message', 'message', 'day', 'message', 'message'])
  const said = items.flatMap((i) => (i.kind === 'message' ? [i.said] : []))
  expect(said[0]).toMatchObject({ deleted: true })
  expect(said[1]).toMatchObject({ edited: true, status: 'delivered', reactions: [{ emoji: '🎉', mine: false }] })
  expect(said[2]).toMatchObject({ note: true })
  expect(said[4]).toMatchObject({ note: true, status: 'pending', id: 'w1' })
  expect(items[3]).toMatchObject({ steps: [{ seq: 3 }, { seq: 4 }] })
})

test('a list that is kept is the list that is made anew, and another one only when it shows something else', () => {
  let seed = 7
  const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n
  for (const sort of ['updated', 'waiting', 'due'] as const) {
    const view = { ...usual, sort }
    const list = new List()
    let s = run()
    for (let i = 0; i < 400; i++) {
      const id = String(random(40))
      const c = chat(id, { updated_at: at(random(60)), last_seq: i, priority: random(2), state: random(3) ? 'assigned' : 'closed', ...(random(2) ? { waiting_since: at(random(60)) } : {}), ...(random(3) ? {} : { due_at: at(random(60)) }) })
      const patch = random(2) ? { state: 'closed' as const } : null
      s = reduce(s, ([{ do: 'conversations', list: [c] }, { do: 'overlay', id, patch }, { do: 'event', event: event(i, { conversation: id }) }, { do: 'forget', ids: [id] }] as const)[random(20) ? random(3) : 3] as Action)
      expect(list.of(s, view)).toEqual(listed(s, view))
    }
    const before = list.of(s, view)
    expect(list.of(reduce(s, { do: 'conversations', list: [chat('other', { assignee: 'bob' })] }), view)).toBe(before)
  }
})

test('an item of the log stays the same one as long as it shows the same', () => {
  const events = [event(1), event(2)]
  const before = new Map(itemsOf(events, [], { type: 'agent' }).map((x) => [x.key, x]))
  const [day, one, two] = itemsOf([...events, event(3, { kind: 'reaction', data: { seq: 2, added: ['👍'] } })], [], { type: 'agent' }).map((x) => asBefore(before, x))
  expect(day).toBe(before.get(day!.key))
  expect(one).toBe(before.get('m1'))
  expect(two).not.toBe(before.get('m2'))
  expect(two).toMatchObject({ said: { reactions: [{ emoji: '👍' }] } })
})
