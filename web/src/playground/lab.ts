import type { API, List } from '../core/api'
import { newID } from '../core/id'
import type { Keep } from '../core/keep'
import { Problem } from '../core/problem'
import { bodyOf, follow, type Frame, type Line } from '../core/sse'
import { Store } from '../core/store'
import { fromEvent, fromVisitor, type Bubble, type ChatEvent, type VisitorMessage } from './bubble'
import type { Recorder } from './record'
import { recording } from './wire'

export interface Channel {
  id: string
  connector: string
  name: string
  status: string
  flow?: string
  queue?: string
}

export interface Where {
  state: 'none' | 'bot' | 'queued' | 'assigned' | 'closed'
  queue?: string
  assignee?: string
  flow?: string
  offered?: string[]
}

// LabState is what both sides see now.
export interface LabState {
  channel: Channel | null
  address: string // of the consumer on the channel
  name: string
  conversation: string
  where: Where
  events: readonly ChatEvent[] // of the log, the agent's view
  told: readonly Bubble[] // what the widget's server told the visitor
  sending: readonly Bubble[] // by the consumer, not confirmed yet
  typing: { consumer: number; agent: number } // until when
  line: Line['state']
}

const nobody: LabState = {
  channel: null, address: '', name: '', conversation: '', where: { state: 'none' }, events: [], told: [], sending: [], typing: { consumer: 0, agent: 0 }, line: 'connecting',
}

const mostEvents = 500
const typingFor = 6000 // milliseconds

// Lab plays both sides of one conversation over the wire that everybody uses, and records it.
export class Lab {
  readonly store = new Store<LabState, Partial<LabState>>(nobody, (s, a) => ({ ...s, ...a }))
  private log: { stop(): void } | undefined
  private visitor: { stop(): void } | undefined
  private token = ''
  private turn = 0 // counts channels and persons, so that what comes too late is left alone

  constructor(
    private readonly agent: API, // of the one who has signed in, recorded
    private readonly person: API, // the same for a simulated person
    private readonly widget: API, // the visitor's calls: no session
    private readonly rec: Recorder,
    private readonly keep: Keep,
  ) {}

  get state(): LabState {
    return this.store.state
  }

  stop(): void {
    this.turn++
    this.log?.stop()
    this.visitor?.stop()
  }

  // choose takes a channel, with the person who was on it before, or a new one.
  async choose(channel: Channel, fresh = false): Promise<void> {
    this.stop()
    const turn = this.turn
    const place = 'dragoman.playground.' + channel.id
    if (fresh) this.keep.set(place, null)
    this.store.do({ ...nobody, channel })
    if (channel.connector === 'webchat') await this.enter(channel, place, turn)
    else {
      const address = this.keep.get(place) ?? 'play-' + newID().slice(0, 8)
      this.keep.set(place, address)
      this.store.do({ address, name: 'Robin' })
    }
    if (turn === this.turn) await this.find()
  }

  // enter begins the widget's session.
  private async enter(channel: Channel, place: string, turn: number): Promise<void> {
    const kept = JSON.parse(this.keep.get(place) ?? 'null') as { token: string; visitor: string } | null
    const base = '/visitor/' + channel.id
    let session = kept
    if (!session) {
      await this.widget.get(base + '/config')
      session = await this.widget.post<{ token: string; visitor: string }>(base + '/sessions')
      this.keep.set(place, JSON.stringify({ token: session.token, visitor: session.visitor }))
    }
    if (turn !== this.turn) return
    this.token = session.token
    this.store.do({ address: session.visitor, name: 'Visitor' })
    try {
      await this.look(turn)
    } catch (err) {
      if (!kept || !(err instanceof Problem) || err.status !== 401) throw err
      this.keep.set(place, null) // the token is over, or of another database
      await this.enter(channel, place, turn)
    }
  }

