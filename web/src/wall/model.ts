// What the wall knows, without a picture: figures, alarms, order, curves.

export interface LiveQueue {
  name: string
  title?: string
  waiting: number
  offered: number
  active: number
  snoozed: number
  oldest_wait_seconds: number
  agents: { free: number; busy: number; away: number }
  late: number
  threshold?: { seconds: number; percent: number; reached?: number }
}

export interface LiveAgent {
  id: string
  name?: string
  state: string
  available: boolean
  since: string
  load: number
  capacity: number
  offered: number
  snoozed: number
}

export interface Live {
  at: string
  queues: LiveQueue[]
  agents: LiveAgent[]
  bot: number
}

export interface Conversation {
  id: string
  contact: { id: string; name: string }
  state: string
  queue?: string
  assignee?: string
  preview: string
  placed_at: string
  waiting_since?: string
  due_at?: string
  snoozed?: boolean
  last_seq: number
}

// Figure is a number of the board; each one leads to what it counts.
export const figures = ['waiting', 'offered', 'active', 'snoozed', 'late'] as const
export type Figure = (typeof figures)[number] | 'bot' | 'load'
export const staff = ['free', 'busy', 'away'] as const
export type Staff = (typeof staff)[number]

export const titleOf = (q: LiveQueue): string => q.title || q.name
export const nameOf = (a: LiveAgent): string => a.name || a.id

// waited is how long the one who has waited the longest has waited, in seconds; it goes on between two readings.
export function waited(q: LiveQueue, readAt: number, now: number): number {
  return q.oldest_wait_seconds > 0 ? q.oldest_wait_seconds + Math.max(0, now - readAt) / 1000 : 0
}

// clock writes how long something lasts so that it is seen to go on: 0:35, 12:07, 1:05:09.
export function clock(seconds: number, digits: (n: number, least: number) => string): string {
  const s = Math.max(0, Math.floor(seconds))
  const parts = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60]
  if (parts[0] === 0) parts.shift()
  return parts.map((n, i) => digits(n, i === 0 ? 1 : 2)).join(':')
}

export interface Alarm {
  level: 'bad' | 'warn'
  key: string // of its words
  n: Record<string, number>
}

// alarms tells what is wrong in a queue, the worst first; mostly nothing.
export function alarms(q: LiveQueue, oldest: number): Alarm[] {
  const out: Alarm[] = []
  const add = (level: Alarm['level'], key: string, n: Alarm['n'] = {}) => void out.push({ level, key, n })
  const { free, busy } = q.agents
  if (q.waiting > 0 && free + busy === 0) add('bad', 'nobody')
  if (q.late > 0) add('bad', 'late', { n: q.late })
  const t = q.threshold
  if (t && oldest > 2 * t.seconds) add('bad', 'waits', { seconds: t.seconds })
  else if (t && oldest > t.seconds) add('warn', 'waits', { seconds: t.seconds })
  if (t?.reached !== undefined && t.reached < t.percent) add('warn', 'reached', { reached: t.reached, percent: t.percent, seconds: t.seconds })
  if (q.waiting > 0 && free === 0 && busy > 0) add('warn', 'busy')
  return out.sort((a, b) => Number(a.level === 'warn') - Number(b.level === 'warn'))
}

// byOldest puts the longest wait first: it is the earliest warning.
export function byOldest(queues: readonly LiveQueue[]): LiveQueue[] {
  return [...queues].sort((a, b) => b.oldest_wait_seconds - a.oldest_wait_seconds || b.waiting - a.waiting || titleOf(a).localeCompare(titleOf(b)))
}

// inOrder gives queues the order of before; what is new comes last.
export function inOrder(queues: readonly LiveQueue[], order: readonly string[]): LiveQueue[] {
  const at = (q: LiveQueue) => (order.indexOf(q.name) + 1 || order.length + 1)
  return [...queues].sort((a, b) => at(a) - at(b))
}

