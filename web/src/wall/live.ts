import { useEffect, useRef, useState } from 'preact/hooks'
import { Burst } from '../core/burst'
import { openFeed, shared } from '../core/feed'
import { bodyOf, type Line } from '../core/sse'
import { useWorld } from '../parts/world'
import type { Live } from './model'

// Heard is an event of the log, as far as it is looked at here.
export interface Heard {
  pos: number
  seq: number
  kind: string
  at: string
  conversation?: string
  direction?: 'in' | 'out'
  sender?: { type: string; id?: string; name?: string }
  message?: { stack: { type: string; payload: Record<string, unknown> }[] }
  data?: unknown
}

// Ear passes on what happens to those who listen.
export class Ear {
  private all = new Set<(e: Heard) => void>()

  on(f: (e: Heard) => void): () => void {
    this.all.add(f)
    return () => this.all.delete(f)
  }

  tell(e: Heard): void {
    for (const f of [...this.all]) f(e)
  }
}

const often = 10_000 // milliseconds between two readings when nothing happens
const soon = 1100 // after something happened: a burst is one reading; the server gives one that is a second old, from before it perhaps

export interface Reading {
  live?: Live
  at: number // when it was read, by this clock
  error?: Error
  line: Line
  ear: Ear
  again(): void
}

// useLive reads how it stands, again whenever something happens, and from time to time. Paused it stays as it is.
export function useLive(paused: boolean): Reading {
  const { api } = useWorld()
  const [state, set] = useState<{ live?: Live; at: number; error?: Error }>({ at: 0 })
  const [line, setLine] = useState<Line>({ state: 'connecting', since: Date.now() })
  const ear = useRef<Ear | null>(null)
  ear.current ??= new Ear()
  const held = useRef(paused)
  held.current = paused
  const read = useRef<() => void>(() => {})
  useEffect(() => {
    let here = true
    let busy = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const go = async () => {
      clearTimeout(timer)
      timer = setTimeout(go, often)
      if (held.current) return
      if (busy) return hurry.tell() // what happened while we read may not be in it
      busy = true
      try {
        const live = await api.get<Live>('/v1/reports/live')
        if (here && !held.current) set({ live, at: Date.now() })
      } catch (error) {
        if (here) set((s) => ({ ...s, error: error as Error }))
      }
      busy = false
    }
    const hurry = new Burst(() => void go(), soon)
    read.current = () => void go()
    const feed = openFeed({
      url: '/v1/events',
      ...shared(),
      onFrame: (f) => {
        const e = bodyOf<Heard>(f)
        if (e) ear.current!.tell({ ...e, kind: e.kind ?? f.kind })
        if (f.id) hurry.tell()
      },
      onLine: (l) => {
        setLine(l)
        if (l.state === 'live') hurry.tell() // what happened just before the line was there may not be in the first reading
      },
      onReset: () => hurry.tell(),
      onSignedOut: () => api.onSignedOut(),
    })
    void go()
    return () => {
      here = false
      clearTimeout(timer)
      hurry.stop()
      feed.stop()
    }
  }, [])
  useEffect(() => {
    if (!paused) read.current()
  }, [paused])
  return { ...state, line, ear: ear.current, again: () => read.current() }
}
