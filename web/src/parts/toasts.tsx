import { useLayoutEffect, useState } from 'preact/hooks'
import { Button } from './controls'
import { useT, useWorld } from './world'

export interface Toast {
  id: number
  text: string
  bad?: boolean
  act?: { title: string; run(): void } // Undo, Retry
}

// Toasts are short words that go away by themselves. What can be undone says so for ten seconds.
export class Toasts {
  list: Toast[] = []
  private next = 1
  private listeners = new Set<() => void>()

  constructor(private readonly stay = 10_000) {}

  show(text: string, o: Omit<Toast, 'id' | 'text'> = {}): () => void {
    const toast = { id: this.next++, text, ...o }
    this.set([...this.list.slice(-2), toast])
    const timer = setTimeout(() => this.drop(toast.id), o.act || o.bad ? this.stay : this.stay / 2)
    return () => {
      clearTimeout(timer)
      this.drop(toast.id)
    }
  }

  bad(err: unknown): void {
    this.show(err instanceof Error ? err.message : String(err), { bad: true })
  }

  drop(id: number): void {
    this.set(this.list.filter((t) => t.id !== id))
  }

  on(l: () => void): () => void {
    this.listeners.add(l)
    return () => this.listeners.delete(l)
  }

  private set(list: Toast[]): void {
    this.list = list
    for (const l of [...this.listeners]) l()
  }
}

// ToastArea is the one polite region of the app.
export function ToastArea() {
  const { toasts } = useWorld()
  const t = useT()
  const [list, set] = useState(toasts.list)
  useLayoutEffect(() => toasts.on(() => set(toasts.list)), [toasts])
  return (
    <div class="toasts" role="status" aria-live="polite">
      {list.map((x) => (
        <div key={x.id} class={'toast' + (x.bad ? ' bad' : '')}>
          <span class="grow">{x.text}</span>
          {x.act && (
            <Button tight onClick={() => (toasts.drop(x.id), x.act!.run())}>
              {x.act.title}
            </Button>
          )}
          <Button tight plain icon="close" title={t('close')} onClick={() => toasts.drop(x.id)} />
        </div>
      ))}
    </div>
  )
}
