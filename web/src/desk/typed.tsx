import { useT, useWorld } from '../parts/world'
import { useDeskState } from './context'
import type { FieldDef } from './types'

// useShown tells how fields of conversations or contacts are named, and writes their values as people read them.
export function useShown(of: FieldDef['of']): { title(name: string): string; value(name: string, v: unknown): string; fields: FieldDef[] } {
  const t = useT()
  const { i18n } = useWorld()
  const fields = useDeskState((s) => s.fields).filter((f) => f.of === of)
  const known = (name: string) => fields.find((f) => f.name === name)
  const value = (name: string, v: unknown): string => {
    if (v === null || v === undefined) return '–'
    if (typeof v === 'boolean') return t(v ? 'desk_yes' : 'desk_no')
    if (typeof v === 'number') return i18n.number(v, { maximumFractionDigits: 20, useGrouping: false })
    if (typeof v !== 'string') return JSON.stringify(v)
    const day = known(name)?.type === 'date' ? new Date(v + 'T00:00') : null
    return day && !Number.isNaN(day.getTime()) ? i18n.date(day) : v
  }
  return { title: (name) => known(name)?.title || name, value, fields }
}
