import { options } from 'preact'
import { useLayoutEffect, useReducer } from 'preact/hooks'
import type { Keys } from '../core/keys'
import { useDesk, useHere } from './context'

// How soon a step must follow another one to be one of many, in milliseconds. Keys that are held down repeat every 30 or so.
const pace = 120

// Walk is the way through the list by keys. A step opens a conversation at once. As long as more of them follow quickly, only the mark
// in the list moves; where it has come to is opened when the hand rests, and in any case before anything else is done.
export class Walk {
  mark = '' // the conversation that will be opened; '' is none
  private last = -pace
  private timer: ReturnType<typeof setTimeout> | undefined
  private listeners = new Set<() => void>()

  constructor(private readonly show: (id: string) => void) {}

  // to takes a step. at is when its key was pressed, in milliseconds: a busy page hears of it later.
  to(id: string, at = performance.now()): void {
    const quick = at - this.last < pace
    this.last = at
    if (!quick || !this.seen()) {
      this.stop()
      return this.show(id)
    }
    this.set(id)
    this.timer = setTimeout(() => this.arrive(), pace)
  }

  // seen tells whether there is a list in sight that shows the mark.
  private seen(): boolean {
    return this.listeners.size > 0 && !matchMedia('(max-width: 760px)').matches
  }

  // arrive opens what is marked.
  arrive(): void {
    if (this.mark) this.show(this.mark)
    this.stop()
  }

  // stop forgets the mark: something else was opened.
  stop(): void {
    this.set('')
  }

  private set(mark: string): void {
    clearTimeout(this.timer)
    if (mark === this.mark) return
    this.mark = mark
    for (const l of [...this.listeners]) l()
  }

  on(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  // watch arrives before any other key, or a pointer, does something: it is meant for the conversation that is marked.
  watch(keys: Keys): () => void {
    const look = (e: Event) => {
      if (!this.mark || (e instanceof KeyboardEvent && isStep(keys, e))) return
      atOnce(() => this.arrive())
    }
    const kinds = ['keydown', 'pointerdown', 'click']
    for (const k of kinds) addEventListener(k, look, true)
    return () => kinds.forEach((k) => removeEventListener(k, look, true))
  }
}

const isStep = (keys: Keys, e: KeyboardEvent): boolean => ['next', 'previous'].includes(keys.bound(e)?.id ?? '')

// atOnce renders what an act changes before it returns.
function atOnce(act: () => void): void {
  const { debounceRendering } = options
  options.debounceRendering = (render) => render()
  try {
    act()
  } finally {
    options.debounceRendering = debounceRendering!
  }
}

// useMarked is the conversation that the list marks: the open one, but for quick steps.
export function useMarked(): string {
  const { walk } = useDesk()
  const { id } = useHere()
  const [, again] = useReducer((n: number, _: void) => n + 1, 0)
  useLayoutEffect(() => walk.on(again), [walk])
  return walk.mark || id
}

// useStep leads to the conversation before or after the marked one.
export function useStep(): (by: 1 | -1, at?: number) => void {
  const { desk, walk } = useDesk()
  const { id, view } = useHere()
  return (by, when) => {
    const list = desk.list.of(desk.state, view)
    const at = walk.mark || id
    const i = list.findIndex((c) => c.id === at)
    const next = list[i < 0 ? (by > 0 ? 0 : list.length - 1) : i + by]
    if (next) walk.to(next.id, when)
  }
}
