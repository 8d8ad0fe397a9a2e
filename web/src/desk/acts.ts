import { newID } from '../core/id'
import { Problem } from '../core/problem'
import type { World } from '../parts/world'
import type { Desk } from './desk'
import { itemsOf, type Said } from './fold'
import { seen } from './state'
import type { Conversation, Event, Run } from './types'

// lastOwn is the newest message of one's own that can still be changed.
export function lastOwn(desk: Desk, id: string): Said | undefined {
  const events = desk.state.threads.get(id)?.events ?? []
  const said = itemsOf(events, [], { type: 'agent' }).flatMap((x) => (x.kind === 'message' && isOwn(x.said) && x.said.sender.id === desk.me ? x.said : []))
  const can = desk.state.channels.get(seen(desk.state, id)?.channel ?? '')?.abilities
  return !can || can.includes('edit') ? said.findLast((s) => s.message.stack[0]?.type === 'text') : undefined
}

// isOwn tells a message that an agent wrote to the contact, and that is still there.
export const isOwn = (s: Said): boolean => s.out && s.sender.type === 'agent' && !s.note && !s.deleted && s.seq > 0

// Acts are what an agent does to conversations: at once, with words, and to be taken back.
export class Acts {
  private last: (() => void) | null = null

  constructor(
    private readonly desk: Desk,
    private readonly world: Pick<World, 'toasts' | 'i18n'>,
  ) {}

  private t = (key: string, params = {}) => this.world.i18n.t(key, params)

  private get(id: string): Conversation {
    return seen(this.desk.state, id)!
  }

  private name(id: string): string {
    return this.get(id)?.contact.name || this.get(id)?.thread.address || ''
  }

  // undo takes the last act back, as long as its toast is there.
  undo(): boolean {
    const last = this.last
    this.last = null
    last?.()
    return last !== null
  }

  // offer shows the toast with Undo for an event.
  private offer(text: string, did: [string, Event | null][]): void {
    const events = did.filter((x): x is [string, Event] => x[1] !== null && x[1].seq > 0)
    if (!events.length) return
    const run = () => {
      this.last = null
      for (const [id, e] of events) {
        void this.desk.act(id, {}, '/undo', { seq: e.seq }, this.t('desk_cannot_undo')).then((done) => {
          if (done && events.length === 1) this.world.toasts.show(this.t('desk_undone'))
        })
      }
    }
    const drop = this.world.toasts.show(text, { act: { title: this.t('undo'), run } })
    this.last = () => {
      drop()
      run()
    }
  }

  async accept(id: string): Promise<boolean> {
    const e = await this.desk.act(id, { state: 'assigned', assignee: this.desk.me }, '/accept', { agent: this.desk.me }, this.t('desk_cannot_accept'))
    return e !== null
  }

  async decline(id: string): Promise<void> {
    await this.desk.act(id, {}, '/decline', { agent: this.desk.me }, this.t('desk_cannot_decline'))
  }

  // extend takes more time for an offer.
  async extend(id: string): Promise<void> {
    await this.desk.act(id, {}, '/extend', { agent: this.desk.me }, this.t('desk_cannot_extend'))
  }

  // take gives a conversation to oneself: by an offer, or because nobody has it.
  async take(id: string): Promise<boolean> {
    if (this.desk.offeredToMe(id)) return this.accept(id)
    const c = this.get(id)
    const e = await this.desk.act(
      id,
      { state: 'assigned', assignee: this.desk.me },
      '/assign',
      { assignee: this.desk.me, expect: [c.state], ...(c.queue ? { queue: c.queue } : {}) },
      this.t('desk_cannot_take'),
    )
    if (e) this.offer(this.t('desk_taken', { name: this.name(id) }), [[id, e]])
    return e !== null
  }

  async close(id: string): Promise<void> {
    const name = this.name(id)
    const e = await this.desk.act(id, { state: 'closed', unread: 0 }, '/close', {}, this.t('desk_cannot_close'))
    if (e) this.offer(this.t('desk_closed', { name }), [[id, e]])
  }

  async transfer(id: string, to: { queue?: string; agent?: string; force?: boolean }, title: string, note: string): Promise<void> {
    const name = this.name(id)
    const patch: Partial<Conversation> = to.agent ? { state: 'assigned', assignee: to.agent } : { state: 'queued', assignee: '', queue: to.queue ?? '' }
    const e = await this.desk.act(id, patch, '/transfer', { ...to, ...(note ? { note } : {}) }, this.t('desk_cannot_transfer'))
    if (e) this.offer(this.t('desk_transferred', { name, to: title }), [[id, e]])
  }

