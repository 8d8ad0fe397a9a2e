import { useState } from 'preact/hooks'
import { may } from '../core/session'
import { Badge, Button } from '../parts/controls'
import { useLoad, useT, useWorld } from '../parts/world'
import type { SectionProps } from '.'
import { Trouble } from './kit/page'
import { ResourcePage } from './kit/resource'
import type { Agent, User } from './kit/types'

// Agents have the ids of users: who is none yet becomes one when their limit or skills are stored.
export default function Agents({ rest }: SectionProps) {
  const t = useT()
  const { api, session } = useWorld()
  const all = async () => {
    const { items } = await api.get<{ items: Agent[] }>('/v1/agents')
    const users = may(session, 'users') ? await api.all<User>('/v1/users', { status: 'active' }) : []
    const fresh = users.filter((u) => !items.some((a) => a.id === u.id)).map((u) => ({ id: u.id, name: u.name, none: true }))
    return [...items, ...fresh] as unknown as Record<string, unknown>[]
  }
  return (
    <ResourcePage
      at={rest[0]}
      of={{
        id: 'agents',
        page: '/admin/agents',
        path: '/v1/agents',
        name: 'id',
        all,
        fixed: true,
        canWrite: may(session, 'queues.write'),
        start: {},
        nameSpec: { name: 'id', label: t('admin_id') },
        titleOf: (v) => String(v.name || v.id),
        aboutOf: (v) => (v.none ? t('admin_agent_none') : t('admin_agent_about', { load: Number(v.load ?? 0), capacity: v.capacity ? Number(v.capacity) : '∞', skills: Object.keys((v.skills ?? {}) as object).join(', ') || '—' })),
        badgesOf: (v) => (v.none ? null : <Badge {...(v.available ? { kind: 'good' as const } : {})}>{String(v.state)}</Badge>),
        specs: () => [
          { name: 'name', label: t('name'), required: true },
          { name: 'capacity', label: t('admin_agent_capacity'), hint: t('admin_agent_capacity_hint'), type: 'number', min: 0, max: 1000, placeholder: '5' },
          { name: 'skills', label: t('admin_agent_skills'), hint: t('admin_agent_skills_hint'), type: 'levels' },
        ],
        formOf: (v) => ({ id: v.id, name: v.name, ...(v.capacity === undefined ? {} : { capacity: v.capacity }), ...(v.skills && Object.keys(v.skills).length ? { skills: v.skills } : {}) }),
        extra: (v) => (v.none ? null : <State id={String(v.id)} state={String(v.state)} />),
      }}
    />
  )
}

// State puts an agent into another state: who forgot to sign off, for instance.
function State({ id, state }: { id: string; state: string }) {
  const t = useT()
  const { api, session } = useWorld()
  const load = useLoad(async () => (await api.get<{ items: { name: string; title?: string }[] }>('/v1/agent-states')).items, [])
  const [now, set] = useState(state)
  const [error, fail] = useState<unknown>(null)
  const change = (to: string) => {
    fail(null)
    api.post(`/v1/agents/${encodeURIComponent(id)}/state`, { state: to }).then(() => set(to), fail)
  }
  if (!may(session, 'queues.write')) return null
  return (
    <section class="card stack" aria-labelledby="agent-state">
      <h2 id="agent-state">{t('admin_agent_state')}</h2>
      <div class="row wrap">
        {(load.value ?? []).map((s) => (
          <Button key={s.name} pressed={s.name === now} onClick={() => change(s.name)}>
            {s.title || s.name}
          </Button>
        ))}
      </div>
      {error !== null && <Trouble error={error} />}
    </section>
  )
}
