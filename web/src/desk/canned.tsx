import type { RefObject } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { List } from '../core/api'
import { Badge } from '../parts/controls'
import { useT, useWorld } from '../parts/world'
import { begin, useSuggest, write, type Behind } from './suggest'
import type { Canned } from './types'

// slash finds a slash word that the caret is behind.
export function slash(text: string, caret: number): Behind | null {
  const m = /(?:^|\s)\/([^\s/]{0,40})$/.exec(text.slice(0, caret))
  return m ? { from: caret - m[1]!.length - 1, q: m[1]! } : null
}

// useCanned offers canned replies, filled in for the contact, behind a slash: two key strokes put one in.
export function useCanned(id: string, field: RefObject<HTMLTextAreaElement | null>, text: string, change: (s: string) => void, on: boolean) {
  const t = useT()
  const { api } = useWorld()
  const [found, set] = useState<{ q?: string; list: Canned[] }>({ list: [] })
  const put = (c: Canned, { from, q }: Behind) => {
    const next = text.slice(0, from) + c.text + text.slice(from + q.length + 1)
    const hole = /\{\{[^}]*(\}\})?/.exec(c.text)
    const at = from + (hole?.index ?? c.text.length)
    write(field.current!, next, at, at + (hole?.[1] ? hole[0].length : 0))
    change(next)
  }
  // until the hub has answered, what is there of the answer before: never one that no longer fits
  const items = ({ q }: Behind) => (found.q === q ? found.list : found.list.filter((c) => c.shortcut.toLowerCase().startsWith(q.toLowerCase())))
  const busy = ({ q }: Behind) => found.q !== q
  const suggest = useSuggest<Canned>({
    field, on, find: slash, items, busy, idOf: (c) => c.name, put, label: t('desk_canned'), none: t('desk_no_canned'),
    row: (c) => (
      <>
        <span class="canned-name">/{c.shortcut}</span>
        <span class="grow cut soft">{c.title || c.text}</span>
        {c.missing.length > 0 && <Badge kind="warn">{t('desk_missing', { what: c.missing.join(', ') })}</Badge>}
      </>
    ),
  })
  const q = suggest.at?.q
  useEffect(() => {
    if (q === undefined) return
    const stop = new AbortController()
    api.get<List<Canned>>(`/v1/conversations/${id}/replies`, { q, limit: 8 }, stop.signal).then((l) => set({ q, list: l.items }), () => !stop.signal.aborted && set({ q, list: [] }))
    return () => stop.abort()
  }, [q, id])
  return { ...suggest, open: () => begin(field.current!, '/', text, change, suggest.look) }
}
