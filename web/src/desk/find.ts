import type { List } from '../core/api'
import type { Desk } from './desk'
import type { Conversation } from './types'

// Findings are what a search found; behind: the newest messages are found only a moment later.
export interface Findings {
  conversations: string[]
  messages: Hit[]
  behind: boolean
}

// Hit is a message that was found.
export interface Hit {
  conversation: string
  seq: number
  kind: string
  at: string
  excerpt: string
  contact: { id: string; name: string }
}

// find finds people and words: conversations by name or newest words, and messages by what they say.
export async function find(desk: Desk, q: string, signal: AbortSignal): Promise<Findings> {
  const [list, found] = await Promise.all([
    desk.api.get<List<Conversation>>('/v1/conversations', { q, limit: 30 }, signal),
    desk.api.get<{ people: { conversation?: string }[]; messages: Hit[]; behind?: boolean }>('/v1/search', { q, limit: 30 }, signal),
  ])
  desk.listed(list.items)
  const others = found.people.flatMap((p) => p.conversation ?? []).filter((id) => !desk.state.conversations.has(id))
  await Promise.all(others.slice(0, 10).map((id) => desk.read(id)))
  const ids = [...list.items.map((c) => c.id), ...found.people.flatMap((p) => p.conversation ?? [])]
  return { conversations: [...new Set(ids)], messages: found.messages, behind: found.behind ?? false }
}
