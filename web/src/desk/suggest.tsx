import type { ComponentChildren, RefObject } from 'preact'
import { useId, useState } from 'preact/hooks'
import { useT } from '../parts/world'

// Behind is a word with a mark in front that the caret is behind: where it begins, and what was typed after the mark.
export interface Behind {
  from: number
  q: string
}

interface SuggestProps<T> {
  field: RefObject<HTMLTextAreaElement | null>
  on: boolean
  find(text: string, caret: number): Behind | null
  items(at: Behind): T[]
  busy?(at: Behind): boolean // more may come
  idOf(item: T): string
  put(item: T, at: Behind): void
  row(item: T): ComponentChildren
  label: string
  none?: string // what stands there when nothing fits; without it there is no list then
}

// useSuggest offers what can be put in behind a mark, while one writes: arrows choose, Enter and Tab put in, Escape closes.
export function useSuggest<T>({ field, on, find, items, busy, idOf, put, row, label, none }: SuggestProps<T>) {
  const t = useT()
  const [at, set] = useState<Behind | null>(null)
  const [index, move] = useState(0)
  const [shut, close] = useState(-1) // the place where Escape has closed it: it stays so while one writes on there
  const id = useId()
  const all = on && at ? items(at) : []
  const shown = on && at !== null && (all.length > 0 || none !== undefined)
  const now = Math.min(index, all.length - 1)
  const look = () => {
    const el = field.current
    const found = on && el ? find(el.value, el.selectionStart) : null
    if (shut >= 0 && found?.from !== shut) close(-1)
    const next = found?.from === shut ? null : found
    if (next?.from === at?.from && next?.q === at?.q) return
    set(next)
    move(0)
  }
  const choose = (item: T) => {
    set(null)
    put(item, at!)
  }
  const key = (e: KeyboardEvent): boolean => {
    if (!shown || e.isComposing) return false
    if (e.key === 'Escape') {
      close(at!.from)
      set(null)
    } else if (!all.length) {
      if ((e.key !== 'Enter' && e.key !== 'Tab') || !busy?.(at!)) return false // else it waits for what will be there in a moment: the mark is not to be sent
    } else if (e.key === 'ArrowDown') move((now + 1) % all.length)
    else if (e.key === 'ArrowUp') move((now - 1 + all.length) % all.length)
    else if (e.key === 'Enter' || e.key === 'Tab') choose(all[now]!)
    else return false
    e.preventDefault()
    e.stopPropagation()
    return true
  }
  const list: ComponentChildren = (
    <>
      <span class="hidden-text" role="status">
        {shown ? `${label}: ${t('desk_found_n', { n: all.length })}` : ''}
      </span>
      {shown && (
        <div class="canned">
          <ul id={id} role="listbox" aria-label={label}>
            {all.map((x, i) => (
              <li key={idOf(x)} id={id + i} role="option" class="option" aria-selected={i === now} onPointerMove={() => move(i)} onPointerDown={(e) => (e.preventDefault(), choose(x))}>
                {row(x)}
              </li>
            ))}
          </ul>
          {!all.length && <p class="soft small canned-none">{none}</p>}
        </div>
      )}
    </>
  )
  const attributes = shown
    ? { 'aria-haspopup': 'listbox' as const, 'aria-controls': id, 'aria-autocomplete': 'list' as const, 'aria-activedescendant': all.length ? id + now : undefined }
    : {}
  return { at: on ? at : null, shown, look, key, list, attributes }
}

// write puts a text into the field and selects in it at once: by the next frame the next letters may have been typed, at the old caret.
export function write(field: HTMLTextAreaElement, text: string, from: number, to = from): void {
  field.value = text
  field.focus()
  field.setSelectionRange(from, to)
}

// begin writes the mark behind the words, as if it had been typed.
export function begin(field: HTMLTextAreaElement, mark: string, text: string, change: (s: string) => void, look: () => void): void {
  const before = text && !/\s$/.test(text) ? `${text} ${mark}` : text + mark
  write(field, before, before.length)
  change(before)
  look()
}
