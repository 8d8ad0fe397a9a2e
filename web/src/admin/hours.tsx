import { may } from '../core/session'
import { Badge } from '../parts/controls'
import { useT, useWorld } from '../parts/world'
import type { SectionProps } from '.'
import type { Spec, Values } from './kit/form'
import { ResourcePage } from './kit/resource'

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

type Spans = [string, string][]

// In the form a day is a text: 09:00-12:00, 13:00-17:30.
const textOf = (spans: Spans | undefined) => (spans ?? []).map(([from, to]) => `${from}-${to}`).join(', ')
const spansOf = (text: string): Spans =>
  text
    .split(/[,;]/)
    .map((s) => s.trim())
    .filter(Boolean)
    .map((s) => {
      const [from = '', to = ''] = s.split(/\s*[-–]\s*/)
      return [from.padStart(5, '0'), to.padStart(5, '0')] as [string, string]
    })

export default function BusinessHours({ rest }: SectionProps) {
  const t = useT()
  const { session, i18n } = useWorld()
  const dayName = (i: number) => new Intl.DateTimeFormat(i18n.language, { weekday: 'long', timeZone: 'UTC' }).format(new Date(Date.UTC(2024, 0, 1 + i)))
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  return (
    <ResourcePage
      at={rest[0]}
      of={{
        id: 'hours',
        page: '/admin/hours',
        path: '/v1/hours',
        canWrite: may(session, 'queues.write'),
        canDelete: true,
        start: { time_zone: zone, week: Object.fromEntries(days.slice(0, 5).map((d) => [d, '09:00-17:00'])) },
        nameSpec: { name: 'name', label: t('admin_name_field'), placeholder: 'office' },
        aboutOf: (v) => `${String(v.time_zone)} · ${days.filter((d) => (v.week as Record<string, Spans>)?.[d]?.length).map((d) => `${dayName(days.indexOf(d))} ${textOf((v.week as Record<string, Spans>)[d])}`).join(' · ')}`,
        badgesOf: (v) => <Badge {...(v.open ? { kind: 'good' as const } : {})}>{t(v.open ? 'admin_hours_open' : 'admin_hours_closed')}</Badge>,
        specs: () => [
          { name: 'time_zone', label: t('admin_hours_zone'), type: 'choice', required: true, choices: zones(zone) },
          ...days.map((d, i): Spec => ({ name: 'week.' + d, label: dayName(i), placeholder: t('admin_hours_day_closed'), ...(i === 0 ? { group: t('admin_hours_week'), hint: t('admin_hours_hint') } : {}) })),
          { name: 'closed', label: t('admin_hours_closed_days'), hint: t('admin_hours_closed_hint'), type: 'lines', placeholder: '2026-12-25' },
        ],
        formOf: (v) => ({ name: v.name, time_zone: v.time_zone, week: Object.fromEntries(Object.entries((v.week ?? {}) as Record<string, Spans>).map(([d, s]) => [d, textOf(s)])), ...((v.closed as string[] | undefined)?.length ? { closed: v.closed } : {}) }),
        bodyOf: ({ name: _, week, ...v }: Values) => ({ ...v, week: Object.fromEntries(Object.entries((week ?? {}) as Record<string, string>).map(([d, s]) => [d, spansOf(s)])) }),
      }}
    />
  )
}

function zones(own: string): { id: string; title: string }[] {
  const all = typeof Intl.supportedValuesOf === 'function' ? Intl.supportedValuesOf('timeZone') : []
  return [...new Set([own, 'UTC', ...all])].map((id) => ({ id, title: id }))
}
