import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Icon, type IconName } from './icon'
import { useT } from './world'

export interface Choice {
  id: string
  title: string
  words?: string // what else finds it
  hint?: ComponentChildren
  icon?: IconName
  disabled?: string // why not
}

// matches finds all typed words, in any order, folded.
export function matches(c: Choice, typed: string): boolean {
  const hay = fold(c.title + ' ' + (c.words ?? ''))
  return fold(typed).split(/\s+/).every((w) => hay.includes(w))
}

const fold = (s: string) => s.normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase()

interface PickProps {
  label: string
  choices: Choice[]
  onPick(c: Choice): void
  onText?(typed: string): void // the caller searches; nothing is filtered here
  placeholder?: string
  empty?: string
  at?: string // the id that is chosen now
}

const few = 24 // rows are seen at most

// Pick is a text field with a list below that it filters (WAI-ARIA combobox): the palette, transfer, tags. Of a long list only the rows
// are mounted to which somebody has come.
export function Pick({ label, choices, onPick, onText, placeholder, empty, at }: PickProps) {
  const t = useT()
  const [typed, type] = useState('')
  const [index, move] = useState(Math.max(0, choices.findIndex((c) => c.id === at)))
  const id = useId()
  const list = useRef<HTMLUListElement>(null)
  const field = useRef<HTMLInputElement>(null)
  // a dialog gives the focus to what is there when it opens; this may come later
  useLayoutEffect(() => field.current!.focus(), [])
  const shown = onText ? choices : choices.filter((c) => matches(c, typed))
  const now = Math.min(index, shown.length - 1)
  const [room, widen] = useState(few)
  const rows = shown.slice(0, Math.max(room, now + 2))
  useLayoutEffect(() => list.current?.children[now]?.scrollIntoView({ block: 'nearest' }), [now, typed])
  const pick = (c: Choice | undefined) => c && !c.disabled && onPick(c)
  const key = (e: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key]
    if (step) move((now + step + shown.length) % Math.max(1, shown.length))
    else if (e.key === 'Enter' && !e.isComposing) pick(shown[now])
    else return
    e.preventDefault()
  }
  return (
    <div class="pick" onKeyDown={key}>
      <input
        ref={field}
        class="input"
        role="combobox"
        aria-label={label}
        aria-expanded="true"
        aria-controls={id}
        aria-autocomplete="list"
        aria-activedescendant={shown[now] ? id + now : undefined}
        placeholder={placeholder ?? label}
        value={typed}
        autoFocus
        autocomplete="off"
        spellcheck={false}
        onInput={(e) => {
          type(e.currentTarget.value)
          move(0)
          onText?.(e.currentTarget.value)
        }}
      />
      <ul
        ref={list}
        class="pick-list"
        id={id}
        role="listbox"
        aria-label={label}
        onScroll={({ currentTarget: el }) => el.scrollTop + 2 * el.clientHeight > el.scrollHeight && rows.length < shown.length && widen(rows.length + few)}
      >
        {rows.map((c, i) => (
          <li
            key={c.id}
            id={id + i}
            class="option"
            role="option"
            aria-selected={i === now}
            aria-setsize={shown.length}
            aria-posinset={i + 1}
            aria-disabled={c.disabled ? true : undefined}
            onPointerMove={() => move(i)}
            onClick={() => pick(c)}
          >
            {c.icon && <Icon name={c.icon} />}
            <span class="grow cut">{c.title}</span>
            {c.disabled ? <span class="soft small">{c.disabled}</span> : c.hint}
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p class="soft pick-none">{empty ?? t('nothing_found')}</p>}
    </div>
  )
}