  // look reads the widget's snapshot and goes on with its stream.
  private async look(turn: number): Promise<void> {
    const base = '/visitor/' + this.state.channel!.id
    const s = await this.widget.call<{ pos: number; messages: VisitorMessage[] }>(base + '/snapshot', { headers: this.bearer() })
    if (turn !== this.turn) return
    this.visitor?.stop()
    this.store.do({ told: s.messages.map(fromVisitor) })
    const fetcher = recording(this.rec, 'consumer')
    this.visitor = follow({
      url: base + '/stream',
      from: String(s.pos),
      fetcher: (url, init) => fetcher(url, { ...init, headers: { ...(init?.headers as Record<string, string>), ...this.bearer() } }),
      onFrame: (f) => this.hear(f, turn),
      onLine: () => {},
      onReset: () => void this.look(turn),
      onSignedOut: () => void this.choose(this.state.channel!, true),
      wake: window,
    })
  }

  private bearer(): Record<string, string> {
    return { Authorization: 'Bearer ' + this.token }
  }

  // hear takes what the widget is told.
  private hear(f: Frame, turn: number): void {
    if (turn !== this.turn || !f.data) return
    this.rec.frame('consumer', f)
    const data = bodyOf<Record<string, unknown>>(f)
    if (!data) return
    if (f.kind === 'reset') void this.look(turn)
    else if (f.kind === 'typing') this.store.do({ typing: { ...this.state.typing, agent: data.on === false ? 0 : Date.now() + typingFor } })
    else if (f.kind === 'message' || f.kind === 'changed') {
      const b = fromVisitor(data as unknown as VisitorMessage)
      const told = this.state.told.filter((x) => x.key !== b.key)
      const old = this.state.told.findIndex((x) => x.key === b.key)
      if (old >= 0) told.splice(old, 0, b)
      else told.push(b)
      this.store.do({ told: told.slice(-mostEvents), sending: this.state.sending.filter((x) => x.key !== b.id), ...(b.mine ? {} : { typing: { ...this.state.typing, agent: 0 } }) })
    }
  }

  // find looks for the person's conversation among those of the channel, as an agent sees them, and follows it.
  private async find(): Promise<void> {
    const { channel, address } = this.state
    const turn = this.turn
    const list = await this.agent.get<List<{ id: string; state: Where['state']; thread: { address: string } }>>('/v1/conversations', { channel: channel!.id, limit: 50 })
    const c = list.items.find((x) => x.thread.address === address)
    if (!c || turn !== this.turn || c.id === this.state.conversation) return
    const first = await this.agent.get<List<ChatEvent>>(`/v1/conversations/${c.id}/events`, { limit: 1 })
    if (turn !== this.turn || c.id === this.state.conversation) return
    this.log?.stop()
    this.store.do({ conversation: c.id, where: { state: c.state } })
    this.log = follow({
      url: '/v1/events?conversation=' + encodeURIComponent(c.id),
      from: String(Math.max(0, (first.items[0]?.pos ?? 1) - 1)),
      fetcher: recording(this.rec, 'agent'),
      onFrame: (f) => turn === this.turn && this.take(f),
      onLine: (line) => turn === this.turn && this.store.do({ line }),
      onReset: () => {},
      onSignedOut: () => this.agent.onSignedOut(),
      wake: window,
    })
  }

  // take is an event of the log, or a signal.
  private take(f: Frame): void {
    if (!f.data) return
    this.rec.frame('agent', f)
    const e = bodyOf<ChatEvent>(f)
    if (!e) return
    const s = this.state
    if (f.kind === 'typing') {
      const on = (e as { on?: boolean }).on !== false
      this.store.do({ typing: { ...s.typing, [e.sender?.type === 'contact' ? 'consumer' : 'agent']: on ? Date.now() + typingFor : 0 } })
    }
    if (!f.id || s.events.some((x) => x.pos === e.pos)) return
    const typing = e.kind === 'message' ? { ...s.typing, [e.direction === 'in' ? 'consumer' : 'agent']: 0 } : s.typing
    this.store.do({
      events: [...received(s.events, e), e].slice(-mostEvents),
      where: placeAfter(s.where, e),
      typing,
      ...(s.channel!.connector === 'webchat' ? {} : { sending: s.sending.filter((x) => !(e.direction === 'in' && e.external_id?.endsWith(x.key))) }),
    })
  }

