import { useEffect, useState } from 'preact/hooks'
import type { Line } from '../core/sse'
import { useNow, useT, useWorld } from './world'

// LineState says how the live line stands: live, reconnecting since when, offline with how many waiting.
export function LineState({ line, waiting = 0 }: { line: Line; waiting?: number }) {
  const t = useT()
  const { i18n } = useWorld()
  const now = useNow(5000)
  const [net, set] = useState(navigator.onLine)
  useEffect(() => {
    const look = () => set(navigator.onLine)
    addEventListener('online', look)
    addEventListener('offline', look)
    return () => (removeEventListener('online', look), removeEventListener('offline', look))
  }, [])
  const state = net ? line.state : 'offline'
  const since = i18n.span(now.getTime() - line.since)
  const words = state === 'live' ? t('line_live') : t(state === 'offline' ? 'line_offline' : 'line_connecting', { since })
  return (
    <span class={'line-state ' + state} data-line={state}>
      <span class="line-dot" aria-hidden="true" />
      {words}
      {waiting > 0 && <> · {t('line_waiting', { n: waiting })}</>}
    </span>
  )
}
