import { may } from '../core/session'
import { Badge } from '../parts/controls'
import { useLoad, useT, useWorld } from '../parts/world'
import type { SectionProps } from '.'
import { Loaded } from './kit/page'
import { useKnown } from './kit/people'
import { ResourcePage } from './kit/resource'

export default function Teams({ rest }: SectionProps) {
  const t = useT()
  const { session } = useWorld()
  const load = useLoad(useKnown(), [])
  return (
    <Loaded load={load}>
      {({ agents }) => (
        <ResourcePage
          at={rest[0]}
          of={{
            id: 'teams',
            page: '/admin/teams',
            path: '/v1/teams',
            canWrite: may(session, 'queues.write'),
            canDelete: true,
            start: { members: [] },
            nameSpec: { name: 'name', label: t('admin_name_field'), hint: t('admin_team_name_hint'), placeholder: 'night' },
            titleOf: (v) => String(v.title || v.name),
            aboutOf: (v) => (v.members as string[]).map((id) => agents.find((a) => a.id === id)?.title ?? id).join(', ') || t('admin_team_empty'),
            badgesOf: (v) => <Badge>{t('admin_members_n', { n: (v.members as string[]).length })}</Badge>,
            specs: () => [
              { name: 'title', label: t('admin_title_field') },
              { name: 'members', label: t('admin_members'), type: 'many', choices: agents },
            ],
            bodyOf: ({ name: _, ...v }) => ({ ...v, members: v.members ?? [] }),
          }}
        />
      )}
    </Loaded>
  )
}