export function totals(queues: readonly LiveQueue[]): LiveQueue {
  const sum = (f: (q: LiveQueue) => number) => queues.reduce((n, q) => n + f(q), 0)
  return {
    name: '',
    waiting: sum((q) => q.waiting), offered: sum((q) => q.offered), active: sum((q) => q.active), snoozed: sum((q) => q.snoozed), late: sum((q) => q.late),
    oldest_wait_seconds: Math.max(0, ...queues.map((q) => q.oldest_wait_seconds)),
    agents: { free: 0, busy: 0, away: 0 },
  }
}

// staffOf tells what an agent counts as, as the report does.
export function staffOf(a: LiveAgent): Staff {
  if (!a.available) return 'away'
  return a.capacity > 0 && a.load >= a.capacity ? 'busy' : 'free'
}

// queryOf is the list of conversations behind a figure.
export function listOf(figure: Figure, queue: string, agent: string): Record<string, string | number> {
  const where = { limit: 100, ...(queue ? { queue } : {}), ...(agent ? { assignee: agent } : {}) }
  switch (figure) {
    case 'bot':
      return { limit: 100, state: 'bot' }
    case 'waiting':
    case 'offered':
      return { ...where, state: 'queued' }
    case 'snoozed':
      return { ...where, state: 'assigned', snoozed: 'true' }
    case 'late':
      return { ...where, sort: 'due' }
    default:
      return { ...where, state: 'assigned', snoozed: 'false' }
  }
}

// sinceOf is since when somebody waits, or a conversation is where it is.
export const sinceOf = (c: Conversation): number => Date.parse(c.waiting_since ?? c.placed_at)

// behind puts the list behind a figure in order: who waits the longest comes first.
export function behind(figure: Figure, list: readonly Conversation[], now: number): Conversation[] {
  if (figure === 'late') return list.filter((c) => c.due_at && Date.parse(c.due_at) < now)
  return [...list].sort((a, b) => sinceOf(a) - sinceOf(b))
}

export interface Point {
  at: string
  opened: number
  closed: number
  abandoned: number
  messages_in: number
  messages_out: number
  first_reply_p50?: number
  first_reply_p90?: number
  wait_p50?: number
}

export const quarter = 15 * 60_000
export const hours = 4
export const week = 7 * 24 * 3_600_000

// spanAt is the last four hours in whole quarters, the running one included.
export function spanAt(now: number): { from: number; to: number } {
  const to = Math.ceil(now / quarter) * quarter
  return { from: to - hours * 3_600_000, to }
}

export type Measure = 'opened' | 'messages_in' | 'first_reply_p50' | 'abandoned'
export const measures: readonly Measure[] = ['opened', 'messages_in', 'first_reply_p50', 'abandoned']

// Curve is one measure now and a week ago, side by side.
export interface Curve {
  measure: Measure
  times: number[]
  now: (number | null)[]
  before: (number | null)[]
}

export function curveOf(measure: Measure, now: readonly Point[], before: readonly Point[]): Curve {
  const old = new Map(before.map((p) => [Date.parse(p.at) + week, p]))
  const value = (p: Point | undefined): number | null => p?.[measure] ?? null
  const times = now.map((p) => Date.parse(p.at))
  return { measure, times, now: now.map(value), before: times.map((at) => value(old.get(at))) }
}

// scale ends at a round number above all values.
export function scale(values: readonly (number | null)[]): { top: number; step: number } {
  const most = Math.max(4, ...values.map((v) => v ?? 0))
  const raw = most / 4
  const ten = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 2.5, 5, 10].map((m) => m * ten).find((s) => s >= raw && Number.isInteger(s)) ?? Math.ceil(raw)
  return { top: step * Math.ceil(most / step), step }
}

// lineOf draws a curve as an SVG path; where nothing was measured there is a gap.
export function lineOf(values: readonly (number | null)[], x: (i: number) => number, y: (v: number) => number): string {
  let out = ''
  let pen = false
  values.forEach((v, i) => {
    if (v === null) return void (pen = false)
    out += `${pen ? 'L' : 'M'}${x(i).toFixed(1)} ${y(v).toFixed(1)}`
    if (!pen && (values[i + 1] ?? null) === null) out += 'h0.1' // a dot
    pen = true
  })
  return out
}
