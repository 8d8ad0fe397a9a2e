import { equal } from '../core/equal'
import type { Line } from '../core/sse'
import type { Waiting } from '../core/outbox'
import { textOf, type Agent, type Channel, type Conversation, type Event, type FieldDef, type Offer, type Presence, type Queue, type Run, type Status } from './types'

// Thread is a stretch of a conversation's events, without gaps.
export interface Thread {
  events: Event[]
  atEnd: boolean // the newest ones are there
}

// Trouble is an act that the hub refused; it is shown on its item.
export interface Trouble {
  text: string
  retry?: () => void
}

export interface DeskState {
  me: { id: string; name: string }
  conversations: ReadonlyMap<string, Conversation>
  overlays: ReadonlyMap<string, Partial<Conversation>> // what was done here and is not confirmed yet
  troubles: ReadonlyMap<string, Trouble>
  threads: ReadonlyMap<string, Thread>
  offers: ReadonlyMap<string, Offer>
  typing: ReadonlyMap<string, { name: string; until: number }>
  presence: ReadonlyMap<string, readonly Presence[]>
  agents: readonly Agent[]
  queues: readonly Queue[]
  channels: ReadonlyMap<string, Channel>
  states: readonly { name: string; title?: string; available: boolean }[]
  teams: readonly { name: string; members: string[] }[]
  overseers: readonly { id: string; name: string }[] // who see every conversation
  fields: readonly FieldDef[]
  runs: ReadonlyMap<string, Run> // by key
  outbox: readonly Waiting[]
  line: Line
  loaded: boolean
  picked: ReadonlySet<string> // for acts on many
  shown: string // the conversation that was opened last; '' is none
}

export type Action =
  | { do: 'conversations'; list: Conversation[] }
  | { do: 'forget'; ids: string[] }
  | { do: 'shown'; id: string }
  | { do: 'event'; event: Event }
  | { do: 'thread'; id: string; events: Event[]; atEnd: boolean; how: 'replace' | 'before' | 'after' }
  | { do: 'overlay'; id: string; patch: Partial<Conversation> | null }
  | { do: 'trouble'; id: string; trouble: Trouble | null }
  | { do: 'typing'; id: string; name: string; on: boolean; now: number }
  | { do: 'presence'; id: string; presence: Presence[] }
  | { do: 'outbox'; list: readonly Waiting[] }
  | { do: 'line'; line: Line }
  | { do: 'around'; agents?: Agent[]; queues?: Queue[]; channels?: Channel[]; states?: DeskState['states']; teams?: DeskState['teams']; fields?: FieldDef[]; overseers?: DeskState['overseers'] }
  | { do: 'run'; key: string; run: Run | null }
  | { do: 'offers'; offers: [string, Offer][] }
  | { do: 'loaded' }
  | { do: 'pick'; ids: string[]; on: boolean }

export function emptyState(me: DeskState['me'], now: number): DeskState {
  return {
    me, conversations: new Map(), overlays: new Map(), troubles: new Map(), threads: new Map(), offers: new Map(), typing: new Map(), presence: new Map(),
    agents: [], queues: [], channels: new Map(), states: [], teams: [], overseers: [], fields: [], runs: new Map(), outbox: [], line: { state: 'connecting', since: now }, loaded: false, picked: new Set(), shown: '',
  }
}

// typingTime is how long a typing notice counts.
export const typingTime = 6000

export function reduce(s: DeskState, a: Action): DeskState {
  switch (a.do) {
    case 'conversations': {
      const conversations = merged(s.conversations, a.list)
      return conversations === s.conversations ? s : { ...s, conversations }
    }
    case 'forget':
      return { ...s, conversations: without(s.conversations, ...a.ids), offers: without(s.offers, ...a.ids), picked: withoutOf(s.picked, a.ids) }
    case 'shown':
      return s.shown === a.id ? s : { ...s, shown: a.id }
    case 'event':
      return onEvent(s, a.event)
    case 'thread':
      return { ...s, threads: bounded(put(without(s.threads, a.id), a.id, joined(a.how === 'replace' ? undefined : s.threads.get(a.id), a)), mostThreads, s.shown) }
    case 'overlay':
      return { ...s, overlays: a.patch ? put(s.overlays, a.id, a.patch) : without(s.overlays, a.id) }
    case 'trouble':
      return { ...s, troubles: a.trouble ? put(s.troubles, a.id, a.trouble) : without(s.troubles, a.id) }
    case 'typing':
      return { ...s, typing: a.on ? bounded(put(without(s.typing, a.id), a.id, { name: a.name, until: a.now + typingTime }), mostSignals, s.shown) : without(s.typing, a.id) }
    case 'presence':
      return { ...s, presence: bounded(put(without(s.presence, a.id), a.id, merge(s.presence.get(a.id) ?? [], a.presence)), mostSignals, s.shown) }
    case 'outbox':
      return { ...s, outbox: a.list }
    case 'line':
      return { ...s, line: a.line }
    case 'around':
      return {
        ...s,
        agents: a.agents ?? s.agents,
        queues: a.queues ?? s.queues,
        states: a.states ?? s.states,
        teams: a.teams ?? s.teams,
        fields: a.fields ?? s.fields,
        overseers: a.overseers ?? s.overseers,
        channels: a.channels ? new Map(a.channels.map((c) => [c.id, c])) : s.channels,
      }
    case 'run':
      return { ...s, runs: a.run ? put(s.runs, a.key, a.run) : without(s.runs, a.key) }
    case 'offers':
      return { ...s, offers: new Map(a.offers) }
    case 'loaded':
      return { ...s, loaded: true }
    case 'pick':
      return { ...s, picked: a.on ? new Set([...s.picked, ...a.ids]) : new Set([...s.picked].filter((id) => !a.ids.includes(id))) }
  }
}

