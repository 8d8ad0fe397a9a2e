import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Problem } from '../../core/problem'
import { Check, Field } from '../../parts/controls'
import { useT } from '../../parts/world'
import { Levels, Members } from './sets'

// Spec describes one input of a form; name is the path of its value.
export interface Spec {
  name: string
  label: string
  hint?: ComponentChildren
  type?: 'text' | 'area' | 'number' | 'check' | 'choice' | 'lines' | 'many' | 'levels' | 'secret' | 'json' | 'code' | 'url'
  choices?: { id: string; title: string; hint?: string }[]
  required?: boolean
  min?: number
  max?: number
  placeholder?: string
  group?: string // a heading above
  when?(value: Values): boolean
}

export type Values = Record<string, unknown>

// at and put read and write a value at a path of members: settings.skills.
export function at(v: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((x, k) => (x as Values | undefined)?.[k], v)
}

export function put(v: Values, path: string, x: unknown): Values {
  const [first, ...rest] = path.split('.') as [string, ...string[]]
  const out = { ...v }
  const next = rest.length === 0 ? x : put((v[first] as Values | undefined) ?? {}, rest.join('.'), x)
  if (next === undefined || (rest.length > 0 && Object.keys(next as object).length === 0)) delete out[first]
  else out[first] = next
  return out
}

// wrongOf finds what is wrong with a field: by its path, or where the server tells it in a sentence.
export function wrongOf(problem: Problem | null | undefined, path: string): string {
  if (!problem) return ''
  const direct = problem.of(path)
  if (direct) return direct
  const told = problem.detail.split('; ').find((s) => s.startsWith(path + ':'))
  return told ? told.slice(path.length + 1).trim() : ''
}

interface InputsProps {
  specs: Spec[]
  value: Values
  onChange(v: Values): void
  problem?: Problem | null | undefined
  prefix?: string // of the paths in problems
}

// Inputs are the fields of a form, in groups.
export function Inputs({ specs, value, onChange, problem, prefix = '' }: InputsProps) {
  return (
    <>
      {specs.map((s) =>
        s.when && !s.when(value) ? null : (
          <>
            {s.group && (
              <h2 key={s.name + '-group'} class="admin-group">
                {s.group}
              </h2>
            )}
            <Input key={s.name} spec={s} value={at(value, s.name)} wrong={wrongOf(problem, prefix + s.name)} onChange={(x) => onChange(put(value, s.name, x))} />
          </>
        ),
      )}
    </>
  )
}

interface InputProps {
  spec: Spec
  value: unknown
  wrong: string
  onChange(x: unknown): void
}

function Input({ spec: s, value, wrong, onChange }: InputProps) {
  const t = useT()
  if (s.type === 'check')
    return (
      <div class="field">
        <Check label={s.label} checked={value === true} onChange={onChange} />
        {s.hint && <span class="hint">{s.hint}</span>}
      </div>
    )
  if (s.type === 'many') return <Members label={s.label} hint={s.hint} wrong={wrong} choices={s.choices ?? []} value={(value as string[] | undefined) ?? []} onChange={onChange} />
  if (s.type === 'levels') return <Levels label={s.label} hint={s.hint} wrong={wrong} value={(value as Record<string, number> | undefined) ?? {}} onChange={(v) => onChange(Object.keys(v).length ? v : undefined)} />
  const label = s.required ? s.label : t('admin_optional', { label: s.label })
  return (
    <Field label={label} hint={s.hint} wrong={wrong}>
      {(a) => <Control spec={s} value={value} a={a} onChange={onChange} />}
    </Field>
  )
}

const words = (text: string) => text || undefined

// Control is the input itself.
function Control({ spec: s, value, a, onChange }: { spec: Spec; value: unknown; a: object; onChange(x: unknown): void }) {
  const t = useT()
  const common = { class: 'input', required: s.required ?? false, ...a }
  const text = value === undefined || value === null ? '' : typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value)
  switch (s.type) {
    case 'choice':
      return (
        <select {...common} value={text} onChange={(e) => onChange(words(e.currentTarget.value))}>
          {!s.required && <option value="">{s.placeholder ?? t('admin_none')}</option>}
          {s.choices!.map((c) => (
            <option key={c.id} value={c.id}>
              {c.title}
            </option>
          ))}
        </select>
      )
    case 'area':
    case 'code':
      return <textarea {...common} class={'input' + (s.type === 'code' ? ' code' : '')} dir={s.type === 'code' ? 'ltr' : 'auto'} rows={3} value={text} placeholder={s.placeholder} onInput={(e) => onChange(words(e.currentTarget.value))} />
    case 'lines':
      return <Lines common={common} value={(value as string[] | undefined) ?? []} onChange={onChange} {...(s.placeholder ? { placeholder: s.placeholder } : {})} />
    case 'json':
      return <Json common={common} value={value} onChange={onChange} />
    case 'number':
      return (
        <input {...common} type="number" min={s.min} max={s.max} value={text} placeholder={s.placeholder} onInput={(e) => onChange(e.currentTarget.value === '' ? undefined : e.currentTarget.valueAsNumber)} />
      )
    case 'secret':
      return <Secret common={common} value={text} required={s.required ?? false} onChange={onChange} {...(s.placeholder ? { placeholder: s.placeholder } : {})} />
    default:
      return <input {...common} type="text" inputMode={s.type === 'url' ? 'url' : 'text'} value={text} dir="auto" placeholder={s.placeholder ?? ''} onInput={(e) => onChange(words(e.currentTarget.value))} />
  }
}

// Secret takes a new one; what is stored is never shown and stays while nothing is typed.
function Secret({ common, value, required, onChange, placeholder }: { common: object; value: string; required: boolean; onChange(x: unknown): void; placeholder?: string }) {
  const t = useT()
  const [kept] = useState(value === '***')
  return (
    <input
      {...common}
      type="password"
      autocomplete="off"
      spellcheck={false}
      dir="ltr"
      value={value === '***' ? '' : value}
      placeholder={kept ? t('admin_secret_kept') : placeholder}
      required={required && !kept}
      onInput={(e) => onChange(e.currentTarget.value || (kept ? '***' : undefined))}
    />
  )
}

// Lines is a list of texts, one in a line.
function Lines({ common, value, onChange, placeholder }: { common: object; value: string[]; onChange(x: unknown): void; placeholder?: string }) {
  const read = (text: string) => {
    const list = text.split('\n').map((l) => l.trim())
    return list.some(Boolean) ? list.filter(Boolean) : undefined
  }
  return <textarea {...common} rows={Math.min(8, Math.max(2, value.length + 1))} defaultValue={value.join('\n')} placeholder={placeholder} onInput={(e) => onChange(read(e.currentTarget.value))} />
}

// Json takes any value; while it cannot be read, it says so and the browser does not send the form.
function Json({ common, value, onChange }: { common: object; value: unknown; onChange(x: unknown): void }) {
  const t = useT()
  const take = (el: HTMLTextAreaElement) => {
    try {
      onChange(el.value.trim() ? JSON.parse(el.value) : undefined)
      el.setCustomValidity('')
    } catch {
      el.setCustomValidity(t('admin_not_json'))
    }
  }
  return <textarea {...common} class="input code" dir="ltr" rows={4} spellcheck={false} defaultValue={value === undefined ? '' : JSON.stringify(value, null, 2)} onInput={(e) => take(e.currentTarget)} />
}
