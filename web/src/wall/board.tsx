import type { ComponentChildren } from 'preact'
import { Avatar, Badge, Button } from '../parts/controls'
import { Icon } from '../parts/icon'
import { Menu } from '../parts/overlays'
import { useLoad, useT, useWorld } from '../parts/world'
import { may } from '../core/session'
import type { I18n } from '../core/i18n'
import { alarms, clock, figures, nameOf, staff, staffOf, titleOf, totals, waited, type Figure, type LiveAgent, type LiveQueue, type Staff } from './model'

// to is the address of what stands behind a number.
export function to(show: Figure | Staff, queue = '', agent = '', full = false): string {
  const q = new URLSearchParams({ show, ...(queue ? { queue } : {}), ...(agent ? { agent } : {}), ...(full ? { full: '1' } : {}) })
  return '/wall?' + q
}

// Number is a figure with its name, and for who cannot see where it stands, of what; it opens what it counts.
export function Number({ n, name, of, href, kind }: { n: ComponentChildren; name: string; of: string; href: string; kind?: 'bad' | 'warn' | undefined }) {
  return (
    <a class={'figure ' + (kind ?? '')} href={href}>
      <span class="figure-n number">{n}</span> <span class="figure-name">{name}</span> <span class="hidden-text">({of})</span>
    </a>
  )
}

const lasting = (seconds: number, i18n: I18n) => (seconds ? clock(seconds, (n, least) => i18n.number(n, { minimumIntegerDigits: least })) : '–')

// Totals are the sums over all queues.
export function Totals({ queues, agents, bot, readAt, now, full }: { queues: readonly LiveQueue[]; agents: readonly LiveAgent[]; bot: number; readAt: number; now: number; full: boolean }) {
  const t = useT()
  const { i18n } = useWorld()
  const sum = totals(queues)
  const oldest = waited(sum, readAt, now)
  const worst = queues.some((q) => alarms(q, waited(q, readAt, now)).some((a) => a.level === 'bad' && a.key === 'waits'))
  const free = agents.filter((a) => staffOf(a) === 'free').length
  const n = (x: number) => i18n.number(x)
  const all = t('wall_all')
  const one = (f: 'waiting' | 'active' | 'late' | 'bot', x: number, kind?: 'bad') => (
    <Number n={n(x)} name={t('wall_' + f)} of={all} href={to(f, '', '', full)} kind={kind} />
  )
  return (
    <section class="totals" aria-label={t('wall_totals')}>
      <Number n={lasting(oldest, i18n)} name={t('wall_oldest')} of={all} href={to('waiting', '', '', full)} kind={worst ? 'bad' : undefined} />
      {one('waiting', sum.waiting)}
      {one('active', sum.active)}
      {one('late', sum.late, sum.late > 0 ? 'bad' : undefined)}
      <Number n={n(free)} name={t('wall_free')} of={all} href={to('free', '', '', full)} />
      {one('bot', bot)}
    </section>
  )
}

// Queues lists the queues, the oldest wait first.
export function Queues({ queues, readAt, now, full }: { queues: readonly LiveQueue[]; readAt: number; now: number; full: boolean }) {
  const t = useT()
  return (
    <ul class="queues" aria-label={t('wall_queues')} data-many={queues.length > 4 ? 'yes' : queues.length > 2 ? 'no' : 'few'}>
      {queues.map((q) => (
        <QueueRow key={q.name} q={q} oldest={waited(q, readAt, now)} full={full} />
      ))}
    </ul>
  )
}

function QueueRow({ q, oldest, full }: { q: LiveQueue; oldest: number; full: boolean }) {
  const t = useT()
  const { i18n } = useWorld()
  const wrong = alarms(q, oldest)
  const level = wrong[0]?.level
  const wait = lasting(oldest, i18n)
  const waits = wrong.find((a) => a.key === 'waits')?.level
  const title = titleOf(q)
  return (
    <li class={'queue-row ' + (level ?? '')}>
      <div class="queue-name">
        <h3>
          <bdi>{title}</bdi>
        </h3>
        {wrong.map((a) => (
          <p key={a.key} class={'alarm ' + a.level}>
            <Icon name="warn" />
            {t('wall_alarm_' + a.key, words(a.n, i18n.span.bind(i18n)))}
          </p>
        ))}
        {q.threshold?.reached !== undefined && !wrong.some((a) => a.key === 'reached') && (
          <p class="small soft">{t('wall_reached', { reached: q.threshold.reached, percent: q.threshold.percent, within: i18n.span(q.threshold.seconds * 1000) })}</p>
        )}
      </div>
      <div class="queue-figures">
        <Number n={wait} name={t('wall_oldest')} of={title} href={to('waiting', q.name, '', full)} kind={waits} />
        {figures.map((f) => (
          <Number
            key={f}
            n={i18n.number(q[f])}
            name={t('wall_' + f)}
            of={title}
            href={to(f, q.name, '', full)}
            kind={f === 'late' && q.late > 0 ? 'bad' : undefined}
          />
        ))}
        {staff.map((s) => (
          <Number key={s} n={i18n.number(q.agents[s])} name={t('wall_' + s)} of={title} href={to(s, q.name, '', full)} />
        ))}
      </div>
    </li>
  )
}

