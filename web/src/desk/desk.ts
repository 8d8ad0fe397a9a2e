import type { API, List } from '../core/api'
import { Burst } from '../core/burst'
import { Drafts } from '../core/drafts'
import { openFeed, shared } from '../core/feed'
import { newID } from '../core/id'
import type { Keep } from '../core/keep'
import { Outbox, outboxOf } from '../core/outbox'
import { Problem } from '../core/problem'
import type { Session } from '../core/session'
import { bodyOf, type Frame } from '../core/sse'
import { Store } from '../core/store'
import { Passing } from './passing'
import { emptyState, needed, reduce, seen, type Action, type DeskState } from './state'
import { textOf, type Agent, type Channel, type Conversation, type Event, type FieldDef, type Message, type Offer, type Presence, type Queue } from './types'
import { asks, List as Listed, type View } from './views'

// What an event says is not enough for these: the conversation is read again.
const reread = new Set(['opened', 'queued', 'assigned', 'bot', 'closed', 'snoozed', 'awoken', 'changed', 'undone', 'profile', 'moved', 'erased', 'blocked', 'unblocked'])
const pageSize = 60

// Desk knows the hub as its agent sees it: it reads, follows the log, and does what the agent says. It draws nothing.
export class Desk {
  readonly store: Store<DeskState, Action>
  readonly drafts: Drafts
  readonly list = new Listed() // of the open view
  readonly outbox: Outbox
  onIn: (e: Event) => void = () => {} // a contact wrote, an offer came, or a note for me
  private feed: { stop(): void }
  private cursors = new Map<string, string | null>() // of views; null: at the end
  private loading = new Set<string>()
  private opening = new Map<string, Promise<void>>()
  private due = new Set<string>() // conversations to be read again
  private timer: ReturnType<typeof setTimeout> | undefined
  private afterwards = new Map<string, () => void>() // what follows a message
  private marked = new Map<string, number>() // what was said to be read
  private passing = new Passing()
  private come: Frame[] = []

  constructor(
    readonly api: API,
    readonly session: Session,
    keep: Keep,
  ) {
    this.store = new Store(emptyState(session.user, Date.now()), reduce)
    this.drafts = new Drafts(keep, session.user.id)
    this.outbox = new Outbox({
      keep,
      name: outboxOf(session.user.id),
      send: (w) => api.post(w.path, w.body, w.id),
      onChange: (list) => this.store.do({ do: 'outbox', list }),
      onSent: (w, answer) => {
        this.said(w.conversation, answer as Event)
        this.afterwards.get(w.id)?.()
        this.afterwards.delete(w.id)
      },
    })
    this.store.do({ do: 'outbox', list: this.outbox.list })
    this.feed = openFeed({
      url: '/v1/events',
      ...shared(),
      onFrame: (f) => this.frame(f),
      onLine: (line) => this.line(line),
      onReset: () => void this.load(),
      onSignedOut: () => api.onSignedOut(),
    })
  }

  get state(): DeskState {
    return this.store.state
  }

  get me(): string {
    return this.session.user.id
  }

  stop(): void {
    this.feed.stop()
    this.outbox.stop()
    clearTimeout(this.timer)
    this.aroundSoon.stop()
  }

  private line(line: DeskState['line']): void {
    const was = this.state.line.state
    this.store.do({ do: 'line', line })
    if (line.state !== 'live' || was === 'live') return
    this.outbox.flush()
    if (!this.state.loaded) void this.load()
    else this.around() // who is away for long becomes inactive, and is not told so by the stream
  }

  // load reads everything around the lists; what was read of the lists stays until it is read again.
  async load(): Promise<void> {
    this.cursors.clear()
    const list = <T>(path: string) => this.api.get<List<T>>(path).then((l) => l.items, () => [] as T[])
    const [channels, states, fields, overseers, offers] = await Promise.all([
      list<Channel>('/v1/desk/channels'),
      list<DeskState['states'][number]>('/v1/agent-states'),
      list<FieldDef>('/v1/fields'),
      list<DeskState['overseers'][number]>('/v1/desk/overseers'),
      list<Offer & { conversation: string }>('/v1/me/offers'),
      this.more({ name: 'mine', sort: 'updated', queue: '', channel: '', state: '', tag: '' }),
      this.more({ name: 'waiting', sort: 'updated', queue: '', channel: '', state: '', tag: '' }),
      this.readAround(),
    ])
    this.store.do({ do: 'around', channels, states, fields, overseers }, { do: 'offers', offers: offers.map((o) => [o.conversation, o]) }, { do: 'loaded' })
    for (const o of offers) if (!this.state.conversations.has(o.conversation)) this.again(o.conversation)
    for (const [id, t] of this.state.threads) if (t.atEnd) void this.catchUp(id)
  }