  async snooze(id: string, until: Date | null): Promise<void> {
    const name = this.name(id)
    const e = await this.desk.act(id, { snoozed: true, ...(until ? { snoozed_until: until.toISOString() } : {}) }, '/snooze', until ? { until: until.toISOString() } : {}, this.t('desk_cannot_snooze'))
    if (e) this.offer(this.t('desk_snoozed', { name }), [[id, e]])
  }

  async wake(id: string): Promise<void> {
    await this.desk.act(id, { snoozed: false }, '/snooze', undefined, this.t('desk_cannot_snooze'), 'DELETE')
  }

  async toBot(id: string): Promise<void> {
    const name = this.name(id)
    const e = await this.desk.act(id, { state: 'bot', assignee: '' }, '/bot', {}, this.t('desk_cannot_bot'))
    if (e) this.offer(this.t('desk_to_bot', { name }), [[id, e]])
  }

  // reopen goes on in a closed conversation; the answer is the new one.
  async reopen(id: string): Promise<string | null> {
    try {
      const c = await this.desk.api.post<Conversation>(`/v1/conversations/${id}/reopen`, {})
      this.desk.store.do({ do: 'conversations', list: [c] })
      return c.id
    } catch (err) {
      this.desk.store.do({ do: 'trouble', id, trouble: { text: this.t('desk_cannot_reopen') + ' ' + (err as Error).message, retry: () => void this.reopen(id) } })
      return null
    }
  }

  async tag(id: string, tag: string, on: boolean): Promise<void> {
    const tags = this.get(id).tags ?? []
    const next = on ? [...new Set([...tags, tag])] : tags.filter((x) => x !== tag)
    await this.desk.act(id, { tags: next }, '', { tags: on ? { add: [tag] } : { remove: [tag] } }, this.t('desk_cannot_change'), 'PATCH')
  }

  async priority(id: string, priority: number): Promise<void> {
    await this.desk.act(id, { priority }, '', { priority }, this.t('desk_cannot_change'), 'PATCH')
  }

  // run has another system do something, which may take a while: the log shows it until it is done. Tried again it has the same key, so
  // that a hook which did it the first time can tell.
  async run(run: Run): Promise<void> {
    const { store, api } = this.desk
    const { wrong: _, ...fresh } = run
    store.do({ do: 'run', key: run.key, run: fresh })
    try {
      const e = await api.post<Event>(`/v1/conversations/${run.conversation}/actions/${run.name}`, { inputs: run.inputs }, run.key)
      store.do({ do: 'run', key: run.key, run: null })
      this.desk.said(run.conversation, e)
    } catch (err) {
      const wrong = err instanceof Problem ? err : new Problem(0, 'broken', String(err))
      // the stream may have told that it was done before the answer was lost
      if (store.state.runs.has(run.key)) store.do({ do: 'run', key: run.key, run: { ...fresh, wrong } })
    }
  }

  // begin is run for the first time.
  begin(conversation: string, action: { name: string; title?: string }, inputs: Run['inputs']): void {
    void this.run({ key: newID(), conversation, name: action.name, title: action.title || action.name, inputs, at: new Date().toISOString() })
  }

  // edit and takeBack change what was said; what the hub refuses can be tried again.
  async edit(id: string, seq: number, text: string): Promise<void> {
    await this.again(() => this.desk.api.patch<Event>(`/v1/conversations/${id}/messages/${seq}`, { text }), id)
  }

  async takeBack(id: string, seq: number): Promise<void> {
    await this.again(() => this.desk.api.delete<Event>(`/v1/conversations/${id}/messages/${seq}`), id)
  }

  private async again(act: () => Promise<Event>, id: string): Promise<void> {
    try {
      this.desk.said(id, await act())
    } catch (err) {
      this.world.toasts.show(`${this.t('desk_cannot_change')} ${(err as Error).message}`, { bad: true, act: { title: this.t('retry'), run: () => void this.again(act, id) } })
    }
  }

  // many does one thing to all that are picked, with one toast.
  async many(ids: string[], act: Record<string, unknown> & { act: string }, patch: Partial<Conversation>, text: string): Promise<void> {
    const { store, api } = this.desk
    store.do(...ids.map((id) => ({ do: 'overlay' as const, id, patch })), { do: 'pick', ids, on: false })
    try {
      const { items } = await api.post<{ items: { id: string; event?: Event; error?: { detail: string } }[] }>('/v1/conversations/batch', { ids, ...act })
      for (const d of items) {
        if (d.error) store.do({ do: 'trouble', id: d.id, trouble: { text: d.error.detail } })
        if (d.event) store.do({ do: 'event', event: d.event })
        this.desk.again(d.id)
      }
      this.offer(text, items.map((d) => [d.id, d.event ?? null]))
    } catch (err) {
      this.world.toasts.bad(err)
    } finally {
      store.do(...ids.map((id) => ({ do: 'overlay' as const, id, patch: null })))
    }
  }
}
