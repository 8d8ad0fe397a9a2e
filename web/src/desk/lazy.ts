import { useEffect, useState } from 'preact/hooks'
import type { I18n } from '../core/i18n'
import { useWorld } from '../parts/world'

type More = typeof import('./more')

let loaded: More | undefined

// loadMore reads the chunk and its texts, once.
export async function loadMore(i18n: I18n): Promise<More> {
  const m = await import('./more')
  await i18n.add(m.catalogues)
  return (loaded = m)
}

// useMore gives what is not loaded with the desk, as soon as it is there. failed runs when it cannot be had.
export function useMore(failed: () => void): More | undefined {
  const { i18n, toasts } = useWorld()
  const [more, set] = useState(loaded)
  useEffect(() => {
    let here = true
    if (!more)
      loadMore(i18n).then(
        (m) => here && set(m),
        (err: unknown) => {
          if (!here) return
          toasts.bad(err)
          failed()
        },
      )
    return () => void (here = false)
  }, [])
  return more
}
