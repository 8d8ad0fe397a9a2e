// Keep is a place where something outlives the tab. A browser that forbids it costs only that.
export interface Keep {
  get(key: string): string | null
  set(key: string, value: string | null): void
  keys(): string[]
}

export function browserKeep(storage: () => Storage = () => localStorage): Keep {
  const guard = <T>(f: (s: Storage) => T, otherwise: T): T => {
    try {
      return f(storage())
    } catch {
      return otherwise
    }
  }
  return {
    get: (k) => guard((s) => s.getItem(k), null),
    set: (k, v) => guard((s) => (v === null ? s.removeItem(k) : s.setItem(k, v)), undefined),
    keys: () => guard((s) => Object.keys(s), []),
  }
}

export function memoryKeep(): Keep {
  const m = new Map<string, string>()
  return { get: (k) => m.get(k) ?? null, set: (k, v) => void (v === null ? m.delete(k) : m.set(k, v)), keys: () => [...m.keys()] }
}
