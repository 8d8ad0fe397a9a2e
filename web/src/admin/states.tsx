import { may } from '../core/session'
import { Badge } from '../parts/controls'
import { useT, useWorld } from '../parts/world'
import type { SectionProps } from '.'
import { ResourcePage } from './kit/resource'

export default function AgentStates({ rest }: SectionProps) {
  const t = useT()
  const { session } = useWorld()
  return (
    <ResourcePage
      at={rest[0]}
      of={{
        id: 'states',
        page: '/admin/states',
        path: '/v1/agent-states',
        canWrite: may(session, 'queues.write'),
        canDelete: may(session, 'queues.write'),
        deletable: (v) => !['active', 'inactive'].includes(String(v.name)),
        start: { available: false },
        nameSpec: { name: 'name', label: t('admin_name_field'), placeholder: 'lunch' },
        titleOf: (v) => String(v.title || v.name),
        aboutOf: (v) => t(v.available ? 'admin_state_asked' : 'admin_state_not_asked'),
        badgesOf: (v) => <Badge {...(v.available ? { kind: 'good' as const } : {})}>{t(v.available ? 'admin_state_available' : 'admin_state_away')}</Badge>,
        specs: () => [
          { name: 'title', label: t('admin_title_field') },
          { name: 'available', label: t('admin_state_available_field'), hint: t('admin_state_available_hint'), type: 'check' },
        ],
        bodyOf: ({ name: _, ...v }) => ({ ...v, available: v.available === true }),
      }}
    />
  )
}
