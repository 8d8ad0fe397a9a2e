import type { DeskState } from './state'
import type { Conversation } from './types'

export type ViewName = 'mine' | 'waiting' | 'snoozed' | 'all'
export type Sort = 'updated' | 'waiting' | 'due'

export interface View {
  name: ViewName
  sort: Sort
  queue: string
  channel: string
  state: string
  tag: string
}

export const viewNames: ViewName[] = ['mine', 'waiting', 'snoozed', 'all']

// readView reads the view that stands in the address.
export function readView(q: URLSearchParams): View {
  const name = q.get('view') as ViewName
  const sort = q.get('sort') as Sort
  return {
    name: viewNames.includes(name) ? name : 'mine',
    sort: ['waiting', 'due'].includes(sort) ? sort : 'updated',
    queue: q.get('queue') ?? '',
    channel: q.get('channel') ?? '',
    state: q.get('state') ?? '',
    tag: q.get('tag') ?? '',
  }
}

// writeView is the query of a view, without what is as usual.
export function writeView(v: View): string {
  const q = new URLSearchParams()
  if (v.name !== 'mine') q.set('view', v.name)
  if (v.sort !== 'updated') q.set('sort', v.sort)
  for (const k of ['queue', 'channel', 'state', 'tag'] as const) if (v[k]) q.set(k, v[k])
  const s = q.toString()
  return s && '?' + s
}

// asks is what the server is asked for a view.
export function asks(v: View, me: string): Record<string, string | undefined> {
  const more = { queue: v.queue, channel: v.channel, tag: v.tag, ...(v.sort === 'updated' ? {} : { sort: v.sort }) }
  switch (v.name) {
    case 'mine':
    case 'snoozed':
      return { ...more, state: 'assigned', assignee: me }
    case 'waiting':
      return { ...more, state: 'queued' }
    case 'all':
      return { ...more, state: v.state }
  }
}

function belongs(c: Conversation, v: View, me: string): boolean {
  if (v.queue && c.queue !== v.queue) return false
  if (v.channel && c.channel !== v.channel) return false
  if (v.tag && !c.tags?.includes(v.tag)) return false
  switch (v.name) {
    case 'mine':
      return c.state === 'assigned' && c.assignee === me && !c.snoozed
    case 'snoozed':
      return c.state === 'assigned' && c.assignee === me && c.snoozed === true
    case 'waiting':
      return c.state === 'queued'
    case 'all':
      return !v.state || c.state === v.state
  }
}

const far = '9999'
const orders: Record<Sort, (a: Conversation, b: Conversation) => number> = {
  updated: (a, b) => cmp(b.updated_at, a.updated_at),
  waiting: (a, b) => cmp(a.waiting_since ?? far, b.waiting_since ?? far) || cmp(b.updated_at, a.updated_at),
  due: (a, b) => cmp(a.due_at ?? far, b.due_at ?? far) || cmp(b.updated_at, a.updated_at),
}

const cmp = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

// listed is the view's conversations in order, those with a higher priority first.
export function listed(s: Source, v: View): Conversation[] {
  const out: Conversation[] = []
  for (const c of all(s)) if (belongs(c, v, s.me.id)) out.push(c)
  return out.sort(orderOf(v))
}

type Source = Pick<DeskState, 'conversations' | 'overlays' | 'me'>

function orderOf(v: View): (a: Conversation, b: Conversation) => number {
  const order = orders[v.sort]
  return (a, b) => (v.sort === 'updated' ? 0 : (b.priority ?? 0) - (a.priority ?? 0)) || order(a, b) || cmp(a.id, b.id)
}

// List keeps what is listed in order while single conversations change, which they do many times a second: a list that stays as it is
// stays the same one.
export class List {
  private was: { source: Source; view: View; list: Conversation[] } | undefined

  of(source: Source, view: View): Conversation[] {
    const { was } = this
    if (was?.view === view && was.source.conversations === source.conversations && was.source.overlays === source.overlays) return was.list
    const changed = was?.view === view ? changes(was.source, source) : null
    const list = changed ? moved(was!.list, changed, source, view) : listed(source, view)
    this.was = { source, view, list }
    return list
  }
}

// changes are the conversations that are new or other ones; null when some are gone, or so many that it does not matter.
function changes(was: Source, now: Source): Map<string, Conversation> | null {
  const changed = new Map<string, Conversation>()
  let fresh = 0
  if (was.conversations !== now.conversations)
    for (const [id, c] of now.conversations) {
      const before = was.conversations.get(id)
      if (before === c) continue
      if (!before) fresh++
      if (changed.set(id, c).size > 100) return null
    }
  if (was.overlays !== now.overlays)
    for (const id of [...was.overlays.keys(), ...now.overlays.keys()]) {
      const c = now.conversations.get(id)
      if (c && was.overlays.get(id) !== now.overlays.get(id)) changed.set(id, c)
    }
  return now.conversations.size === was.conversations.size + fresh ? changed : null
}

// moved takes what has changed out of a list and puts it where it belongs now.
function moved(list: Conversation[], changed: Map<string, Conversation>, s: Source, v: View): Conversation[] {
  const order = orderOf(v)
  const into = [...changed].map(([id, c]) => overlaid(s, id, c)).filter((c) => belongs(c, v, s.me.id)).sort(order)
  const left = list.filter((c) => !changed.has(c.id))
  if (!into.length && left.length === list.length) return list
  const out: Conversation[] = []
  for (const c of left) {
    while (into.length && order(into[0]!, c) < 0) out.push(into.shift()!)
    out.push(c)
  }
  return out.concat(into)
}

// overlaid is a conversation with what was done here and is not confirmed yet.
function overlaid(s: Pick<DeskState, 'overlays'>, id: string, c: Conversation): Conversation {
  const o = s.overlays.size ? s.overlays.get(id) : undefined
  return o ? { ...c, ...o } : c
}

function* all(s: Pick<DeskState, 'conversations' | 'overlays'>): Iterable<Conversation> {
  for (const [id, c] of s.conversations) yield overlaid(s, id, c)
}

interface Counts {
  unread: number
  waiting: number
  snoozed: number
}

let counted: { of: Source; counts: Counts } | undefined

// counts are what the tabs show: mine that are unread, and how many wait. Several parts ask with every change: they are counted once.
export function counts(s: Source): Counts {
  if (counted?.of.conversations !== s.conversations || counted.of.overlays !== s.overlays || counted.of.me !== s.me) counted = { of: s, counts: count(s) }
  return counted.counts
}

function count(s: Source): Counts {
  let unread = 0
  let waiting = 0
  let snoozed = 0
  for (const c of all(s)) {
    if (c.state === 'queued') waiting++
    if (c.state !== 'assigned' || c.assignee !== s.me.id) continue
    if (c.snoozed) snoozed++
    else if (c.unread > 0) unread++
  }
  return { unread, waiting, snoozed }
}
