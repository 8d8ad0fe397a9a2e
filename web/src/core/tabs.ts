import type { Keep } from './keep'

const place = 'dragoman.tabs'
const counts = 90_000 // how long a tab counts that says nothing more

// deskTabs are the tabs of this browser in which a desk is open: when each said so last.
export function deskTabs(keep: Keep, now = Date.now()): Record<string, number> {
  try {
    const all = JSON.parse(keep.get(place) ?? '{}') as Record<string, number>
    return Object.fromEntries(Object.entries(all).filter(([, at]) => now - at < counts))
  } catch {
    return {}
  }
}

export function setDeskTabs(keep: Keep, tabs: Record<string, number>): void {
  keep.set(place, JSON.stringify(tabs))
}