function put<V>(m: ReadonlyMap<string, V>, k: string, v: V): ReadonlyMap<string, V> {
  return new Map(m).set(k, v)
}

function without<V>(m: ReadonlyMap<string, V>, ...keys: string[]): ReadonlyMap<string, V> {
  if (!keys.some((k) => m.has(k))) return m
  const next = new Map(m)
  for (const k of keys) next.delete(k)
  return next
}

function withoutOf(s: ReadonlySet<string>, keys: string[]): ReadonlySet<string> {
  return keys.some((k) => s.has(k)) ? new Set([...s].filter((x) => !keys.includes(x))) : s
}

// merged takes over what was read, unless an event has told of something newer. What was read again and is as it was stays the same.
function merged(m: ReadonlyMap<string, Conversation>, list: Conversation[]): ReadonlyMap<string, Conversation> {
  const fresh = list.filter((c) => {
    const was = m.get(c.id)
    return !was || (c.last_seq >= was.last_seq && !equal(was, c))
  })
  return fresh.length ? new Map([...m, ...fresh.map((c) => [c.id, c] as const)]) : m
}

function merge(was: readonly Presence[], list: Presence[]): Presence[] {
  const next = new Map(was.map((p) => [p.user, p]))
  for (const p of list) {
    if (p.doing === 'gone') next.delete(p.user)
    else if ((next.get(p.user)?.at ?? '') <= p.at) next.set(p.user, p)
  }
  return [...next.values()]
}

// joined adds a page to a thread; what is there already does not come twice.
function joined(t: Thread | undefined, a: { events: Event[]; atEnd: boolean; how: string }): Thread {
  if (!t) return { events: a.events, atEnd: a.atEnd }
  const first = t.events[0]?.seq ?? Infinity
  const last = t.events.at(-1)?.seq ?? 0
  if (a.how === 'before') return { events: [...a.events.filter((e) => e.seq < first), ...t.events], atEnd: t.atEnd }
  const fresh = a.events.filter((e) => e.seq > last)
  return { events: [...fresh.reduce(received, t.events), ...fresh], atEnd: a.atEnd }
}

// received moves the status of a message on that a receipt is about.
function received(events: Event[], e: Event): Event[] {
  const d = e.data ?? {}
  if (e.kind !== 'receipt' || typeof d.seq !== 'number') return events
  const i = find(events, d.seq)
  return i < 0 ? events : events.with(i, { ...events[i]!, status: d.status as Status, ...(d.error ? { error: d.error as Event['error'] & object } : {}) })
}

// onEvent takes a live event into everything that it touches.
function onEvent(s: DeskState, e: Event): DeskState {
  const id = e.conversation
  if (!id) return s
  const c = s.conversations.get(id)
  const t = s.threads.get(id)
  let next = s
  if (c && e.seq > c.last_seq) next = { ...next, conversations: put(next.conversations, id, moved(c, e)) }
  if (t) {
    const with_ = threadAfter(t, e, s.shown === id ? longest : longestUnseen)
    if (with_ !== t) next = { ...next, threads: put(next.threads, id, with_) }
  }
  const offers = offersAfter(next.offers, id, e)
  if (offers !== next.offers) next = { ...next, offers }
  if (e.kind === 'action') next = { ...next, runs: without(next.runs, runOf(next, e)) }
  if (e.kind === 'message' && next.typing.has(id)) next = { ...next, typing: without(next.typing, id) }
  return next
}

// runOf finds what was asked for here when the stream tells that it is done, which may be before the answer comes.
function runOf(s: DeskState, e: Event): string {
  const inputs = sorted((e.data?.inputs ?? {}) as Run['inputs'])
  const is = (r: Run) => r.conversation === e.conversation && r.name === e.data?.action && sorted(r.inputs) === inputs
  return e.sender?.id === s.me.id ? ([...s.runs.values()].find(is)?.key ?? '') : ''
}

const sorted = (o: Run['inputs']) => JSON.stringify(Object.entries(o).sort(([a], [b]) => (a < b ? -1 : 1)))

// longest bounds how many events of the open conversation are kept, longestUnseen of others, mostThreads of how many: what is dropped can be read again.
// mostSignals bounds who types and who looks: those who went without a word.
const longest = 4000
const longestUnseen = 200
const mostThreads = 40
const mostSignals = 200

