// What the widget keeps in the browser. One script is one chat, so it stands here once.
import type { Config, Item, Said, State } from './wire'

export interface Kept {
  token?: string
  config?: Config
  pos?: number
  items: Item[] // the newest
  older?: string // where the messages before them begin
  state?: State
  read?: number // my messages before this position were read
}

export let kept: Kept
let store: string
// hears is who wants to know of changes.
export let changed: () => void
export const hears = (f: () => void): unknown => (changed = f)

// Where the page may keep nothing, it lasts as long as the page.
let box: Record<string, string> = {}
try {
  box = localStorage
} catch {
  // not allowed
}

const set = (name: string, v: unknown): void => {
  try {
    box[name] = JSON.stringify(v)
  } catch {
    // no room
  }
  changed()
}

export const load = (channel: string): void => {
  store = 'dragoman.' + channel
  kept = { items: [], ...JSON.parse(box[store] ?? '{}') }
}

export const save = (change?: Partial<Kept>): void => set(store, { ...Object.assign(kept, change), items: kept.items.slice(-50) })

// lose gives up who the visitor is, with all that was kept.
export const lose = (): void => {
  kept = { config: kept.config, items: [] }
  save()
}

// outbox is what was not heard of yet, the oldest first. It is read each time: other tabs write there too.
export const outbox = (change?: (all: Said[]) => Said[]): Said[] => {
  const all: Said[] = JSON.parse(box[store + '.'] ?? '[]')
  if (change) set(store + '.', change(all))
  return all
}
