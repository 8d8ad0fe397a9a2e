import { useState } from 'preact/hooks'
import { Badge, Button, Field } from '../parts/controls'
import { Changes, changesOf } from '../parts/diff'
import { useLoad, usePlace, useT, useWorld } from '../parts/world'
import { Head, Loaded, Nothing, When } from './kit/page'

interface Act {
  id: number
  at: string
  actor: { type: string; id: string; name: string }
  act: string
  kind: string
  object?: string
  before?: unknown
  after?: unknown
  reason?: string
  address?: string
  action?: string
}

const filters = ['kind', 'act', 'object', 'actor'] as const

// Audit is who did what, and how things were before and afterwards. Its filters stand in the address, so that a view can be handed on.
export default function Audit() {
  const t = useT()
  const { api, router } = useWorld()
  const { query } = usePlace()
  const given: Record<string, string | undefined> = {}
  for (const f of [...filters, 'from', 'to']) given[f] = query.get(f) ?? undefined
  const utc = (day: string | undefined, add = 0) => (day ? new Date(new Date(day + 'T00:00').getTime() + add).toISOString() : undefined)
  const load = useLoad(() => api.get<{ items: Act[]; next?: string }>('/v1/audit', { limit: 50, ...given, from: utc(given.from), to: utc(given.to, 86_400_000) }), [query.toString()])
  const [more, add] = useState<{ of: string; items: Act[]; next?: string }>({ of: '', items: [] })
  const mine = more.of === query.toString() ? more : null
  const apply = (e: SubmitEvent) => {
    e.preventDefault()
    const q = new URLSearchParams()
    for (const [k, v] of new FormData(e.currentTarget as HTMLFormElement)) if (v) q.set(k, String(v).trim())
    router.go('/admin/audit' + (q.size ? '?' + q : ''))
  }
  const next = mine ? mine.next : load.value?.next
  const read = async () => {
    const page = await api.get<{ items: Act[]; next?: string }>('/v1/audit', { limit: 50, ...given, from: utc(given.from), to: utc(given.to, 86_400_000), cursor: next })
    add({ of: query.toString(), items: [...(mine?.items ?? []), ...page.items], ...(page.next ? { next: page.next } : {}) })
  }
  return (
    <>
      <Head title={t('admin_nav_audit')} about={t('admin_audit_about')} />
      <form class="filters" key={query.toString()} onSubmit={apply}>
        {filters.map((f) => (
          <Field key={f} label={t('admin_audit_' + f)} name={f} defaultValue={given[f] ?? ''} dir="auto" />
        ))}
        <Field label={t('admin_from')} name="from" type="date" defaultValue={given.from ?? ''} />
        <Field label={t('admin_to')} name="to" type="date" defaultValue={given.to ?? ''} />
        <Button type="submit" icon="search">
          {t('admin_filter_do')}
        </Button>
        {query.size > 0 && <Button onClick={() => router.go('/admin/audit')}>{t('admin_filter_off')}</Button>}
      </form>
      <Loaded load={load}>
        {(page) =>
          page.items.length === 0 ? (
            <div class="card">
              <Nothing title={t('nothing_found')} about={query.size > 0 ? t('admin_audit_none_filtered') : t('admin_audit_none')} />
            </div>
          ) : (
            <ul class="admin-lines" aria-label={t('admin_nav_audit')}>
              {[...page.items, ...(mine?.items ?? [])].map((x) => (
                <ActLine key={x.id} act={x} />
              ))}
            </ul>
          )
        }
      </Loaded>
      {next && (
        <div>
          <Button onClick={() => void read()}>{t('admin_more')}</Button>
        </div>
      )}
    </>
  )
}

function ActLine({ act: x }: { act: Act }) {
  const t = useT()
  const [open, show] = useState(false)
  const changes = changesOf(x.before, x.after).filter((c) => !c.path.endsWith('updated_at'))
  const nameOf = (v: unknown) => (v as { name?: string; title?: string; email?: string } | undefined)?.name
  return (
    <li class="admin-line">
      <div class="grow">
        <strong>{x.actor.name || x.actor.id}</strong> <code>{x.act}</code> <Badge>{x.kind}</Badge> {nameOf(x.after) ?? nameOf(x.before) ?? x.object}
        <div class="soft small">
          <When at={x.at} /> · {t('admin_actor_' + x.actor.type)} {x.address && `· ${x.address}`}
        </div>
        {x.reason && <p class="small">{t('admin_audit_reason', { reason: x.reason })}</p>}
        {open && (
          <div class="stack" style={{ marginTop: '8px' }}>
            <Changes label={t('admin_audit_changes')} changes={changes} />
            <dl class="facts">
              <dt>{t('admin_audit_object')}</dt>
              <dd>
                <code>{x.object ?? '—'}</code>
              </dd>
              <dt>{t('admin_audit_action')}</dt>
              <dd>
                <code>{x.action ?? '—'}</code>
              </dd>
            </dl>
          </div>
        )}
      </div>
      {changes.length > 0 && (
        <Button tight aria-expanded={open} onClick={() => show(!open)}>
          {t('admin_audit_changes_n', { n: changes.length })}
        </Button>
      )}
    </li>
  )
}
