import { may } from '../core/session'
import { Badge } from '../parts/controls'
import { useT, useWorld } from '../parts/world'
import type { SectionProps } from '.'
import { ResourcePage } from './kit/resource'

export const fieldTypes = ['text', 'number', 'choice', 'date', 'yes_no']

export default function Fields({ rest }: SectionProps) {
  const t = useT()
  const { session } = useWorld()
  const of = ['conversation', 'contact'].map((id) => ({ id, title: t('admin_field_of_' + id) }))
  return (
    <ResourcePage
      at={rest[0]}
      of={{
        id: 'fields',
        page: '/admin/fields',
        path: '/v1/fields',
        canWrite: may(session, 'desk.write'),
        canDelete: true,
        start: { of: 'conversation', type: 'text' },
        nameSpec: { name: 'name', label: t('admin_name_field'), hint: t('admin_field_name_hint'), placeholder: 'order_number' },
        titleOf: (v) => String(v.title || v.name),
        aboutOf: (v) => t('admin_field_of_' + String(v.of)),
        badgesOf: (v) => <Badge>{t('admin_type_' + String(v.type))}</Badge>,
        specs: (_, isNew) => [
          { name: 'title', label: t('admin_title_field') },
          ...(isNew ? [{ name: 'of', label: t('admin_field_of'), type: 'choice' as const, required: true, choices: of }] : []),
          { name: 'type', label: t('admin_field_type'), type: 'choice', required: true, choices: fieldTypes.map((id) => ({ id, title: t('admin_type_' + id) })) },
          { name: 'choices', label: t('admin_field_choices'), hint: t('admin_one_per_line'), type: 'lines', required: true, when: (v) => v.type === 'choice' },
        ],
        bodyOf: ({ name: _, choices, ...v }) => ({ ...v, ...(v.type === 'choice' ? { choices } : {}) }),
        formOf: ({ created_at: _c, updated_at: _u, choices, ...v }) => ({ ...v, ...((choices as string[] | undefined)?.length ? { choices } : {}) }),
      }}
    />
  )
}
