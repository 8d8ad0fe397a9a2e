import type { ComponentChildren } from 'preact'
import { Problem } from '../../core/problem'
import { Button, Empty, Skeleton } from '../../parts/controls'
import { Icon } from '../../parts/icon'
import { useT, useWorld } from '../../parts/world'

// Head is the title of a section, with the way back and what one can do there.
export function Head({ title, about, back, badge, children }: { title: string; about?: string; back?: { href: string; title: string }; badge?: ComponentChildren; children?: ComponentChildren }) {
  return (
    <header class="admin-head">
      <div class="grow">
        {back && (
          <a class="admin-back" href={back.href}>
            <Icon name="back" turns /> {back.title}
          </a>
        )}
        <h1>
          {title} {badge}
        </h1>
        {about && <p class="soft admin-about">{about}</p>}
      </div>
      {children && <div class="row wrap">{children}</div>}
    </header>
  )
}

// adviceOf says what to do about a refusal; '' when the words of the server are all there is to say.
export function useAdvice() {
  const t = useT()
  const { i18n } = useWorld()
  return (err: unknown): string => {
    const key = 'admin_do_' + (err instanceof Problem ? err.code : 'other')
    return i18n.has(key) ? t(key, { n: (err as Problem).retryAfter || 5 }) : ''
  }
}

// Trouble tells what went wrong, in the server's words, and what to do next.
export function Trouble({ error, again, title }: { error: unknown; again?: () => void; title?: string }) {
  const t = useT()
  const advice = useAdvice()(error)
  const p = error instanceof Problem ? error : null
  const rest = p ? p.errors.filter((e) => !p.detail.includes(e.detail)) : []
  return (
    <div class="notice bad trouble" role="alert">
      <Icon name="warn" />
      <div class="grow stack">
        {title && <strong>{title}</strong>}
        <p>{error instanceof Error ? error.message : String(error)}</p>
        {rest.length > 0 && (
          <ul class="bullets">
            {rest.map((e) => (
              <li key={e.path + e.detail}>
                <code dir="ltr">{e.path.replace(/^body\.?/, '')}</code> {e.detail}
              </li>
            ))}
          </ul>
        )}
        {advice && <p>{advice}</p>}
        {p?.action && p.status >= 500 && <p class="small">{t('admin_action_id', { id: p.action })}</p>}
      </div>
      {again && <Button onClick={again}>{t('retry')}</Button>}
    </div>
  )
}

// Loaded shows what was read; until then where it will stand, and what went wrong.
export function Loaded<T>({ load, lines = 4, children }: { load: { value?: T; error?: Error; busy: boolean; again(): void }; lines?: number; children(value: T): ComponentChildren }) {
  const t = useT()
  if (load.value !== undefined) return <>{children(load.value)}</>
  if (load.error && !load.busy) return <Trouble error={load.error} again={load.again} />
  return (
    <div class="card" aria-busy="true">
      <span class="hidden-text">{t('loading')}</span>
      <Skeleton lines={lines} />
    </div>
  )
}

// Line is one thing of a list: its name leads to it.
export function Line({ href, title, about, children, icon }: { href?: string; title: ComponentChildren; about?: ComponentChildren; children?: ComponentChildren; icon?: ComponentChildren }) {
  return (
    <li class="admin-line">
      {icon}
      <div class="grow">
        {href ? (
          <a class="admin-line-title" href={href}>
            {title}
          </a>
        ) : (
          <strong>{title}</strong>
        )}
        {about && <div class="soft small">{about}</div>}
      </div>
      {children && <div class="row wrap">{children}</div>}
    </li>
  )
}

// Lines is a list of them, or what to do when there is none.
export function Lines<T>({ items, label, empty, children }: { items: T[]; label: string; empty: ComponentChildren; children(item: T): ComponentChildren }) {
  if (items.length === 0) return <div class="card">{empty}</div>
  return (
    <ul class="admin-lines" aria-label={label}>
      {items.map(children)}
    </ul>
  )
}

// Nothing is an empty list, with its next step.
export function Nothing({ title, about, children }: { title: string; about?: string; children?: ComponentChildren }) {
  return (
    <Empty title={title}>
      {about && <p>{about}</p>}
      {children}
    </Empty>
  )
}

// When is a moment: how long ago in words, in full for who points at it.
export function When({ at }: { at: string }) {
  const { i18n } = useWorld()
  const d = new Date(at)
  return (
    <time dateTime={at} title={i18n.full(d)}>
      {i18n.date(d)} {i18n.time(d)}
    </time>
  )
}
