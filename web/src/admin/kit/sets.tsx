import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { Button } from '../../parts/controls'
import { Icon } from '../../parts/icon'
import { useT } from '../../parts/world'

interface SetProps<T> {
  label: string
  hint?: ComponentChildren
  wrong?: string
  value: T
  onChange(v: T): void
}

function Group({ label, hint, wrong, children }: { label: string; hint?: ComponentChildren; wrong?: string | undefined; children: ComponentChildren }) {
  return (
    <fieldset class="admin-set">
      <legend class="label">{label}</legend>
      {hint && <span class="hint small soft">{hint}</span>}
      {children}
      {wrong && (
        <span class="wrong" role="alert">
          <Icon name="warn" /> {wrong}
        </span>
      )}
    </fieldset>
  )
}

// Members are some of a list. What is chosen and not in the list (somebody who is gone) can be taken out.
export function Members({ label, hint, wrong, value, onChange, choices }: SetProps<string[]> & { choices: { id: string; title: string; hint?: string }[] }) {
  const t = useT()
  const [typed, type] = useState('')
  const known = new Set(choices.map((c) => c.id))
  const all = [...choices, ...value.filter((id) => !known.has(id)).map((id) => ({ id, title: id, hint: t('admin_unknown') }))]
  const shown = all.filter((c) => (c.title + ' ' + c.id).toLocaleLowerCase().includes(typed.toLocaleLowerCase()))
  const set = (id: string, on: boolean) => onChange(on ? [...value, id] : value.filter((x) => x !== id))
  return (
    <Group label={label} hint={hint} wrong={wrong}>
      {all.length > 8 && <input class="input" type="search" aria-label={t('admin_filter', { what: label })} placeholder={t('admin_filter', { what: label })} value={typed} onInput={(e) => type(e.currentTarget.value)} />}
      {all.length === 0 && <p class="soft small">{t('admin_nothing_to_choose')}</p>}
      <div class="admin-checks">
        {shown.map((c) => (
          <label key={c.id} class="check">
            <input type="checkbox" checked={value.includes(c.id)} onChange={(e) => set(c.id, e.currentTarget.checked)} />
            <span>
              {c.title} {c.hint && <span class="soft small">{c.hint}</span>}
            </span>
          </label>
        ))}
      </div>
    </Group>
  )
}

// Levels are numbers by name: skills.
export function Levels({ label, hint, wrong, value, onChange }: SetProps<Record<string, number>>) {
  const t = useT()
  const [name, setName] = useState('')
  const add = () => {
    const key = name.trim()
    if (key) onChange({ ...value, [key]: value[key] ?? 1 })
    setName('')
  }
  return (
    <Group label={label} hint={hint} wrong={wrong}>
      {Object.entries(value).map(([key, level]) => (
        <div key={key} class="row">
          <span class="grow cut">{key}</span>
          <input class="input admin-level" type="number" min={1} max={1000} aria-label={t('admin_level_of', { name: key })} value={level} onInput={(e) => onChange({ ...value, [key]: e.currentTarget.valueAsNumber || 1 })} />
          <Button plain icon="close" title={t('admin_take_out', { name: key })} onClick={() => onChange(Object.fromEntries(Object.entries(value).filter(([k]) => k !== key)))} />
        </div>
      ))}
      <div class="row">
        <input class="input" aria-label={t('admin_new_name', { what: label })} placeholder={t('admin_new_name', { what: label })} value={name} onInput={(e) => setName(e.currentTarget.value)} onKeyDown={(e) => e.key === 'Enter' && (e.preventDefault(), add())} />
        <Button icon="plus" onClick={add}>
          {t('admin_add')}
        </Button>
      </div>
    </Group>
  )
}
