import { equal } from '../core/equal'
import type { Waiting } from '../core/outbox'
import type { Event, Message, Party, Run, Status } from './types'

// Item is one thing that a thread shows.
export type Item =
  | { kind: 'day'; key: string; at: string }
  | { kind: 'message'; key: string; said: Said }
  | { kind: 'place'; key: string; event: Event } // where the conversation went
  | { kind: 'run'; key: string; run: Run } // what another system was asked for
  | { kind: 'bot'; key: string; steps: Event[] } // what the bot did, one after the other

// Said is a message or a note with what became of it.
export interface Said {
  seq: number // 0: not confirmed yet
  id?: string // of the outbox, as long as it waits there
  at: string
  note: boolean
  out: boolean
  sender: Party
  message: Message
  status: Status | 'pending' | 'refused'
  error?: string
  edited?: boolean
  deleted?: boolean
  mentions?: string[]
  reactions: { emoji: string; mine: boolean }[]
}

const places = new Set(['opened', 'queued', 'assigned', 'bot', 'closed', 'offered', 'snoozed', 'awoken', 'reopened', 'action', 'blocked', 'unblocked', 'joined', 'left', 'undone', 'changed', 'erased'])
const steps = new Set(['flow_step', 'call', 'call_result'])

// itemsOf makes of events, of what waits to be sent, and of what is being done, what a thread shows.
export function itemsOf(events: readonly Event[], waiting: readonly Waiting[], me: Party, runs: readonly Run[] = []): Item[] {
  const items: Item[] = []
  const bySeq = new Map<number, Said>()
  let day: [number, number] = [0, 0] // from, to
  for (const e of events) {
    const said = (e.kind === 'message' || e.kind === 'note') && e.message ? saidOf(e) : null
    if (!said) {
      if (apply(e, bySeq)) continue
      if (!places.has(e.kind) && !steps.has(e.kind) && e.kind !== 'unsupported') continue
    }
    const at = Date.parse(e.at)
    if (at < day[0] || at >= day[1]) {
      day = dayOf(new Date(at))
      items.push({ kind: 'day', key: 'day' + new Date(at).toDateString(), at: e.at })
    }
    if (said) {
      bySeq.set(e.seq, said)
      items.push({ kind: 'message', key: 'm' + e.seq, said })
    } else if (steps.has(e.kind)) {
      const before = items.at(-1)
      if (before?.kind === 'bot') before.steps.push(e)
      else items.push({ kind: 'bot', key: 's' + e.seq, steps: [e] })
    } else items.push({ kind: 'place', key: 'p' + e.seq, event: e })
  }
  for (const w of waiting) items.push({ kind: 'message', key: 'w' + w.id, said: waitingOf(w, me) })
  for (const run of runs) items.push({ kind: 'run', key: 'r' + run.key, run })
  return items
}

const dayOf = (at: Date): [number, number] => [at.setHours(0, 0, 0, 0), at.setDate(at.getDate() + 1)]

// asBefore gives the item that was there already if it shows the same, so that what is mounted stays as it is.
export function asBefore(before: ReadonlyMap<string, Item>, item: Item): Item {
  const was = before.get(item.key)
  return was && equal(was, item) ? was : item
}

function saidOf(e: Event): Said {
  return {
    seq: e.seq,
    at: e.at,
    note: e.kind === 'note',
    out: e.direction === 'out' || e.kind === 'note',
    sender: e.sender ?? { type: 'system' },
    message: e.message!,
    status: e.status ?? 'sent',
    ...(e.mentions ? { mentions: e.mentions } : {}),
    ...(e.error ? { error: [e.error.detail, e.error.code && `(${e.error.code})`].filter(Boolean).join(' ') } : {}),
    reactions: [],
  }
}

function waitingOf(w: Waiting, me: Party): Said {
  const note = w.path.endsWith('/notes')
  const body = w.body as { text?: string; stack?: Message['stack']; reply_to?: Message['reply_to']; mentions?: string[] }
  const stack = body.stack ?? [{ type: 'text', payload: { content: body.text ?? '' } }]
  return {
    seq: 0, id: w.id, at: new Date(w.at).toISOString(), note, out: true, sender: me, reactions: [],
    message: { stack, ...(body.reply_to ? { reply_to: body.reply_to } : {}) },
    ...(body.mentions ? { mentions: body.mentions } : {}),
    status: w.failed === undefined ? 'pending' : 'refused',
    ...(w.failed === undefined ? {} : { error: w.failed }),
  }
}

// apply takes an event that changes a message; true when it is one.
function apply(e: Event, bySeq: Map<number, Said>): boolean {
  const d = (e.data ?? {}) as { seq?: number; added?: string[]; removed?: string[]; all?: boolean }
  const target = d.seq ? bySeq.get(d.seq) : undefined
  switch (e.kind) {
    case 'edited':
      if (target && e.message) Object.assign(target, { message: { ...target.message, stack: e.message.stack }, edited: true })
      return true
    case 'deleted':
      if (target) target.deleted = true
      return true
    case 'reaction': {
      if (!target) return true
      const mine = e.sender?.type !== 'contact'
      let left = target.reactions.filter((r) => r.mine !== mine || (!d.all && !d.removed?.includes(r.emoji)))
      for (const emoji of d.added ?? []) if (!left.some((r) => r.emoji === emoji && r.mine === mine)) left = [...left, { emoji, mine }]
      target.reactions = left
      return true
    }
    case 'rewound':
      for (const [seq, said] of bySeq) if (d.seq !== undefined && seq > d.seq) said.deleted = true
      return true
    default:
      return false
  }
}
