import { useEffect, useRef, useState } from 'preact/hooks'
import { openFeed, shared } from '../../core/feed'
import { bodyOf } from '../../core/sse'
import { useWorld } from '../../parts/world'
import type { ChatEvent } from './types'

// useEvents hears what happens while a part is shown; the answer tells whether the line is live.
export function useEvents(hear: (e: ChatEvent) => void): boolean {
  const { api } = useWorld()
  const latest = useRef(hear)
  latest.current = hear
  const [live, set] = useState(false)
  useEffect(() => {
    const feed = openFeed({
      url: '/v1/events',
      ...shared(),
      onFrame: (f) => {
        const e = bodyOf<ChatEvent>(f)
        if (e) latest.current({ ...e, kind: e.kind ?? f.kind })
      },
      onLine: (l) => set(l.state === 'live'),
      onReset: () => {},
      onSignedOut: () => api.onSignedOut(),
    })
    return () => feed.stop()
  }, [])
  return live
}
