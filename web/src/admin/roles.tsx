import { may } from '../core/session'
import { Badge } from '../parts/controls'
import { useLoad, useT, useWorld } from '../parts/world'
import type { SectionProps } from '.'
import { Loaded } from './kit/page'
import { ResourcePage } from './kit/resource'

export default function Roles({ rest }: SectionProps) {
  const t = useT()
  const { api, session } = useWorld()
  const load = useLoad(async () => (await api.get<{ items: { name: string; what: string }[] }>('/v1/rights')).items, [])
  const reach = ['own', 'queues', 'all'].map((id) => ({ id, title: t('admin_reach_' + id) }))
  return (
    <Loaded load={load}>
      {(rights) => (
        <ResourcePage
          at={rest[0]}
          of={{
            id: 'roles',
            page: '/admin/roles',
            path: '/v1/roles',
            canWrite: may(session, 'roles'),
            canDelete: true,
            deletable: (v) => v.built_in !== true,
            start: { rights: ['conversations.read', 'conversations.write', 'contacts.read'], reach: 'queues' },
            nameSpec: { name: 'name', label: t('admin_name_field'), placeholder: 'night-shift' },
            aboutOf: (v) => `${v.all ? t('admin_role_all') : t('admin_role_rights', { n: (v.rights as string[]).length })} · ${t('admin_reach_' + String(v.reach))}`,
            badgesOf: (v) => (v.built_in ? <Badge>{t('admin_role_built_in')}</Badge> : null),
            specs: () => [
              { name: 'reach', label: t('admin_role_reach'), hint: t('admin_role_reach_hint'), type: 'choice', required: true, choices: reach },
              { name: 'rights', label: t('admin_role_rights_field'), type: 'many', choices: rights.map((r) => ({ id: r.name, title: r.name, hint: r.what })) },
            ],
            formOf: ({ name, rights: own, reach: r, built_in, all }) => ({ name, rights: all ? rights.map((x) => x.name) : own, reach: r, ...(built_in ? { built_in } : {}) }),
            bodyOf: ({ rights: own, reach: r }) => ({ rights: own ?? [], reach: r }),
          }}
        />
      )}
    </Loaded>
  )
}
