import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'

interface WindowListProps<T> {
  items: readonly T[]
  height: number // of one row, in pixels
  keyOf(item: T): string
  row(item: T, index: number): ComponentChildren
  label: string
  at?: number // the row that comes into sight, and stays there
  class?: string
  onEnd?(): void // the end comes near: load more
  over?: number
}

// range is the rows to mount: what is seen and a few around.
export function range(top: number, view: number, height: number, length: number, over: number): [number, number] {
  const from = Math.max(0, Math.floor(top / height) - over)
  return [Math.min(from, length), Math.min(length, Math.ceil((top + view) / height) + over)]
}

// WindowList mounts only the rows that are seen, whatever the list's length.
export function WindowList<T>({ items, height, keyOf, row, label, at, class: extra, onEnd, over = 6 }: WindowListProps<T>) {
  const el = useRef<HTMLDivElement>(null)
  const [[top, view], set] = useState<[number, number]>([0, 800])
  const seen = useRef<[number, number]>([0, 800]) // so that nobody has to ask the box, which would have to be laid out for it
  useLayoutEffect(() => {
    const box = el.current!
    const look = () => set((was) => ((seen.current = [box.scrollTop, box.clientHeight])[0] === was[0] && seen.current[1] === was[1] ? was : seen.current))
    box.addEventListener('scroll', look, { passive: true })
    const size = new ResizeObserver(look)
    size.observe(box)
    return () => (box.removeEventListener('scroll', look), size.disconnect())
  }, [])
  const [from, to] = range(top, view, height, items.length, over)
  const marked = at === undefined || at < 0 ? undefined : keyOf(items[at]!)
  const followed = useRef<{ row?: string | undefined; at: number }>({ at: -1 })
  useLayoutEffect(() => {
    const was = followed.current
    followed.current = { row: marked, at: at ?? -1 }
    if (at === undefined || at < 0) return
    const [first, high] = seen.current
    const into = (i: number) => (i * height < first ? i * height : (i + 1) * height > first + high ? (i + 1) * height - high : first)
    // who has scrolled away from it is left there when it moves
    if (was.row === marked && was.at !== at && into(was.at) !== first) return
    const to = into(at)
    if (to === first) return
    const there: [number, number] = [to, high]
    set((seen.current = there))
    // before the next paint, unless somebody has scrolled: now the page would be laid out once more
    requestAnimationFrame(() => seen.current === there && el.current?.scrollTo(0, to))
  }, [at, view, marked])
  useLayoutEffect(() => {
    if (to >= items.length - 5 && items.length > 0) onEnd?.()
  }, [to, items.length])
  return (
    <div ref={el} class={'window-list ' + (extra ?? '')}>
      <ul aria-label={label} style={{ paddingTop: `${from * height}px`, paddingBottom: `${(items.length - to) * height}px` }}>
        {items.slice(from, to).map((item, i) => (
          <li key={keyOf(item)} aria-setsize={items.length} aria-posinset={from + i + 1} style={{ height: `${height}px` }}>
            {row(item, from + i)}
          </li>
        ))}
      </ul>
    </div>
  )
}
