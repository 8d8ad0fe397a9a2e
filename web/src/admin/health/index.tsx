import { useEffect } from 'preact/hooks'
import { Badge, Button } from '../../parts/controls'
import { Icon } from '../../parts/icon'
import { useLoad, useT, useWorld } from '../../parts/world'
import { Head } from '../kit/page'
import type { Channel, DeadLetter } from '../kit/types'
import { readMetrics, sum, type Sample } from './metrics'

interface Reading {
  alive: boolean
  ready: boolean
  ms: number
  metrics: Sample[] | null
  version: string
  channels: Channel[]
  letters: number
}

// useReading looks at everything every ten seconds while the page is shown.
function useReading() {
  const { api } = useWorld()
  const load = useLoad<Reading>(async (signal) => {
    const ok = (path: string) => fetch(path, { signal, cache: 'no-store' }).then((r) => r.ok, () => false)
    const began = performance.now()
    const ready = await ok('/readyz')
    const ms = Math.round(performance.now() - began)
    const [alive, metrics, doc, channels, letters] = await Promise.all([
      ok('/healthz'),
      fetch('/metrics', { signal }).then(async (r) => (r.ok ? readMetrics(await r.text()) : null), () => null),
      fetch('/openapi.json', { signal }).then((r) => r.json() as Promise<{ info: { version: string } }>, () => null),
      api.get<{ items: Channel[] }>('/v1/channels').then((l) => l.items, () => []),
      api.get<{ items: DeadLetter[]; next?: string }>('/v1/dead-letters', { limit: 200 }).then((l) => l.items.length, () => 0),
    ])
    return { alive, ready, ms, metrics, version: doc?.info.version ?? '—', channels, letters }
  }, [])
  useEffect(() => {
    const timer = setInterval(load.again, 10_000)
    return () => clearInterval(timer)
  }, [])
  return load
}

// Health says how the hub is, in plain words, and what to do where it is not well.
export default function Health() {
  const t = useT()
  const load = useReading()
  const v = load.value
  return (
    <>
      <Head title={t('admin_nav_health')} about={t('admin_health_about')}>
        <Button onClick={load.again}>{t('reload')}</Button>
      </Head>
      {!v && <p class="waits">{t('loading')}</p>}
      {v && <Words reading={v} />}
      {v?.metrics && <Figures metrics={v.metrics} />}
      {v && !v.metrics && <p class="notice">{t('admin_health_no_metrics')}</p>}
      {v && (
        <dl class="facts card">
          <dt>{t('admin_health_version')}</dt>
          <dd>{v.version}</dd>
          <dt>{t('admin_health_go')}</dt>
          <dd>{v.metrics?.find((s) => s.name === 'go_info')?.labels.version ?? '—'}</dd>
          <dt>{t('admin_health_address')}</dt>
          <dd>{location.origin}</dd>
        </dl>
      )}
    </>
  )
}

interface Finding {
  good: boolean
  what: string
  todo?: string
  href?: string
}

function Words({ reading: v }: { reading: Reading }) {
  const t = useT()
  const lag = v.metrics ? Math.max(0, ...v.metrics.filter((s) => s.name === 'dragoman_follower_lag').map((s) => s.value)) : 0
  const broken = v.channels.filter((c) => c.status === 'error')
  const list: Finding[] = [
    v.alive ? { good: true, what: t('admin_health_alive') } : { good: false, what: t('admin_health_dead'), todo: t('admin_health_dead_do') },
    v.ready ? { good: v.ms < 1000, what: t('admin_health_ready', { ms: v.ms }), ...(v.ms < 1000 ? {} : { todo: t('admin_health_slow_do') }) } : { good: false, what: t('admin_health_unready'), todo: t('admin_health_unready_do') },
    lag < 1000 ? { good: true, what: t('admin_health_lag', { n: lag }) } : { good: false, what: t('admin_health_lag', { n: lag }), todo: t('admin_health_lag_do') },
    broken.length === 0 ? { good: true, what: t('admin_health_channels') } : { good: false, what: t('admin_health_channels_bad', { names: broken.map((c) => c.name).join(', ') }), todo: t('admin_health_channels_do'), href: '/admin/channels' },
    v.letters === 0 ? { good: true, what: t('admin_health_letters') } : { good: false, what: t('admin_health_letters_bad', { n: v.letters }), todo: t('admin_health_letters_do'), href: '/admin/letters' },
  ]
  return (
    <ul class="admin-lines" aria-label={t('admin_nav_health')}>
      {list.map((f) => (
        <li key={f.what} class="admin-line">
          <Icon name={f.good ? 'check' : 'warn'} />
          <div class="grow">
            <strong>{f.what}</strong>
            {f.todo && <p>{f.todo}</p>}
          </div>
          {f.href && (
            <a class="button tight" href={f.href}>
              {t('admin_health_look')}
            </a>
          )}
          <Badge kind={f.good ? 'good' : 'bad'}>{t(f.good ? 'admin_health_good' : 'admin_health_bad')}</Badge>
        </li>
      ))}
    </ul>
  )
}

function Figures({ metrics }: { metrics: Sample[] }) {
  const t = useT()
  const { i18n } = useWorld()
  const started = sum(metrics, 'process_start_time_seconds')
  const mean = (name: string) => {
    const n = sum(metrics, name + '_count')
    return n ? `${i18n.number(Math.round((sum(metrics, name + '_sum') / n) * 10_000) / 10)} ms` : '—'
  }
  const figures: [string, string][] = [
    [t('admin_fig_in'), i18n.number(sum(metrics, 'dragoman_messages_total', { direction: 'in', result: 'stored' }))],
    [t('admin_fig_out'), i18n.number(sum(metrics, 'dragoman_messages_total', { direction: 'out', result: 'sent' }))],
    [t('admin_fig_ingest'), mean('dragoman_ingest_seconds')],
    [t('admin_fig_send'), mean('dragoman_send_seconds')],
    [t('admin_fig_jobs'), i18n.number(sum(metrics, 'dragoman_jobs_in_flight'))],
    [t('admin_fig_memory'), `${i18n.number(Math.round(sum(metrics, 'process_resident_memory_bytes') / 1_048_576))} MiB`],
    [t('admin_fig_files'), i18n.number(sum(metrics, 'process_open_fds'))],
    [t('admin_fig_up'), started ? i18n.span(Date.now() - started * 1000) : '—'],
  ]
  return (
    <section class="stack" aria-labelledby="figures">
      <h2 id="figures">{t('admin_figures')}</h2>
      <dl class="stats">
        {figures.map(([what, n]) => (
          <div key={what} class="card stack stat">
            <dt class="soft small">{what}</dt>
            <dd>
              <b dir="auto">{n}</b>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