// bounded drops the oldest, but never the one that is shown.
function bounded<V>(m: ReadonlyMap<string, V>, most: number, shown: string): ReadonlyMap<string, V> {
  if (m.size <= most) return m
  const oldest = [...m.keys()].slice(0, m.size - most)
  return without(m, ...oldest.filter((id) => id !== shown))
}

// needed tells a conversation that the agent has to do with, or may have at once.
export function needed(s: DeskState, id: string): boolean {
  const c = s.conversations.get(id)
  if (c?.state === 'queued' || (c?.state === 'assigned' && c.assignee === s.me.id)) return true
  return s.shown === id || [s.threads, s.offers, s.overlays, s.troubles, s.picked].some((m) => m.has(id)) || s.outbox.some((w) => w.conversation === id)
}

// threadAfter appends what follows without a gap, and moves the status of messages on.
function threadAfter(t: Thread, e: Event, most: number): Thread {
  const last = t.events.at(-1)?.seq ?? 0
  let events = t.events
  if (t.atEnd && e.seq === last + 1) events = [...(events.length >= most ? events.slice(-most / 2) : events), e]
  events = received(events, e)
  return events === t.events ? t : { ...t, events }
}

// find finds the index of a seq among events in order; -1 when it is not there.
export function find(events: readonly Event[], seq: number): number {
  let low = 0
  let high = events.length - 1
  while (low <= high) {
    const mid = (low + high) >> 1
    const at = events[mid]!.seq
    if (at === seq) return mid
    if (at < seq) low = mid + 1
    else high = mid - 1
  }
  return -1
}

// until is how long an offer stands, and could.
const until = ({ until, longest }: Record<string, unknown>): Pick<Offer, 'until' | 'longest'> =>
  typeof until === 'string' ? { until, ...(typeof longest === 'string' ? { longest } : {}) } : {}

function offersAfter(offers: DeskState['offers'], id: string, e: Event): DeskState['offers'] {
  const d = e.data ?? {}
  const agents = Array.isArray(d.agents) ? (d.agents as string[]) : []
  switch (e.kind) {
    case 'offered':
      return put(offers, id, { agents: [...new Set([...(offers.get(id)?.agents ?? []), ...agents])], at: e.at, ...until(d) })
    case 'offer_extended': {
      const was = offers.get(id)
      return was ? put(offers, id, { ...was, ...until(d) }) : offers
    }
    case 'offer_ended': {
      const was = offers.get(id)
      if (!was) return offers
      const left = was.agents.filter((x) => !agents.includes(x))
      return agents.length && left.length ? put(offers, id, { ...was, agents: left }) : without(offers, id)
    }
    case 'assigned':
    case 'bot':
    case 'closed':
      return without(offers, id)
    default:
      return offers
  }
}

// moved is the conversation after an event, as far as the event tells; the rest is read anew.
function moved(c: Conversation, e: Event): Conversation {
  const next: Conversation = { ...c, last_seq: e.seq }
  const d = e.data ?? {}
  switch (e.kind) {
    case 'message':
      return afterMessage(next, e)
    case 'note':
      return { ...next, updated_at: e.at }
    case 'read':
      return { ...next, unread: 0 }
    case 'queued':
    case 'assigned':
    case 'bot':
    case 'closed': {
      const { assignee: _a, queue: _q, ...rest } = next
      return {
        ...rest,
        state: e.kind,
        updated_at: e.at,
        ...(typeof d.assignee === 'string' ? { assignee: d.assignee } : e.kind === 'closed' && c.assignee ? { assignee: c.assignee } : {}),
        ...(typeof d.queue === 'string' ? { queue: d.queue } : c.queue && e.kind !== 'bot' ? { queue: c.queue } : {}),
        ...(e.kind === 'closed' ? { closed_at: e.at, turn: 'none' as const } : {}),
      }
    }
    default:
      return next
  }
}

function afterMessage(c: Conversation, e: Event): Conversation {
  const next = { ...c, preview: textOf(e.message) || c.preview, updated_at: e.at }
  if (e.direction === 'in') {
    const ours = c.state === 'queued' || c.state === 'assigned'
    return {
      ...next,
      unread: c.unread + 1,
      last_in_at: e.at,
      snoozed: false,
      ...(ours ? { waiting_since: c.waiting_since ?? e.at, turn: c.first_reply_at ? ('next_reply' as const) : ('first_reply' as const) } : {}),
    }
  }
  if (e.sender?.type !== 'agent') return next
  const { waiting_since: _w, due_at: _d, ...answered } = next
  return { ...answered, first_reply_at: c.first_reply_at ?? e.at, turn: 'contact' }
}

// seen is a conversation with what was done here and is not confirmed yet.
export function seen(s: DeskState, id: string): Conversation | undefined {
  const c = s.conversations.get(id)
  const o = s.overlays.get(id)
  return c && o ? { ...c, ...o } : c
}
