// Store keeps one immutable state and the function that makes the next one of it. It knows no framework.
export class Store<S, A> {
  private listeners = new Set<() => void>()

  constructor(
    private current: S,
    private readonly reduce: (s: S, a: A) => S,
  ) {}

  get state(): S {
    return this.current
  }

  // do applies actions; listeners hear of them once, and only of a change.
  do(...actions: A[]): void {
    const next = actions.reduce(this.reduce, this.current)
    if (next === this.current) return
    this.current = next
    for (const l of [...this.listeners]) l()
  }

  on(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
}
