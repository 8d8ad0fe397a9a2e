// Place is where the reader is: /desk/c/ID?view=mine#12 has the parts desk, c, ID.
export interface Place {
  path: string
  parts: string[]
  query: URLSearchParams
  hash: string
}

export function placeOf(url: URL | Location): Place {
  const parts = url.pathname.split('/').filter(Boolean).map(decode)
  return { path: url.pathname, parts, query: new URLSearchParams(url.search), hash: url.hash.slice(1) }
}

function decode(s: string): string {
  try {
    return decodeURIComponent(s)
  } catch {
    return s
  }
}

// Router follows the address: links of ours do not load the page anew, back and forward work.
export class Router {
  private listeners = new Set<() => void>()
  readonly holds = new Set<() => boolean>() // what may be lost here asks, and answers whether to go on
  place: Place

  constructor(private readonly w: Window = window) {
    this.place = placeOf(w.location)
    w.addEventListener('popstate', this.changed)
    w.document.addEventListener('click', this.click)
  }

  // go opens an address of ours; replace leaves no trace in the history.
  go(to: string, replace = false): void {
    if (to === this.w.location.pathname + this.w.location.search + this.w.location.hash) return
    this.w.history[replace ? 'replaceState' : 'pushState'](null, '', to)
    this.changed()
  }

  // mayLeave asks before something is done that nobody can come back from, such as signing out.
  mayLeave(): boolean {
    return [...this.holds].every((ask) => ask())
  }

  on(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  private changed = (): void => {
    this.place = placeOf(this.w.location)
    for (const l of [...this.listeners]) l()
  }

  private click = (e: MouseEvent): void => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return
    const a = (e.target as Element | null)?.closest?.('a')
    if (!a || a.target || a.hasAttribute('download') || a.origin !== this.w.location.origin || !isPage(a.pathname)) return
    e.preventDefault()
    this.go(a.pathname + a.search + a.hash)
  }
}

const pages = new Set(['', 'sign-in', 'welcome', 'desk', 'admin', 'wall', 'playground'])

// isPage tells our pages from what the server answers itself (/docs, /openapi.json, files). /try loads as a page of its own.
export function isPage(path: string): boolean {
  return pages.has(path.split('/')[1] ?? '')
}
