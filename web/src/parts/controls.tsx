import type { ComponentChildren, JSX, Ref } from 'preact'
import { useId, useRef } from 'preact/hooks'
import { Icon, type IconName } from './icon'

interface ButtonProps {
  children?: ComponentChildren
  icon?: IconName
  turns?: boolean // the icon, in a language that is written from right to left
  title?: string // what a button with only an icon does
  hotkey?: string
  main?: boolean
  bad?: boolean
  plain?: boolean
  tight?: boolean
  disabled?: boolean
  pressed?: boolean
  type?: 'button' | 'submit'
  class?: string
  el?: Ref<HTMLButtonElement>
  onClick?: (e: MouseEvent) => void
  'aria-expanded'?: boolean
  'aria-haspopup'?: 'menu' | 'dialog' | 'listbox'
  'aria-controls'?: string | undefined
}

// Button with only an icon shows its title as a tip.
export function Button({ children, icon, turns, title, hotkey, main, bad, plain, tight, pressed, type, el, class: extra, ...rest }: ButtonProps) {
  const names = ['button', main && 'main', bad && 'bad', plain && 'plain', tight && 'tight', icon && !children && 'icon', extra].filter(Boolean).join(' ')
  return (
    <button
      type={type ?? 'button'}
      class={names}
      ref={el ?? null}
      aria-label={children ? undefined : title}
      aria-pressed={pressed}
      data-tip={title && hotkey ? `${title} (${hotkey})` : title}
      {...rest}
    >
      {icon && <Icon name={icon} turns={turns ?? false} />}
      {children}
    </button>
  )
}

interface FieldProps {
  label: string
  hint?: ComponentChildren
  wrong?: string | undefined
  children?: (a: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: 'true' }) => ComponentChildren
}

// Field is a label with its control, a hint and what is wrong. Without children it is a text input with the given attributes.
export function Field({ label, hint, wrong, children, ...input }: FieldProps & Omit<JSX.IntrinsicElements['input'], 'children' | 'label'>) {
  const id = useId()
  const described = [hint && id + 'h', wrong && id + 'w'].filter(Boolean).join(' ')
  const a = { id, ...(described ? { 'aria-describedby': described } : {}), ...(wrong ? { 'aria-invalid': 'true' as const } : {}) }
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children ? children(a) : <input class="input" {...(input as object)} {...a} />}
      {hint && (
        <span class="hint" id={id + 'h'}>
          {hint}
        </span>
      )}
      {wrong && (
        <span class="wrong" id={id + 'w'}>
          <Icon name="warn" /> {wrong}
        </span>
      )}
    </div>
  )
}

// Check is a checkbox with its label.
export function Check({ label, checked, onChange, disabled }: { label: ComponentChildren; checked: boolean; onChange(on: boolean): void; disabled?: boolean }) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} disabled={disabled ?? false} onChange={(e) => onChange(e.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  )
}

// Badge is a short word or number about something.
export function Badge({ kind, children, title }: { kind?: 'accent' | 'calm' | 'bad' | 'warn' | 'good'; children: ComponentChildren; title?: string }) {
  return (
    <span class={'badge ' + (kind ?? '')} title={title}>
      {children}
    </span>
  )
}

// Avatar shows somebody's initials, always in the same tint.
export function Avatar({ name, small }: { name: string; small?: boolean }) {
  const words = name.trim().split(/\s+/).filter(Boolean)
  const letters = words.length > 1 ? first(words[0]!) + first(words.at(-1)!) : first(words[0] ?? '?')
  let sum = 0
  for (const c of name) sum = (sum * 31 + c.codePointAt(0)!) % 997
  return (
    <span class={`avatar t${sum % 4}${small ? ' small' : ''}`} aria-hidden="true">
      {letters}
    </span>
  )
}

const first = (word: string) => [...word][0]!.toLocaleUpperCase()

// Tabs: arrow keys move and choose (WAI-ARIA). The panel is the caller's: id={'panel-' + name}.
export function Tabs<T extends string>({ tabs, at, onChange, label }: { tabs: { id: T; title: ComponentChildren }[]; at: T; onChange(t: T): void; label: string }) {
  const root = useRef<HTMLDivElement>(null)
  const move = (e: KeyboardEvent) => {
    const i = tabs.findIndex((t) => t.id === at)
    const rtl = getComputedStyle(root.current!).direction === 'rtl'
    const step = { ArrowRight: rtl ? -1 : 1, ArrowLeft: rtl ? 1 : -1, Home: -i, End: tabs.length - 1 - i }[e.key]
    if (step === undefined) return
    e.preventDefault()
    const next = tabs[(i + step + tabs.length) % tabs.length]!
    onChange(next.id)
    root.current!.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus()
  }
  return (
    <div class="tabs" role="tablist" aria-label={label} ref={root} onKeyDown={move}>
      {tabs.map((t) => (
        <button key={t.id} type="button" class="tab" role="tab" data-tab={t.id} aria-selected={t.id === at} tabIndex={t.id === at ? 0 : -1} onClick={() => onChange(t.id)}>
          {t.title}
        </button>
      ))}
    </div>
  )
}

// Empty says that there is nothing, and what one can do about it.
export function Empty({ title, children, picture }: { title: string; children?: ComponentChildren; picture?: ComponentChildren }) {
  return (
    <div class="empty">
      {picture ?? <EmptyPicture />}
      <h2>{title}</h2>
      {children}
    </div>
  )
}

function EmptyPicture() {
  return (
    <svg viewBox="0 0 132 96" aria-hidden="true" fill="none" stroke="var(--edge)" stroke-width="2" stroke-linejoin="round" stroke-linecap="round">
      <path d="M14 16h58a8 8 0 0 1 8 8v22a8 8 0 0 1-8 8H38L24 66V54h-10a8 8 0 0 1-8-8V24a8 8 0 0 1 8-8z" fill="var(--panel)" />
      <path d="M22 30h42M22 40h28" stroke="var(--line)" stroke-width="4" />
      <path d="M92 38h24a8 8 0 0 1 8 8v18a8 8 0 0 1-8 8v10L102 72H76a8 8 0 0 1-8-8" stroke="var(--accent)" />
      <path d="M92 52h18M92 60h10" stroke="var(--accent)" />
    </svg>
  )
}

// Skeleton stands where words will be.
export function Skeleton({ lines = 3 }: { lines?: number }) {
  return (
    <div class="stack" aria-hidden="true">
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} class="skeleton" style={{ width: `${90 - ((i * 23) % 45)}%` }} />
      ))}
    </div>
  )
}