function words(n: Record<string, number>, span: (ms: number) => string): Record<string, string | number> {
  return { ...n, ...(n.seconds === undefined ? {} : { within: span(n.seconds * 1000) }) }
}

// Agents lists who is there, in which state, since when, with how much.
export function Agents({ agents, now, onChanged, label }: { agents: readonly LiveAgent[]; now: number; onChanged(): void; label: string }) {
  const t = useT()
  const { api, session, toasts, i18n } = useWorld()
  const states = useLoad((signal) => api.get<{ items: { name: string; title?: string }[] }>('/v1/agent-states', {}, signal), [])
  const stateName = (name: string) => states.value?.items.find((s) => s.name === name)?.title || (name === 'active' || name === 'inactive' ? t('wall_state_' + name) : name)
  const change = async (a: LiveAgent, state: string) => {
    try {
      await api.post(`/v1/agents/${encodeURIComponent(a.id)}/state`, { state })
      toasts.show(t('wall_state_changed', { agent: nameOf(a), state: stateName(state) }))
      onChanged()
    } catch (err) {
      toasts.bad(err)
    }
  }
  return (
    <ul class="agents" aria-label={label}>
      {agents.map((a) => {
        const is = staffOf(a)
        return (
          <li key={a.id} class="agent-row">
            <Avatar name={nameOf(a)} small />
            <span class="cut agent-name">
              <bdi>{nameOf(a)}</bdi>
            </span>
            <Badge kind={is === 'free' ? 'good' : is === 'busy' ? 'warn' : 'calm'}>
              <Icon name={is === 'free' ? 'check' : is === 'busy' ? 'clock' : 'moon'} />
              {is === 'busy' ? t('wall_at_limit') : stateName(a.state)}
            </Badge>
            <span class="small soft number agent-since">{t('wall_since', { since: i18n.span(now - Date.parse(a.since)) })}</span>
            <a class="agent-load" href={to('load', '', a.id)}>
              <span class="bar" aria-hidden="true">
                <span class={is === 'busy' ? 'full' : ''} style={{ inlineSize: `${a.capacity ? Math.min(100, (100 * a.load) / a.capacity) : Math.min(100, 10 * a.load)}%` }} />
              </span>
              <span class="number">{a.capacity ? t('wall_load', { n: a.load, of: a.capacity }) : i18n.number(a.load)}</span> <span class="hidden-text">({t('wall_load_of', { agent: nameOf(a) })})</span>
            </a>
            <span class="small soft agent-more">
              {a.offered > 0 && t('wall_asked', { n: a.offered })} {a.snoozed > 0 && t('wall_rests', { n: a.snoozed })}
            </span>
            {may(session, 'queues.write') && states.value && (
              <Menu
                title={t('wall_change_state', { agent: nameOf(a) })}
                icon="more"
                plain
                tight
                items={states.value.items.map((s) => ({ id: s.name, title: stateName(s.name), checked: s.name === a.state, run: () => void change(a, s.name) }))}
              />
            )}
          </li>
        )
      })}
      {agents.length === 0 && <li class="soft">{t('wall_no_agents')}</li>}
    </ul>
  )
}

// Head is the title with what one can do to the whole wall.
export function Head({ children, paused, onPause, onFull }: { children: ComponentChildren; paused: boolean; onPause(): void; onFull(): void }) {
  const t = useT()
  return (
    <header class="page-head">
      <h1>{t('wall_title')}</h1>
      <span class="grow" />
      {children}
      <Button tight pressed={paused} onClick={onPause}>
        {t(paused ? 'wall_resume' : 'wall_pause')}
      </Button>
      <Button tight icon="panel" onClick={onFull}>
        {t('wall_full')}
      </Button>
    </header>
  )
}