  // more reads the next page of a view, as long as there is one; pages that hold nothing new are read over.
  async more(v: View): Promise<void> {
    const query = asks(v, this.me)
    const key = JSON.stringify(query)
    const cursor = this.cursors.get(key)
    if (cursor === null || this.loading.has(key)) return
    this.loading.add(key)
    try {
      const known = this.state.conversations.size
      for (let at: string | undefined = cursor, pages = 0; pages < 10; pages++) {
        const page: List<Conversation> = await this.api.get('/v1/conversations', { ...query, limit: v.name === 'all' ? 100 : 200, cursor: at })
        this.cursors.set(key, page.next ?? null)
        this.listed(page.items)
        at = page.next
        if (!at || this.state.conversations.size > known) break
      }
    } finally {
      this.loading.delete(key)
    }
  }

  // frame gathers what comes in one go: the page looks at it once, also after a long sleep.
  private frame(f: Frame): void {
    if (this.come.push(f) > 1) return
    queueMicrotask(() => {
      const actions: Action[] = []
      const events: Event[] = []
      for (const f of this.come.splice(0)) {
        const { kind } = f
        const body = bodyOf<never>(f)
        if (body === undefined) continue
        if (kind === 'typing') actions.push(...this.typing(body))
        else if (kind === 'presence') actions.push(...this.present(body))
        else {
          const event = body as Event
          this.own(event)
          actions.push({ do: 'event', event })
          events.push(event)
        }
      }
      this.store.do(...actions)
      for (const e of events) this.follow(e)
    })
  }

  // follow does what an event asks for.
  private follow(e: Event): void {
    if (!e.conversation) {
      if (e.kind === 'agent_changed' || e.kind === 'queue_changed' || e.kind === 'team_changed') this.around()
      return
    }
    const known = this.state.conversations.has(e.conversation)
    const t = this.state.threads.get(e.conversation)
    if (t?.atEnd && e.seq > (t.events.at(-1)?.seq ?? 0)) void this.catchUp(e.conversation)
    // whose reach is not everything is not told how agents are: these moves change it
    if (e.kind === 'offer_ended' || e.kind === 'assigned' || e.kind === 'closed') this.around()
    if (!known || reread.has(e.kind) || (e.kind === 'offered' && this.offeredToMe(e.conversation))) this.again(e.conversation)
    const named = e.kind === 'note' && e.mentions?.includes(this.me)
    if ((e.kind === 'message' && e.direction === 'in') || e.kind === 'offered' || named) this.onIn(e)
  }

  // own finds what was said here when the stream tells of it before the answer comes, so that it is not shown twice.
  private own(e: Event): void {
    if ((e.kind !== 'message' && e.kind !== 'note') || e.sender?.id !== this.me) return
    const w = this.outbox.list.find((x) => x.conversation === e.conversation && x.failed === undefined && x.seen === undefined)
    if (!w || w.path.endsWith('/notes') !== (e.kind === 'note')) return
    const body = w.body as { text?: string; stack?: Message['stack'] }
    if ((body.text ?? textOf({ stack: body.stack ?? [] })) === textOf(e.message)) this.outbox.seen(w.id, e.seq)
  }

  offeredToMe(id: string): boolean {
    return this.state.offers.get(id)?.agents.includes(this.me) === true
  }

  private typing(t: { conversation: string; sender: { type: string; id?: string; name?: string }; on?: boolean }): Action[] {
    if (t.sender.id === this.me) return []
    const { conversation: id } = t
    return [{ do: 'typing', id, name: t.sender.name || (this.state.conversations.get(id)?.contact.name ?? ''), on: t.on !== false, now: Date.now() }]
  }

  private present(p: Presence & { conversation: string }): Action[] {
    return p.user === this.me ? [] : [{ do: 'presence', id: p.conversation, presence: [p] }]
  }

  private aroundSoon = new Burst(() => void this.readAround(), 200)
  private aroundTurn = 0
  around(): void {
    this.aroundSoon.tell()
  }

