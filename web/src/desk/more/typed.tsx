import { Field } from '../../parts/controls'
import { useT } from '../../parts/world'
import type { Typed } from '../types'

const place = (name: string) => 'typed.' + name
const text = (v: unknown) => (v === null || v === undefined ? '' : typeof v === 'string' ? v : typeof v === 'boolean' ? (v ? 'yes' : 'no') : JSON.stringify(v))

// TypedField asks for a value of a type. Nothing chosen or written is no value.
export function TypedField({ f, value, wrong }: { f: Typed; value: unknown; wrong: string | undefined }) {
  const t = useT()
  const label = f.title || f.name
  const now = text(value)
  const common = { name: place(f.name), class: 'input', required: f.required === true }
  const choose = (options: { id: string; title: string }[]) => (
    <Field label={label} wrong={wrong}>
      {(a) => (
        <select {...common} {...a}>
          <option value="">{t('desk_no_value')}</option>
          {options.map((o) => (
            <option key={o.id} value={o.id} selected={o.id === now}>
              {o.title}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
  switch (f.type) {
    case 'choice': {
      const choices = f.choices ?? []
      // a value of before the choices were changed stays until it is changed
      return choose((now && !choices.includes(now) ? [now, ...choices] : choices).map((c) => ({ id: c, title: c })))
    }
    case 'yes_no':
      return choose([{ id: 'yes', title: t('desk_yes') }, { id: 'no', title: t('desk_no') }])
    case 'text':
      if (now.length > 60 || now.includes('\n')) return <Field label={label} wrong={wrong}>{(a) => <textarea rows={4} maxLength={2000} dir="auto" {...common} {...a} defaultValue={now} />}</Field>
      return <Field label={label} wrong={wrong} {...common} dir="auto" maxLength={2000} autocomplete="off" defaultValue={now} />
    case 'number':
      return <Field label={label} wrong={wrong} {...common} type="number" step="any" defaultValue={now} />
    case 'date':
      return <Field label={label} wrong={wrong} {...common} type="date" min="0001-01-01" max="9999-12-31" defaultValue={now} />
  }
}

// readTyped reads the values that stand in a form; null is none.
export function readTyped(form: HTMLFormElement, fields: readonly Typed[]): Record<string, unknown> {
  const data = new FormData(form)
  return Object.fromEntries(fields.map((f) => [f.name, valueOf(f, String(data.get(place(f.name)) ?? ''))]))
}

function valueOf(f: Typed, raw: string): unknown {
  if (!raw.trim()) return null
  if (f.type === 'yes_no') return raw === 'yes'
  // a number that is none here goes to the hub as it is, which says why not
  if (f.type === 'number') return Number.isFinite(Number(raw)) ? Number(raw) : raw
  return raw
}

// changed is what differs from before.
export function changed(before: Record<string, unknown>, now: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(now).filter(([k, v]) => v !== before[k]))
}
