import type { RefObject } from 'preact'
import { Avatar } from '../parts/controls'
import { matches } from '../parts/pick'
import { useT } from '../parts/world'
import { useDesk } from './context'
import type { DeskState } from './state'
import { begin, useSuggest, write, type Behind } from './suggest'
import type { Conversation } from './types'

export interface Mention {
  id: string
  name: string
}

// colleagues are those who are known to see a conversation, but for oneself: who looks at it now, who has it, who is in its queue, and
// who see all of them.
export function colleagues(c: Conversation, s: Pick<DeskState, 'agents' | 'queues' | 'teams' | 'overseers' | 'presence' | 'me'>): Mention[] {
  const here = (s.presence.get(c.id) ?? []).map((p): Mention => ({ id: p.user, name: p.name }))
  const members = s.queues.find((q) => q.name === c.queue)?.members ?? []
  const ids = new Set([c.assignee, ...members.flatMap((m) => (m.startsWith('team:') ? (s.teams.find((t) => 'team:' + t.name === m)?.members ?? []) : m))])
  const agents = s.agents.filter((a) => ids.has(a.id)).sort((a, b) => Number(b.available) - Number(a.available) || a.name.localeCompare(b.name))
  const all = new Map([...here, ...agents, ...s.overseers].filter((x) => x.name).map((x) => [x.id, { id: x.id, name: x.name }]))
  all.delete(s.me.id)
  return [...all.values()]
}

// at finds a name that is being written behind an @; it may have several words. One that was put in already is written to its end.
export function at(text: string, caret: number, done: readonly Mention[]): Behind | null {
  const m = /(?:^|[\s(])@([^\s@][^@\n]{0,60})?$/.exec(text.slice(0, caret))
  if (!m) return null
  const q = m[1] ?? ''
  return done.some((x) => q.startsWith(x.name)) ? null : { from: caret - q.length - 1, q }
}

// left are those whose names still stand in a text.
export function left(text: string, mentions: readonly Mention[] = []): Mention[] {
  return mentions.filter((m) => text.includes('@' + m.name))
}

// useMentions offers colleagues behind an @ in a note.
export function useMentions(c: Conversation, field: RefObject<HTMLTextAreaElement | null>, text: string, change: (s: string, m?: Mention) => void, done: readonly Mention[], on: boolean) {
  const t = useT()
  const { desk } = useDesk()
  const put = (m: Mention, { from, q }: Behind) => {
    const words = `@${m.name} `
    const next = text.slice(0, from) + words + text.slice(from + q.length + 1).replace(/^ /, '')
    write(field.current!, next, from + words.length)
    change(next, m)
  }
  const suggest = useSuggest<Mention>({
    field, on, put,
    find: (words, caret) => at(words, caret, done),
    items: ({ q }) => colleagues(c, desk.state).filter((m) => matches({ id: m.id, title: m.name }, q)).slice(0, 8),
    idOf: (m) => m.id,
    label: t('desk_mention'),
    row: (m) => (
      <>
        <Avatar name={m.name} small />
        <span class="grow cut">{m.name}</span>
      </>
    ),
  })
  return { ...suggest, open: () => begin(field.current!, '@', text, change, suggest.look) }
}
