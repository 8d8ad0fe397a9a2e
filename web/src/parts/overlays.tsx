import type { ComponentChildren } from 'preact'
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Button } from './controls'
import { Icon, type IconName } from './icon'
import { useT } from './world'

interface DialogProps {
  title: string
  onClose(): void
  children: ComponentChildren
  wide?: boolean
  bare?: boolean // without a head: the palette
}

// Dialog is modal while it is rendered; Escape closes it and focus goes back to where it was. In a layout effect: after the paint would be
// too late, and the next typed letters would go to the page.
export function Dialog({ title, onClose, children, wide, bare }: DialogProps) {
  const t = useT()
  const el = useRef<HTMLDialogElement>(null)
  const id = useId()
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null
    const d = el.current!
    d.showModal()
    return () => {
      d.close()
      if (before?.isConnected) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={el}
      class={'dialog' + (wide ? ' wide' : '')}
      {...(bare ? { 'aria-label': title } : { 'aria-labelledby': id })}
      onCancel={(e) => (e.preventDefault(), onClose())}
      onClick={(e) => e.target === el.current && onClose()}
      onKeyDown={(e) => e.stopPropagation()}
    >
      {!bare && (
        <div class="dialog-head">
          <h2 id={id}>{title}</h2>
          <Button plain tight icon="close" title={t('close')} onClick={onClose} />
        </div>
      )}
      <div class={bare ? '' : 'dialog-body'}>{children}</div>
    </dialog>
  )
}

// place puts a floating part beside its anchor, where there is room. The reading direction decides which edges meet.
export function place(float: HTMLElement, anchor: DOMRect, rtl: boolean): void {
  const { offsetWidth: w, offsetHeight: h } = float
  const below = anchor.bottom + 4 + h <= innerHeight || anchor.top < h + 12
  const top = below ? Math.min(anchor.bottom + 4, innerHeight - h - 8) : anchor.top - h - 4
  let left = rtl ? anchor.right - w : anchor.left
  left = Math.max(8, Math.min(left, innerWidth - w - 8))
  float.style.top = `${Math.max(8, top)}px`
  float.style.left = `${left}px`
}

const isRTL = () => document.documentElement.dir === 'rtl'

export interface MenuItem {
  id: string
  title: string
  icon?: IconName
  hint?: string
  bad?: boolean
  disabled?: boolean
  checked?: boolean
  line?: boolean // a line above
  run(): void
}

interface MenuProps {
  title: string
  items: MenuItem[] | (() => MenuItem[]) // a function where there are many menus: it is asked when one opens
  children?: ComponentChildren
  icon?: IconName
  plain?: boolean
  tight?: boolean
  class?: string
}

// Menu is a button that opens a list of commands: arrows, letters, Home, End, Escape.
export function Menu({ title, items, children, icon, plain, tight, class: extra }: MenuProps) {
  const [open, set] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const id = useId()
  return (
    <>
      <Button
        el={button}
        {...(icon ? { icon } : {})}
        {...(children ? {} : { title })}
        plain={plain ?? false}
        tight={tight ?? false}
        class={extra ?? ''}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => set(!open)}
      >
        {children}
      </Button>
      {open && <MenuList id={id} label={title} items={typeof items === 'function' ? items() : items} anchor={button.current!} onClose={() => set(false)} />}
    </>
  )
}

function MenuList({ id, label, items, anchor, onClose }: { id: string; label: string; items: MenuItem[]; anchor: HTMLElement; onClose(): void }) {
  const el = useRef<HTMLDivElement>(null)
  const all = () => [...el.current!.querySelectorAll<HTMLElement>('.option')]
  useLayoutEffect(() => {
    el.current!.showPopover()
    place(el.current!, anchor.getBoundingClientRect(), isRTL())
    all()[0]?.focus()
  }, [])
  useLayoutEffect(() => {
    const outside = (e: Event) => {
      const at = e.target as Node
      if (!el.current?.contains(at) && !anchor.contains(at)) onClose()
    }
    document.addEventListener('pointerdown', outside)
    return () => document.removeEventListener('pointerdown', outside)
  })
  const leave = () => {
    anchor.focus()
    onClose()
  }
  const key = (e: KeyboardEvent) => {
    const list = all()
    const i = list.indexOf(document.activeElement as HTMLElement)
    if (e.key === 'Escape' || e.key === 'Tab') leave()
    else if (e.key === 'ArrowDown') list[(i + 1) % list.length]?.focus()
    else if (e.key === 'ArrowUp') list[(i - 1 + list.length) % list.length]?.focus()
    else if (e.key === 'Home') list[0]?.focus()
    else if (e.key === 'End') list.at(-1)?.focus()
    else if (e.key.length === 1 && e.key !== ' ' && !e.ctrlKey && !e.metaKey) {
      const from = [...list.slice(i + 1), ...list.slice(0, i + 1)]
      from.find((x) => x.textContent!.trim().toLocaleLowerCase().startsWith(e.key.toLocaleLowerCase()))?.focus()
    } else return
    if (e.key !== 'Tab') e.preventDefault()
    e.stopPropagation()
  }
  return (
    <div ref={el} id={id} class="float" popover="manual" role="menu" aria-label={label} onKeyDown={key}>
      {items.map((x) => (
        <>
          {x.line && <hr key={x.id + '-'} />}
          <button
            key={x.id}
            type="button"
            class={'option' + (x.bad ? ' bad' : '')}
            role={x.checked === undefined ? 'menuitem' : 'menuitemradio'}
            aria-checked={x.checked}
            aria-disabled={x.disabled ?? false}
            tabIndex={-1}
            onClick={() => {
              if (x.disabled) return
              leave()
              x.run()
            }}
          >
            {x.icon && <Icon name={x.icon} />}
            <span class="grow">{x.title}</span>
            {x.checked && <Icon name="check" />}
            {x.hint && <kbd>{x.hint}</kbd>}
          </button>
        </>
      ))}
    </div>
  )
}

// Tips says what a button does that has data-tip, on hover and on focus; keys and clicks hide it. There is one for all: pages have hundreds
// of buttons.
export function Tips() {
  const el = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const tip = el.current!
    let at: HTMLElement | null = null
    const turn = (to: HTMLElement | null) => {
      if (to === at) return
      at = to
      tip.hidePopover()
      if (!to) return
      tip.textContent = to.dataset.tip!
      tip.showPopover()
      place(tip, to.getBoundingClientRect(), isRTL())
    }
    const on = (e: Event) => (e.target as Element).closest<HTMLElement>('[data-tip]')
    const hide = () => turn(null)
    const all: [string, (e: Event) => void][] = [
      ['pointerover', (e) => turn(on(e))],
      ['pointerout', (e) => (e as PointerEvent).relatedTarget || hide()],
      ['pointerdown', hide],
      ['click', hide],
      ['keydown', hide],
      ['focusin', (e) => (e.target as Element).matches(':focus-visible') && turn(on(e))],
      ['focusout', hide],
    ]
    for (const [type, hear] of all) document.addEventListener(type, hear, true)
    return () => {
      for (const [type, hear] of all) document.removeEventListener(type, hear, true)
    }
  }, [])
  return <div ref={el} class="tip" popover="manual" aria-hidden="true" />
}
