import { Field } from '../../parts/controls'
import { useT } from '../../parts/world'
import type { Channel } from '../kit/types'

// Filter is what somebody looks for; the server finds it.
export interface Filter {
  work: string
  channel: string
  failure: string
  days: string
  text: string
}

export const noFilter: Filter = { work: '', channel: '', failure: '', days: '', text: '' }

export const isOn = (f: Filter): boolean => Object.values(f).some(Boolean)

const works = ['out', 'media', 'profile', 'call', 'route']
const classes = ['rejected', 'gone', 'window_closed', 'unauthorized', 'suspended', 'forbidden', 'retry', 'throttled', 'unsure', 'malformed', 'store', 'step']

// queryOf is the filter as the API takes it; days count from now.
export function queryOf(f: Filter, now: number): Record<string, string> {
  const since = f.days && new Date(now - Number(f.days) * 86_400_000).toISOString()
  return { work: f.work, channel: f.channel, class: f.failure, since, q: f.text.trim() }
}

export function Filters({ channels, filter, onChange }: { channels: Channel[]; filter: Filter; onChange(f: Filter): void }) {
  const t = useT()
  const select = (name: 'work' | 'channel' | 'failure' | 'days', options: { id: string; title: string }[]) => (
    <Field label={t('admin_letter_' + name)}>
      {(a) => (
        <select {...a} class="input" value={filter[name]} onChange={(e) => onChange({ ...filter, [name]: e.currentTarget.value })}>
          <option value="">{t('admin_all')}</option>
          {options.map((o) => (
            <option key={o.id} value={o.id}>
              {o.title}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
  return (
    <div class="filters">
      {select('work', works.map((id) => ({ id, title: t('admin_letter_work_' + id) })))}
      {select('channel', channels.map((c) => ({ id: c.id, title: c.name })))}
      {select('failure', classes.map((id) => ({ id, title: id })))}
      {select('days', [1, 7, 30].map((n) => ({ id: String(n), title: t('admin_try_days', { n }) })))}
      <Field label={t('admin_letter_text')} type="search" maxLength={200} value={filter.text} onInput={(e) => onChange({ ...filter, text: e.currentTarget.value })} />
    </div>
  )
}
