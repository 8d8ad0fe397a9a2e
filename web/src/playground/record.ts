import { newID } from '../core/id'
import type { Frame } from '../core/sse'
import { body, header, hidden, words } from './redact'

export type Side = 'consumer' | 'agent'
export type Kind = 'request' | 'reply' | 'event' | 'notification' | 'signal'
export const kinds: readonly Kind[] = ['request', 'reply', 'event', 'notification', 'signal']

// Entry is one line of the time line, without secrets. Entries are never changed: what is learnt later makes a new one.
export interface Entry {
  n: number // its number, from 1
  at: number
  side: Side
  kind: Kind
  title: string
  action: string // what belongs to one cause has the same; '' until it is known
  headers: readonly (readonly [string, string])[]
  body: string
  cut: number // characters of the body that were left out
  request?: number // of a reply
  status?: number // 0: nobody answered
  ms?: number
  method?: string
  url?: string
  seq?: number // in the conversation
  pos?: number // in the log
}

// Asked is a request as it was sent, for sending it again. It never leaves the recorder but to be sent.
export interface Asked {
  side: Side
  method: string
  url: string
  headers: Record<string, string>
  body: string
}

export interface Filter {
  kinds: ReadonlySet<Kind> // empty: all
  side: Side | ''
  text: string
  seq: string // '7', '3-9', '5-'
  action: string
}

export const everything: Filter = { kinds: new Set(), side: '', text: '', seq: '', action: '' }

const largest = 2_000_000 // characters of a body that is looked into

// Recorder keeps the newest of what went over the wire, bounded in number and size.
export class Recorder {
  entries: readonly Entry[] = []
  paused = false
  missed = 0 // while paused
  dropped = 0 // for want of room
  private next = 1
  private size = 0
  private asked = new Map<number, Asked>()
  private actions = new Map<number, string>() // by position
  private tints = new Map<string, number>()
  private listeners = new Set<() => void>()

  constructor(
    private readonly most = 2000,
    private readonly room = 4_000_000, // characters
    private readonly longest = 20_000, // of one body
    private readonly now: () => number = Date.now,
  ) {}

