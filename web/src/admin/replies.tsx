import { may } from '../core/session'
import { languages } from '../core/i18n'
import { Badge } from '../parts/controls'
import { useLoad, useT, useWorld } from '../parts/world'
import type { SectionProps } from '.'
import type { Spec, Values } from './kit/form'
import { Loaded } from './kit/page'
import { useKnown } from './kit/people'
import { ResourcePage } from './kit/resource'

export default function Replies({ rest }: SectionProps) {
  const t = useT()
  const { api, session, i18n } = useWorld()
  const load = useLoad(useKnown(), [])
  const nameOf = (l: string) => {
    try {
      return new Intl.DisplayNames(i18n.language, { type: 'language' }).of(l) ?? l
    } catch {
      return l
    }
  }
  const languagesOf = (v: Values): string[] => [...new Set([...Object.keys((v.texts ?? {}) as object), ...Object.keys(languages)])]
  const specs = (v: Values): Spec[] => [
    { name: 'title', label: t('admin_title_field') },
    { name: 'shortcut', label: t('admin_reply_shortcut'), hint: t('admin_reply_shortcut_hint'), placeholder: String(v.name ?? '') },
    ...languagesOf(v).map((l, i): Spec => ({ name: 'texts.' + l, label: nameOf(l), type: 'area', ...(i === 0 ? { group: t('admin_reply_texts'), hint: t('admin_reply_texts_hint') } : {}) })),
    { name: 'language', label: t('admin_reply_language'), hint: t('admin_reply_language_hint'), type: 'choice', choices: Object.keys((v.texts ?? {}) as object).map((id) => ({ id, title: nameOf(id) })) },
    { name: 'queues', label: t('admin_only_queues'), hint: t('admin_only_queues_hint'), type: 'many', choices: load.value?.queues ?? [] },
  ]
  return (
    <Loaded load={load}>
      {() => (
        <ResourcePage
          at={rest[0]}
          of={{
            id: 'replies',
            page: '/admin/replies',
            path: '/v1/replies',
            all: () => api.all<Values>('/v1/replies'),
            canWrite: may(session, 'desk.write'),
            canDelete: true,
            start: { texts: {} },
            nameSpec: { name: 'name', label: t('admin_name_field'), placeholder: 'greeting' },
            titleOf: (v) => String(v.title || v.name),
            aboutOf: (v) => Object.values(v.texts as Record<string, string>)[0]?.slice(0, 140),
            badgesOf: (v) => (
              <>
                <Badge kind="calm">/{String(v.shortcut)}</Badge>
                {Object.keys(v.texts as object).map((l) => (
                  <Badge key={l}>{l}</Badge>
                ))}
              </>
            ),
            specs,
            formOf: ({ created_at: _c, updated_at: _u, queues, ...v }) => ({ ...v, ...((queues as string[] | undefined)?.length ? { queues } : {}) }),
          }}
        />
      )}
    </Loaded>
  )
}
