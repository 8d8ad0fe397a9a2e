import type { Spec } from '../kit/form'
import type { Connector, Property } from '../kit/types'
import type { Setting } from '.'

// specOf makes an input of a property of the connector's JSON Schema.
function specOf(name: string, p: Property, required: boolean): Spec {
  const spec: Spec = { name: 'settings.' + name, label: p.title ?? name, required: required && p.default === undefined }
  if (p.description) spec.hint = p.description
  if (p.default !== undefined && typeof p.default !== 'object') spec.placeholder = String(p.default)
  if (p.enum) spec.choices = p.enum.map((id) => ({ id, title: id }))
  spec.type = p.writeOnly ? 'secret' : p.enum ? 'choice' : typeOf(p)
  return spec
}

function typeOf(p: Property): NonNullable<Spec['type']> {
  switch (p.type) {
    case 'boolean':
      return 'check'
    case 'integer':
    case 'number':
      return 'number'
    case 'object':
    case 'array':
      return 'json'
    default:
      return 'text'
  }
}

// settingSpecs are the inputs of a connector's settings: what is needed first, then the rest.
export function settingSpecs(c: Connector, more: string): Spec[] {
  const required = new Set(c.settings.required ?? [])
  const all = Object.entries(c.settings.properties)
  const needed = all.filter(([n]) => required.has(n))
  const rest = all.filter(([n]) => !required.has(n))
  return [...needed.map(([n, p]) => specOf(n, p, true)), ...rest.map(([n, p], i) => ({ ...specOf(n, p, false), ...(i === 0 && needed.length > 0 ? { group: more } : {}) }))]
}

// whoAnswers are the inputs for where conversations of a channel begin.
export function whoAnswers(all: Setting, t: (k: string) => string): Spec[] {
  return [
    { name: 'flow', label: t('admin_channel_flow_field'), hint: t('admin_channel_flow_hint'), type: 'choice', placeholder: t('admin_channel_no_flow'), choices: all.flows.map((f) => ({ id: f.name, title: f.name })), group: t('admin_channel_who_answers') },
    { name: 'queue', label: t('admin_channel_queue_field'), hint: t('admin_channel_queue_hint'), type: 'choice', choices: all.queues.map((q) => ({ id: q.name, title: q.title || q.name })) },
  ]
}

// defaults are the values that a form begins with.
export function defaults(c: Connector): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const [n, p] of Object.entries(c.settings.properties)) if (p.default !== undefined) out[n] = p.default
  return out
}
