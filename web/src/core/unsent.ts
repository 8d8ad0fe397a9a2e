import { Drafts, draftsOf } from './drafts'
import type { Keep } from './keep'
import { outboxOf } from './outbox'

// unsent counts what a user has written in this browser and nobody has got yet.
export function unsent(keep: Keep, user: string): { drafts: number; waiting: number } {
  let waiting = 0
  try {
    const all: unknown = JSON.parse(keep.get(outboxOf(user)) ?? '[]')
    waiting = Array.isArray(all) ? all.length : 0
  } catch {
    // what cannot be read is not sent either
  }
  return { drafts: new Drafts(keep, user).ids().size, waiting }
}

// forget leaves nothing of it behind.
export function forget(keep: Keep, user: string): void {
  for (const k of keep.keys()) if (k === outboxOf(user) || k.startsWith(draftsOf(user))) keep.set(k, null)
}
