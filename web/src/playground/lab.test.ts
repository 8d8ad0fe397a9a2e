import { expect, test } from 'vitest'
import { fromEvent, fromVisitor, type ChatEvent } from './bubble'
import { bubblesOf, placeAfter, received, type LabState, type Where } from './lab'

const event = (kind: string, data: unknown = {}, more: Partial<ChatEvent> = {}): ChatEvent => ({ pos: 1, seq: 1, kind, at: '2026-01-01T00:00:00Z', data, ...more })

test('where a conversation is, event by event', () => {
  const steps: [ChatEvent, Where][] = [
    [event('opened', { flow: 'welcome' }), { state: 'bot', flow: 'welcome' }],
    [event('queued', { state: 'queued', queue: 'support' }), { state: 'queued', queue: 'support' }],
    [event('offered', { agents: ['ann', 'bob'] }), { state: 'queued', queue: 'support', offered: ['ann', 'bob'] }],
    [event('offer_ended', { agents: ['ann'] }), { state: 'queued', queue: 'support', offered: ['bob'] }],
    [event('note'), { state: 'queued', queue: 'support', offered: ['bob'] }],
    [event('assigned', { state: 'assigned', assignee: 'bob' }), { state: 'assigned', assignee: 'bob' }],
    [event('closed', { state: 'closed' }), { state: 'closed' }],
  ]
  let at: Where = { state: 'none' }
  for (const [e, want] of steps) expect((at = placeAfter(at, e)), e.kind).toEqual(want)
})

test('a receipt moves the status of its message', () => {
  const list = [event('message', {}, { seq: 2, status: 'queued', conversation: 'a' }), event('message', {}, { seq: 2, status: 'queued', conversation: 'b' })]
  expect(received(list, event('receipt', { seq: 2, status: 'sent' }, { conversation: 'a' })).map((e) => e.status)).toEqual(['sent', 'queued'])
  expect(received(list, event('receipt', { seq: 0, status: 'sent' }))).toBe(list)
})

test('what is not text has words too', () => {
  const e = event('message', {}, { direction: 'out', sender: { type: 'bot' }, message: { stack: [{ type: 'buttons', payload: { content: 'Shall we?', buttons: [{ title: 'Yes', payload: 'y' }, { bad: 1 }] } }, { type: 'location', payload: {} }] } })
  expect(fromEvent(e)).toMatchObject({ mine: false, from: 'bot', parts: [{ text: 'Shall we?', buttons: [{ title: 'Yes', payload: 'y' }] }, { text: '[location]', buttons: [] }] })
  expect(fromVisitor({ key: 'k', at: '2026-01-01T00:00:00Z', from: 'me', id: 'i', parts: [{ type: 'image' }] })).toMatchObject({ mine: true, id: 'i', parts: [{ text: '[image]' }] })
})

test('the phone shows what its channel tells, and what is under way', () => {
  const said = fromEvent(event('message', {}, { direction: 'in', message: { stack: [] } }))
  const base = { channel: { id: '1', connector: 'simulator', name: '', status: '' }, events: [event('message', {}, { message: { stack: [] } }), event('note')], told: [said, said], sending: [said] } as unknown as LabState
  expect(bubblesOf(base).length).toBe(2)
  expect(bubblesOf({ ...base, channel: { ...base.channel!, connector: 'webchat' } }).length).toBe(3)
})
