// Binding is a command that a key can run.
export interface Binding {
  id: string
  keys: string // as defaults: 'j', 'Shift+R', 'Mod+K', 'g i' is no chord we offer
  title: string
  group?: string
  run(e?: KeyboardEvent): void
  when?: () => boolean
  anywhere?: boolean // also while somebody writes in a field
}

export interface KeySettings {
  single: boolean // keys without Ctrl, Alt or Meta (WCAG 2.1.4: they can be switched off)
  own: Record<string, string> // changed keys by the command's id
}

// nameOf writes a key press as bindings do.
export function nameOf(e: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>): string {
  const mod = e.ctrlKey || e.metaKey ? 'Mod+' : ''
  const alt = e.altKey ? 'Alt+' : ''
  const letter = e.key.length === 1
  const shift = e.shiftKey && (!letter || /\p{L}/u.test(e.key)) ? 'Shift+' : ''
  return mod + alt + shift + (letter ? (/\p{L}/u.test(e.key) ? e.key.toLocaleUpperCase() : e.key === ' ' ? 'Space' : e.key) : e.key)
}

const fold = (keys: string) => keys.split('+').map((k) => (k.length === 1 ? k.toLocaleUpperCase() : k)).join('+')

// isSingle tells a binding without Ctrl, Alt or Meta, which acts on a plain letter or mark.
export function isSingle(keys: string): boolean {
  if (/^(Mod|Alt)\+/.test(keys)) return false
  const last = keys.replace(/^Shift\+/, '')
  return last.length === 1
}

// writes tells whether somebody writes in the element.
export function writes(el: EventTarget | null): boolean {
  const e = el as HTMLElement | null
  if (!e?.matches) return false
  return e.isContentEditable || e.matches('textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=range])')
}

// Keys runs commands by keys. The newest binding of a key wins.
export class Keys {
  private bindings: Binding[] = []
  private listeners = new Set<() => void>()
  settings: KeySettings = { single: true, own: {} }

  add(...list: Binding[]): () => void {
    this.bindings = [...this.bindings, ...list]
    this.changed()
    return () => {
      this.bindings = this.bindings.filter((b) => !list.includes(b))
      this.changed()
    }
  }

  on(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  set(settings: KeySettings): void {
    this.settings = settings
    this.changed()
  }

  private changed(): void {
    for (const l of [...this.listeners]) l()
  }

  get list(): readonly Binding[] {
    return this.bindings
  }

  // keysOf is the key that runs a command now; '' when it has none.
  keysOf(b: Binding): string {
    const keys = this.settings.own[b.id] ?? b.keys
    return !this.settings.single && isSingle(keys) ? '' : keys
  }

  // bound is the command that a key press would run now.
  bound(e: KeyboardEvent): Binding | undefined {
    if (e.isComposing || e.defaultPrevented) return undefined
    const name = fold(nameOf(e))
    const writing = writes(e.target)
    return [...this.bindings].reverse().find((b) => {
      const keys = this.keysOf(b)
      return keys && fold(keys) === name && (!writing || b.anywhere) && (b.when?.() ?? true)
    })
  }

  // press runs what is bound to a key; answers whether it did.
  press(e: KeyboardEvent): boolean {
    const b = this.bound(e)
    if (!b) return false
    e.preventDefault()
    b.run(e)
    return true
  }
}
