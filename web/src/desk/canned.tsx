import type { ComponentChildren, RefObject } from 'preact'
import { useEffect, useId, useState } from 'preact/hooks'
import type { List } from '../core/api'
import { Badge } from '../parts/controls'
import { useT, useWorld } from '../parts/world'
import type { Canned } from './types'

// slash finds a slash word that the caret is behind: its beginning and what was typed after it.
export function slash(text: string, caret: number): { from: number; q: string } | null {
  const m = /(?:^|\s)\/([^\s/]{0,40})$/.exec(text.slice(0, caret))
  return m ? { from: caret - m[1]!.length - 1, q: m[1]! } : null
}

// useCanned offers canned replies, filled in for the contact, behind a slash: two key strokes put one in.
export function useCanned(id: string, field: RefObject<HTMLTextAreaElement | null>, text: string, change: (s: string) => void, on: boolean) {
  const t = useT()
  const { api } = useWorld()
  const [at, set] = useState<{ from: number; q: string } | null>(null)
  const [found, setFound] = useState<Canned[]>([])
  const [index, move] = useState(0)
  const listID = useId()
  const q = at?.q
  useEffect(() => {
    if (q === undefined || !on) return
    const stop = new AbortController()
    api.get<List<Canned>>(`/v1/conversations/${id}/replies`, { q, limit: 8 }, stop.signal).then(
      (l) => {
        setFound(l.items)
        move(0)
      },
      () => {},
    )
    return () => stop.abort()
  }, [q, on, id])
  const look = () => {
    const el = field.current
    const now = on && el ? slash(el.value, el.selectionStart) : null
    if (now?.from !== at?.from || now?.q !== at?.q) set(now)
  }
  const put = (c: Canned) => {
    const el = field.current!
    const from = at!.from
    const end = from + at!.q.length + 1
    change(text.slice(0, from) + c.text + text.slice(end))
    set(null)
    const hole = c.text.search(/\{\{/)
    // after the new text is in the field
    requestAnimationFrame(() => {
      el.focus()
      if (hole >= 0) el.setSelectionRange(from + hole, from + hole + (/^\{\{[^}]*\}\}/.exec(c.text.slice(hole))?.[0].length ?? 0))
      else el.setSelectionRange(from + c.text.length, from + c.text.length)
    })
  }
  const shown = on && at !== null
  const key = (e: KeyboardEvent): boolean => {
    if (!shown) return false
    if (e.key === 'Escape') set(null)
    else if (!found.length) return false
    else if (e.key === 'ArrowDown') move((index + 1) % found.length)
    else if (e.key === 'ArrowUp') move((index - 1 + found.length) % found.length)
    else if (e.key === 'Enter' || e.key === 'Tab') put(found[index]!)
    else return false
    e.preventDefault()
    e.stopPropagation()
    return true
  }
  const list: ComponentChildren = shown && (
    <div class="canned">
      <ul id={listID} role="listbox" aria-label={t('desk_canned')}>
        {found.map((c, i) => (
          <li key={c.name} id={listID + i} role="option" class="option" aria-selected={i === index} onPointerMove={() => move(i)} onPointerDown={(e) => (e.preventDefault(), put(c))}>
            <span class="canned-name">/{c.shortcut}</span>
            <span class="grow cut soft">{c.title || c.text}</span>
            {c.missing.length > 0 && <Badge kind="warn">{t('desk_missing', { what: c.missing.join(', ') })}</Badge>}
          </li>
        ))}
      </ul>
      {!found.length && <p class="soft small canned-none">{t('desk_no_canned')}</p>}
    </div>
  )
  const attributes = shown
    ? { 'aria-haspopup': 'listbox' as const, 'aria-controls': listID, 'aria-autocomplete': 'list' as const, 'aria-activedescendant': found[index] ? listID + index : undefined }
    : {}
  const open = () => {
    const el = field.current!
    const before = text && !/\s$/.test(text) ? text + ' /' : text + '/'
    change(before)
    requestAnimationFrame(() => {
      el.focus()
      el.setSelectionRange(before.length, before.length)
      look()
    })
  }
  return { key, look, list, attributes, open }
}