  // say is a word of the consumer, or a pressed button.
  async say(text: string, payload = ''): Promise<void> {
    const { channel, address, name } = this.state
    const id = newID()
    const turn = this.turn
    this.store.do({ sending: [...this.state.sending, { key: id, mine: true, from: name, parts: [{ text, buttons: [] }], at: Date.now(), status: 'sending' }] })
    try {
      if (channel!.connector === 'webchat') {
        const body = payload ? { id, choice: { title: text, payload } } : { id, text }
        await this.widget.call(`/visitor/${channel!.id}/messages`, { method: 'POST', body, headers: this.bearer() })
      } else {
        const body = { from: address, name, text, ...(payload ? { payload } : {}) }
        await this.person.post(`/v1/channels/${channel!.id}/simulate`, body, id)
      }
      if (turn === this.turn && (!this.state.conversation || this.state.where.state === 'closed')) await this.find()
    } catch (err) {
      this.store.do({ sending: this.state.sending.map((x) => (x.key === id ? { ...x, status: 'failed' } : x)) })
      throw err
    }
  }

  // writes tells that the consumer writes; only the widget has words for that.
  async writes(): Promise<void> {
    if (this.state.channel?.connector !== 'webchat' || !this.state.conversation) return
    await this.widget.call(`/visitor/${this.state.channel.id}/typing`, { method: 'POST', body: {}, headers: this.bearer() }).catch(() => {}) // a signal may get lost
  }

  // act is what the agent does to the conversation.
  act<T>(what: string, body: unknown = {}): Promise<T> {
    return this.agent.post<T>(`/v1/conversations/${this.state.conversation}/${what}`, body)
  }
}

// received gives a message the status that a receipt tells.
export function received(events: readonly ChatEvent[], e: ChatEvent): readonly ChatEvent[] {
  const d = (e.data ?? {}) as { seq?: number; status?: string }
  if (e.kind !== 'receipt' || !d.seq || !d.status) return events
  return events.map((x) => (x.kind === 'message' && x.seq === d.seq && x.conversation === e.conversation ? { ...x, status: d.status! } : x))
}

// placeAfter is where a conversation is after an event.
export function placeAfter(w: Where, e: ChatEvent): Where {
  const d = (e.data ?? {}) as { queue?: string; assignee?: string; flow?: string; agents?: string[]; state?: Where['state'] }
  switch (e.kind) {
    case 'bot':
    case 'queued':
    case 'assigned':
    case 'closed':
      return { state: d.state ?? e.kind, ...(d.queue ? { queue: d.queue } : {}), ...(d.assignee ? { assignee: d.assignee } : {}), ...(d.flow ? { flow: d.flow } : {}) }
    case 'opened':
      return d.flow ? { state: 'bot', flow: d.flow } : w
    case 'offered':
      return { ...w, offered: [...new Set([...(w.offered ?? []), ...(d.agents ?? [])])] }
    case 'offer_ended':
      return { ...w, offered: (w.offered ?? []).filter((a) => !d.agents?.includes(a)) }
    default:
      return w
  }
}

// bubblesOf is what the consumer sees: the widget what it was told, a simulated person what the log says.
export function bubblesOf(s: LabState): readonly Bubble[] {
  const there = s.channel?.connector === 'webchat' ? s.told : s.events.flatMap((e) => (e.kind === 'message' ? [fromEvent(e)] : []))
  return s.sending.length ? [...there, ...s.sending] : there
}
