import type { Keep } from './keep'
import { Problem } from './problem'

// Waiting is a write that the hub has not confirmed yet. Its id is the Idempotency-Key: sending it twice has one effect.
export interface Waiting {
  id: string
  conversation: string
  path: string
  body: unknown
  at: number // when it was written
  tries: number
  failed?: string // the hub's words: it will not be tried again by itself
  seen?: number // the event that the stream has told of before the answer came
}

// outboxOf is where a user's outbox is kept.
export const outboxOf = (user: string) => 'dragoman.outbox.' + user

export interface OutboxOptions {
  keep: Keep
  name: string // of the place in keep
  send(w: Waiting): Promise<unknown>
  onChange(all: readonly Waiting[]): void
  onSent(w: Waiting, answer: unknown): void
  now?: () => number
  random?: () => number
}

// Outbox sends in the order of writing within a conversation. It has its own timer: a send that failed while the line was up is tried
// again without waiting for a reconnect. What was not confirmed survives a reload.
export class Outbox {
  private all: Waiting[]
  private mine = new Set<string>() // all that this tab has had
  private busy = new Set<string>() // conversations with a send under way
  private timers = new Map<string, ReturnType<typeof setTimeout>>()
  private stopped = false

  constructor(private readonly o: OutboxOptions) {
    this.all = read(o.keep.get(o.name))
    for (const w of this.all) this.mine.add(w.id)
    queueMicrotask(() => this.flush())
  }

  get list(): readonly Waiting[] {
    return this.all
  }

  add(w: Omit<Waiting, 'tries' | 'at'>): void {
    this.put([...this.all, { ...w, at: (this.o.now ?? Date.now)(), tries: 0 }])
    void this.next(w.conversation)
  }

  // retry takes up what was given up; flush what waits for its timer.
  retry(id: string): void {
    const w = this.all.find((x) => x.id === id)
    if (!w) return
    this.put(this.all.map((x) => (x.id === id ? { ...withoutFailure(x), tries: 0 } : x)))
    void this.next(w.conversation)
  }

  drop(id: string): void {
    const w = this.all.find((x) => x.id === id)
    this.put(this.all.filter((x) => x.id !== id))
    if (w) void this.next(w.conversation)
  }

  // seen notes that the stream has told of it already; the answer is still waited for.
  seen(id: string, seq: number): void {
    if (this.all.some((x) => x.id === id)) this.put(this.all.map((x) => (x.id === id ? { ...x, seen: seq } : x)))
  }

  flush(): void {
    for (const c of new Set(this.all.map((w) => w.conversation))) void this.next(c)
  }

  stop(): void {
    this.stopped = true
    for (const t of this.timers.values()) clearTimeout(t)
  }

  private put(all: Waiting[]): void {
    this.all = all
    this.store()
    this.o.onChange(all)
  }

  // store keeps what waits here beside what waits in other tabs.
  private store(): void {
    const { keep, name } = this.o
    const kept = read(keep.get(name))
    for (const w of this.all) this.mine.add(w.id)
    // who has stopped, as at signing out, takes away what is done and brings nothing back: others may have sent it meanwhile
    const own = this.stopped ? this.all.filter((w) => kept.some((k) => k.id === w.id)) : this.all
    const list = [...kept.filter((w) => !this.mine.has(w.id)), ...own]
    keep.set(name, list.length ? JSON.stringify(list) : null)
  }

  private async next(conversation: string): Promise<void> {
    const w = this.all.find((x) => x.conversation === conversation && x.failed === undefined)
    if (!w || this.busy.has(conversation) || this.stopped) return
    clearTimeout(this.timers.get(conversation))
    this.busy.add(conversation)
    let again = 0
    try {
      const answer = await this.o.send(w)
      this.put(this.all.filter((x) => x.id !== w.id))
      this.o.onSent(w, answer)
    } catch (err) {
      const passing = !(err instanceof Problem) || err.passing
      again = passing ? Math.max(err instanceof Problem ? err.retryAfter * 1000 : 0, wait(w.tries, this.o.random ?? Math.random)) : 0
      const words = err instanceof Error ? err.message : String(err)
      this.put(this.all.map((x) => (x.id === w.id ? { ...x, tries: x.tries + 1, ...(passing ? {} : { failed: words }) } : x)))
    } finally {
      this.busy.delete(conversation)
    }
    if (this.stopped) return
    if (again) this.timers.set(conversation, setTimeout(() => void this.next(conversation), again))
    else void this.next(conversation)
  }
}

function withoutFailure(w: Waiting): Waiting {
  const { failed: _, ...rest } = w
  return rest
}

function wait(tries: number, random: () => number): number {
  return 500 + random() * Math.min(15_000, 500 * 2 ** Math.min(tries, 8))
}

function read(raw: string | null): Waiting[] {
  try {
    const all: unknown = JSON.parse(raw ?? '[]')
    return Array.isArray(all) ? all.filter((w): w is Waiting => typeof w?.id === 'string' && typeof w.path === 'string' && typeof w.conversation === 'string') : []
  } catch {
    return []
  }
}
