import { createContext } from 'preact'
import { useContext, useEffect, useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks'
import type { API } from '../core/api'
import type { I18n } from '../core/i18n'
import type { Keep } from '../core/keep'
import type { Binding, Keys } from '../core/keys'
import type { Place, Router } from '../core/router'
import type { Session } from '../core/session'
import type { Settings } from '../core/settings'
import type { Store } from '../core/store'
import type { Toasts } from './toasts'

// World is what every page has at hand.
export interface World {
  api: API
  i18n: I18n
  router: Router
  keys: Keys
  keep: Keep
  toasts: Toasts
  settings: Settings
  session: Session | null
  change(s: Partial<Settings>): void
  signedIn(s: Session): void
  signOut(): void // asks before it takes away what was not sent
}

export const WorldContext = createContext<World>(null as unknown as World)

export const useWorld = (): World => useContext(WorldContext)
export const useT = () => useContext(WorldContext).i18n.t

// useStore reads a part of a store and renders again when that part changes.
export function useStore<S, A, T>(store: Store<S, A>, pick: (s: S) => T): T {
  const [, again] = useReducer((n: number, _: void) => n + 1, 0)
  const seen = useRef<T>(undefined as T)
  const now = pick(store.state)
  seen.current = now
  const latest = useRef(pick)
  latest.current = pick
  useLayoutEffect(() => {
    const look = () => {
      if (!Object.is(latest.current(store.state), seen.current)) again()
    }
    look() // it may have changed between rendering and listening
    return store.on(look)
  }, [store])
  return now
}

export function usePlace(): Place {
  const { router } = useWorld()
  const [place, set] = useState(router.place)
  useLayoutEffect(() => {
    set(router.place)
    return router.on(() => set(router.place))
  }, [router])
  return place
}

// useKeys binds commands while the part is shown; what they do may change with every rendering. In a layout effect: who sees the part may press.
export function useKeys(bindings: Binding[]): void {
  const { keys } = useWorld()
  const latest = useRef(bindings)
  latest.current = bindings
  const ids = bindings.map((b) => b.id + b.keys + b.title).join()
  useLayoutEffect(
    () =>
      keys.add(
        ...latest.current.map((b, i) => ({
          ...b,
          run: (e?: KeyboardEvent) => latest.current[i]?.run(e),
          when: () => latest.current[i]?.when?.() ?? true,
        })),
      ),
    [keys, ids],
  )
}

// useNow renders again every so often: waiting times, count-downs.
export function useNow(every = 1000): Date {
  const [now, set] = useState(() => new Date())
  useEffect(() => {
    const timer = setInterval(() => set(new Date()), every)
    return () => clearInterval(timer)
  }, [every])
  return now
}

// useLoad reads something and reads it again when deps change; the answer of an earlier read never wins.
export function useLoad<T>(read: (signal: AbortSignal) => Promise<T>, deps: unknown[]): { value?: T; error?: Error; busy: boolean; again(): void } {
  const [state, set] = useState<{ value?: T; error?: Error; busy: boolean }>({ busy: true })
  const [turn, next] = useState(0)
  useEffect(() => {
    const stop = new AbortController()
    set((s) => ({ ...s, busy: true }))
    read(stop.signal).then(
      (value) => stop.signal.aborted || set({ value, busy: false }),
      (error: Error) => stop.signal.aborted || set((s) => ({ ...s, error, busy: false })),
    )
    return () => stop.abort()
  }, [...deps, turn])
  return { ...state, again: () => next((n) => n + 1) }
}