  // readAround reads who is there and the queues; of several reads the one that began last counts.
  private async readAround(): Promise<void> {
    const turn = ++this.aroundTurn
    try {
      const [agents, queues] = await Promise.all([this.api.get<List<Agent>>('/v1/agents'), this.api.get<List<Queue>>('/v1/queues')])
      const teamed = queues.items.some((q) => q.members.some((m) => m.startsWith('team:')))
      const teams = teamed ? (await this.api.get<List<DeskState['teams'][number]>>('/v1/teams')).items : []
      if (turn === this.aroundTurn) this.store.do({ do: 'around', agents: agents.items, queues: queues.items, teams })
    } catch {
      // the next change, or the next load, reads them again
    }
  }

  // again reads conversations soon, many in one go.
  again(id: string): void {
    this.due.add(id)
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      const ids = [...this.due].slice(0, 100)
      for (const x of ids) this.due.delete(x)
      if (this.due.size) this.again([...this.due][0]!)
      void this.readAll(ids)
    }, 40)
  }

  private async readAll(ids: string[]): Promise<void> {
    try {
      const { items: list } = await this.api.get<List<Conversation>>('/v1/conversations', { ids: ids.join() })
      for (const c of list) if (!this.state.conversations.has(c.id)) this.passing.came(c.id)
      const there = new Set(list.map((c) => c.id))
      const gone = ids.filter((x) => !there.has(x))
      this.store.do({ do: 'conversations', list }, ...(gone.length ? [{ do: 'forget' as const, ids: gone }] : []))
      this.letGo()
    } catch {
      // the line says so; the next event, or the next load, reads them again
    }
  }

  async read(id: string): Promise<Conversation | null> {
    try {
      const c = await this.api.get<Conversation>('/v1/conversations/' + id)
      if (!this.state.conversations.has(id)) this.passing.came(id)
      this.store.do({ do: 'conversations', list: [c] })
      this.letGo()
      return c
    } catch (err) {
      if (err instanceof Problem && err.status === 404) this.store.do({ do: 'forget', ids: [id] })
      return null
    }
  }

  // listed takes what a list, or a search, has brought.
  listed(list: Conversation[]): void {
    this.passing.asked(list)
    this.store.do({ do: 'conversations', list })
  }

  // letGo forgets what only passed by.
  private letGo(): void {
    const ids = this.passing.leaving((id) => needed(this.state, id))
    if (!ids.length) return
    this.cursors.clear() // a list that comes to where they were reads them again
    for (const id of ids) this.marked.delete(id)
    this.store.do({ do: 'forget', ids })
  }

  // show tells which conversation is before the agent's eyes: its events stay.
  show(id: string): void {
    this.store.do({ do: 'shown', id })
  }

  // open sees that a conversation's newest events are there, or those around a message. What is read ahead is not read twice.
  open(id: string, seq = 0): Promise<void> {
    const what = id + '#' + seq
    const begun = this.opening.get(what) ?? this.bring(id, seq).finally(() => this.opening.delete(what))
    this.opening.set(what, begun)
    return begun
  }

  private async bring(id: string, seq: number): Promise<void> {
    const c = this.state.conversations.get(id) ?? (await this.read(id))
    if (!c) throw new Problem(404, 'not_found', '')
    const t = this.state.threads.get(id)
    if (t && (seq ? t.events.some((e) => e.seq === seq) : t.atEnd)) return
    const before = seq ? Math.min(seq + pageSize / 2, c.last_seq + 1) : c.last_seq + 1
    const page = await this.events(id, before)
    const atEnd = (page.at(-1)?.seq ?? 0) >= c.last_seq
    this.store.do({ do: 'thread', id, events: page, atEnd, how: 'replace' })
    if (atEnd) void this.catchUp(id)
  }

  private async events(id: string, before: number): Promise<Event[]> {
    return (await this.api.get<List<Event>>(`/v1/conversations/${id}/events`, { before, limit: pageSize })).items
  }

  // older and newer read on from what is there.
  async older(id: string): Promise<void> {
    const first = this.state.threads.get(id)?.events[0]?.seq ?? 1
    if (first <= 1 || this.loading.has('older' + id)) return
    this.loading.add('older' + id)
    try {
      this.store.do({ do: 'thread', id, events: await this.events(id, first), atEnd: false, how: 'before' })
    } finally {
      this.loading.delete('older' + id)
    }
  }

  async newer(id: string): Promise<void> {
    const t = this.state.threads.get(id)
    if (!t || t.atEnd || this.loading.has('newer' + id)) return
    await this.catchUp(id)
  }

  private async catchUp(id: string): Promise<void> {
    if (this.loading.has('newer' + id)) return void this.loading.add('again' + id)
    this.loading.add('newer' + id)
    try {
      const after = this.state.threads.get(id)?.events.at(-1)?.seq ?? 0
      const page = await this.api.get<List<Event>>(`/v1/conversations/${id}/events`, { after, limit: 200 })
      this.store.do({ do: 'thread', id, events: page.items, atEnd: !page.next, how: 'after' })
    } catch {
      // the line says so; the next event or reconnect tries again
    } finally {
      this.loading.delete('newer' + id)
      // what was told of meanwhile may be too new for what was read
      if (this.loading.delete('again' + id)) void this.catchUp(id)
    }
  }

  // say puts a message or a note into the outbox: it is shown at once.
  // then runs once the hub has it, and never when the hub refuses it.
  say(id: string, body: { text?: string; stack?: unknown[]; reply_to?: { seq: number }; mentions?: string[] }, note = false, then?: () => void): void {
    const key = newID()
    if (then) this.afterwards.set(key, then)
    this.outbox.add({ id: key, conversation: id, path: `/v1/conversations/${id}/${note ? 'notes' : 'messages'}`, body })
  }

  // said takes the confirmed event before the stream tells of it.
  said(id: string, e: Event): void {
    if (e?.seq && e.conversation === id) this.store.do({ do: 'event', event: e })
    const t = this.state.threads.get(id)
    if (t?.atEnd && e?.seq > (t.events.at(-1)?.seq ?? 0)) void this.catchUp(id)
  }

  // act does something to a conversation: it shows at once, and what the hub refuses is shown there with a way to try again.
  async act(id: string, patch: Partial<Conversation>, path: string, body: unknown, words: string, method: 'POST' | 'DELETE' | 'PATCH' = 'POST'): Promise<Event | null> {
    this.store.do({ do: 'trouble', id, trouble: null }, { do: 'overlay', id, patch })
    try {
      const e = await this.api.call<Event>(`/v1/conversations/${id}${path}`, { method, ...(method === 'DELETE' ? {} : { body }) })
      if (e?.kind && e.seq) this.store.do({ do: 'event', event: e })
      await this.read(id)
      return e ?? null
    } catch (err) {
      const retry = () => void this.act(id, patch, path, body, words, method)
      this.store.do({ do: 'trouble', id, trouble: { text: words + ' ' + (err instanceof Error ? err.message : ''), retry } })
      return null
    } finally {
      this.store.do({ do: 'overlay', id, patch: null })
    }
  }

  // markRead tells once that everything was seen.
  markRead(id: string): void {
    const c = seen(this.state, id)
    if (!c || c.unread === 0 || c.state === 'closed' || (this.marked.get(id) ?? 0) >= c.last_seq) return
    this.marked.set(id, c.last_seq)
    this.api.post<Event>(`/v1/conversations/${id}/read`, { seq: c.last_seq }).then(
      (e) => this.store.do({ do: 'event', event: e }),
      () => this.marked.delete(id),
    )
  }

  // presence tells colleagues, typing also the contact; neither is worth a word when it fails.
  presence(id: string, doing: Presence['doing']): void {
    this.api.post<{ others: Presence[] }>(`/v1/conversations/${id}/presence`, { doing }).then(
      (p) => this.store.do({ do: 'presence', id, presence: (p?.others ?? []).filter((x) => x.user !== this.me) }),
      () => {},
    )
  }

  typed(id: string): void {
    this.api.post(`/v1/conversations/${id}/typing`, {}).catch(() => {})
  }

  async setMyState(name: string): Promise<void> {
    const before = this.state.agents
    const available = this.state.states.find((x) => x.name === name)?.available ?? name === 'active'
    this.store.do({ do: 'around', agents: before.map((a) => (a.id === this.me ? { ...a, state: name, available } : a)) })
    try {
      await this.api.post(`/v1/agents/${this.me}/state`, { state: name })
      await this.readAround()
    } catch (err) {
      this.store.do({ do: 'around', agents: [...before] })
      throw err
    }
  }
}