  on(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  // request answers with the entry's number; 0 while paused.
  request(a: Asked): number {
    const url = words(a.url)
    const n = this.put({ side: a.side, kind: 'request', title: `${a.method} ${url}`, headers: Object.entries(a.headers), body: a.body, method: a.method, url })
    if (n) this.asked.set(n, a)
    return n
  }

  reply(request: number, status: number, reason: string, headers: [string, string][], text: string, ms: number): void {
    const of = this.find(request)
    if (!of) return void (this.paused && this.missed++)
    const action = headers.find(([k]) => k.toLowerCase() === 'x-action-id')?.[1] ?? ''
    if (action) this.swap(request, { action })
    this.put({ side: of.side, kind: 'reply', title: status ? `${status} ${reason}`.trim() : reason, headers, body: text, action, request, status, ms, ...about(text) })
  }

  // frame is what came on an event stream.
  frame(side: Side, f: Frame): void {
    if (!f.data) return
    const pos = Number(f.id) || 0
    const told = parse(f.data)
    const kind: Kind = !pos || told.kind === 'typing' ? 'signal' : side === 'agent' ? 'event' : 'notification'
    const action = (typeof told.action === 'string' && told.action) || this.actions.get(pos) || ''
    this.put({ side, kind, title: f.kind, headers: f.id ? [['id', f.id]] : [], body: f.data, action, ...about(f.data), ...(pos ? { pos } : {}) })
    if (pos && action && !this.actions.has(pos)) {
      this.actions.set(pos, action)
      for (const e of this.entries) if (e.pos === pos && !e.action) this.swap(e.n, { action })
    }
  }

  find(n: number): Entry | undefined {
    const first = this.entries[0]?.n ?? 0
    return n < first ? undefined : this.entries[n - first]
  }

  // again gives a request to be sent once more: with its own Idempotency-Key, or with a new one.
  again(n: number, same: boolean): Asked | undefined {
    const a = this.asked.get(n)
    if (!a || same || !a.headers['Idempotency-Key']) return a
    return { ...a, headers: { ...a.headers, 'Idempotency-Key': newID() } }
  }

  pause(on: boolean): void {
    this.paused = on
    this.missed = 0
    this.tell()
  }

  clear(): void {
    this.entries = []
    this.size = this.dropped = this.missed = 0
    this.asked.clear()
    this.actions.clear()
    this.tell()
  }

  // tint gives an action one of six marks; actions that follow one another differ. -1: none.
  tint(action: string): number {
    if (!action) return -1
    if (this.tints.size > 2 * this.most) this.tints.clear()
    if (!this.tints.has(action)) this.tints.set(action, this.tints.size)
    return this.tints.get(action)! % 6
  }

  private put(e: Omit<Entry, 'n' | 'at' | 'cut' | 'action'> & { action?: string }): number {
    if (this.paused) {
      this.missed++
      this.tell()
      return 0
    }
    const text = e.body.length > largest ? '' : body(e.body) // half a JSON text could not be searched for secrets
    const entry: Entry = {
      ...e,
      n: this.next++,
      at: this.now(),
      action: e.action ?? '',
      headers: e.headers.map(([k, v]) => [k, header(k, v)] as const),
      body: text.slice(0, this.longest),
      cut: Math.max(0, (text || e.body).length - this.longest),
    }
    this.size += sizeOf(entry)
    let all = [...this.entries, entry]
    let out = 0
    while (all.length - out > this.most || (this.size > this.room && all.length - out > 1)) {
      const gone = all[out++]!
      this.size -= sizeOf(gone)
      this.asked.delete(gone.n)
      if (gone.pos) this.actions.delete(gone.pos)
    }
    if (out) {
      all = all.slice(out)
      this.dropped += out
    }
    this.entries = all
    this.tell()
    return entry.n
  }

  private swap(n: number, more: Partial<Entry>): void {
    this.entries = this.entries.map((e) => (e.n === n ? { ...e, ...more } : e))
  }

  private tell(): void {
    for (const l of [...this.listeners]) l()
  }
}

const sizeOf = (e: Entry) => e.body.length + e.title.length + e.headers.reduce((n, [k, v]) => n + k.length + v.length, 100)

function parse(text: string): Record<string, unknown> {
  try {
    const v: unknown = JSON.parse(text)
    return typeof v === 'object' && v !== null ? (v as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

// about finds an event's numbers.
function about(text: string): { seq?: number; pos?: number } {
  const { seq, pos } = parse(text)
  return { ...(typeof seq === 'number' && seq > 0 ? { seq } : {}), ...(typeof pos === 'number' && pos > 0 ? { pos } : {}) }
}

// shows tells whether an entry passes a filter.
export function shows(f: Filter, e: Entry): boolean {
  if (f.kinds.size && !f.kinds.has(e.kind)) return false
  if (f.side && f.side !== e.side) return false
  if (f.action && f.action !== e.action) return false
  if (f.seq.trim() && !inRange(f.seq, e.seq)) return false
  const text = f.text.trim().toLowerCase()
  return !text || `${e.title}\n${e.body}\n${e.headers.map((h) => h.join(': ')).join('\n')}`.toLowerCase().includes(text)
}

function inRange(range: string, n: number | undefined): boolean {
  const m = /^\s*(\d*)\s*(-?)\s*(\d*)\s*$/.exec(range)
  if (!m || n === undefined) return false
  const low = Number(m[1] || 0)
  return m[2] ? n >= low && n <= Number(m[3] || Infinity) : n === low
}

const quote = (s: string) => "'" + s.replaceAll("'", `'\\''`) + "'"

// curl writes a request for a terminal. Secrets are variables: $TOKEN is an API token, $VISITOR the widget's.
export function curl(e: Entry, origin: string): string {
  const out = [`curl -X ${e.method} ${quote(origin + e.url)}`]
  out.push(`-H "Authorization: Bearer $${e.url?.startsWith('/visitor/') ? 'VISITOR' : 'TOKEN'}"`)
  for (const [k, v] of e.headers) {
    if (v !== hidden && !/^(authorization|accept)$/i.test(k)) out.push('-H ' + quote(`${k}: ${v}`))
  }
  if (e.body) out.push('-d ' + quote(compact(e.body)))
  if (e.headers.some(([k, v]) => k === 'Accept' && v === 'text/event-stream')) out.push('-N')
  return out.join(' \\\n  ')
}

function compact(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text))
  } catch {
    return text
  }
}

// exported is the time line as a file.
export function exported(entries: readonly Entry[], origin: string, at: Date): string {
  const plain = entries.map((e) => ({ ...e, at: new Date(e.at).toISOString(), headers: Object.fromEntries(e.headers), body: e.cut ? e.body : given(e.body) }))
  return JSON.stringify({ hub: origin, exported_at: at.toISOString(), entries: plain }, null, 2) + '\n'
}

function given(text: string): unknown {
  try {
    return text ? (JSON.parse(text) as unknown) : undefined
  } catch {
    return text
  }
}
