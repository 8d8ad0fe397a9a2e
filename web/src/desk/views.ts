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
export function listed(s: Pick<DeskState, 'conversations' | 'overlays' | 'me'>, v: View): Conversation[] {
  const out: Conversation[] = []
  for (const c of all(s)) {
    if (belongs(c, v, s.me.id)) out.push(c)
  }
  const order = orders[v.sort]
  return out.sort((a, b) => (v.sort === 'updated' ? 0 : (b.priority ?? 0) - (a.priority ?? 0)) || order(a, b) || cmp(a.id, b.id))
}

// all are the conversations with what was done here and is not confirmed yet.
function* all(s: Pick<DeskState, 'conversations' | 'overlays'>): Iterable<Conversation> {
  for (const [id, c] of s.conversations) {
    const o = s.overlays.size ? s.overlays.get(id) : undefined
    yield o ? { ...c, ...o } : c
  }
}

interface Counts {
  unread: number
  waiting: number
  snoozed: number
}

const counted = new WeakMap<DeskState['conversations'], { overlays: DeskState['overlays']; counts: Counts }>()

// counts are what the tabs show: mine that are unread, and how many wait. Several parts ask with every change: they are counted once.
export function counts(s: DeskState): Counts {
  const was = counted.get(s.conversations)
  if (was?.overlays === s.overlays) return was.counts
  const now = { overlays: s.overlays, counts: count(s) }
  counted.set(s.conversations, now)
  return now.counts
}

function count(s: DeskState): Counts {
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
