import { may } from '../../core/session'
import { Badge } from '../../parts/controls'
import { Icon } from '../../parts/icon'
import { useLoad, useT, useWorld } from '../../parts/world'
import type { SectionProps } from '..'
import type { Spec, Values } from '../kit/form'
import { Loaded } from '../kit/page'
import { useKnown, type Known } from '../kit/people'
import { ResourcePage } from '../kit/resource'
import { sentences } from './sentences'
import { TryRule } from './try'

export const rules = ['everyone', 'least_busy', 'round_robin', 'skills', 'expression', 'http'] as const

type T = (key: string, p?: Record<string, string | number>) => string

export default function Queues({ rest }: SectionProps) {
  const t = useT()
  const { session } = useWorld()
  const read = useKnown()
  const load = useLoad(read, [])
  const write = may(session, 'queues.write')
  return (
    <Loaded load={load}>
      {(known) => (
        <ResourcePage
          at={rest[0]}
          of={{
            id: 'queues',
            page: '/admin/queues',
            path: '/v1/queues',
            canWrite: write,
            canDelete: write,
            start: { rule: 'everyone', members: [] },
            nameSpec: { name: 'name', label: t('admin_queue_name'), hint: t('admin_queue_name_hint'), placeholder: 'support' },
            titleOf: (v) => String(v.title || v.name),
            aboutOf: (v) => sentences(v, known, t)[0],
            badgesOf: (v) => <Waiting name={String(v.name)} />,
            specs: (v) => queueSpecs(v, known, t),
            formOf,
            bodyOf: ({ name: _, ...v }) => ({ ...v, members: v.members ?? [] }),
            beside: (v) => (
              <>
                <Sentences value={v} known={known} />
                {rest[0] !== 'new' && <TryRule queue={v} agents={known.agents} />}
              </>
            ),
          }}
        />
      )}
    </Loaded>
  )
}

// formOf drops what is nothing, so that it is no difference to an empty field; but to have no more time is something.
function formOf(v: Values): Values {
  const settings = Object.fromEntries(Object.entries((v.settings ?? {}) as Values).filter(([k, x]) => (x !== 0 || k === 'extend_times') && x !== ''))
  const { settings: _, ...rest } = v
  return { ...rest, ...(Object.keys(settings).length ? { settings } : {}) }
}

// queueSpecs are the inputs of a queue: who is asked, the times, what happens when nobody can.
function queueSpecs(v: Values, known: Known, t: T): Spec[] {
  const number = (name: string, more: Partial<Spec> = {}): Spec => ({ name: 'settings.' + name, label: t('admin_queue_' + name), hint: t(`admin_queue_${name}_hint`), type: 'number', min: 0, ...more })
  const s = (v.settings ?? {}) as Values
  const then = (name: string, when: boolean): Spec[] =>
    !when
      ? []
      : [
          { name: `settings.${name}.queue`, label: t('admin_queue_then_queue', { when: t('admin_queue_' + name) }), type: 'choice', choices: known.queues.filter((q) => q.id !== v.name) },
          { name: `settings.${name}.flow`, label: t('admin_queue_then_flow', { when: t('admin_queue_' + name) }), type: 'choice', choices: known.flows },
          { name: `settings.${name}.say`, label: t('admin_queue_then_say', { when: t('admin_queue_' + name) }), type: 'area' },
          { name: `settings.${name}.close`, label: t('admin_queue_then_close', { when: t('admin_queue_' + name) }), type: 'check' },
        ]
  return [
    { name: 'title', label: t('admin_title_field'), hint: t('admin_queue_title_hint') },
    { name: 'rule', label: t('admin_queue_rule'), hint: t('admin_queue_rule_' + String(v.rule) + '_about'), type: 'choice', required: true, choices: rules.map((id) => ({ id, title: t('admin_queue_rule_' + id) })) },
    { name: 'settings.skills', label: t('admin_queue_skills'), hint: t('admin_queue_skills_hint'), type: 'levels', when: (x) => x.rule === 'skills' },
    { name: 'settings.expression', label: t('admin_queue_expression'), hint: t('admin_queue_expression_hint'), type: 'code', required: true, when: (x) => x.rule === 'expression' },
    { name: 'settings.url', label: t('admin_queue_url'), hint: t('admin_queue_url_hint'), type: 'url', required: true, when: (x) => x.rule === 'http' },
    { name: 'settings.secret', label: t('admin_queue_secret'), hint: t('admin_queue_secret_hint'), type: 'secret', when: (x) => x.rule === 'http' },
    number('timeout_ms', { max: 10000, when: (x) => x.rule === 'http' }),
    { name: 'members', label: t('admin_members'), type: 'many', choices: [...known.teams.map((x) => ({ id: 'team:' + x.id, title: x.title, hint: t('admin_team') })), ...known.agents] },
    number('accept_seconds', { max: 86400, placeholder: '300' }),
    number('extend_times', { max: 20, placeholder: '1' }),
    { ...number('hours'), type: 'choice', choices: known.hours, placeholder: t('admin_queue_always'), group: t('admin_queue_group_limits') },
    ...then('when_closed', s.hours !== undefined || s.when_closed !== undefined),
    number('limit'),
    ...then('when_full', s.limit !== undefined || s.when_full !== undefined),
    number('max_wait_seconds'),
    ...then('after_max_wait', s.max_wait_seconds !== undefined || s.after_max_wait !== undefined),
    { ...number('tell_wait'), type: 'area', placeholder: t('admin_queue_tell_wait_example') },
    number('first_reply_seconds', { group: t('admin_queue_group_times') }),
    number('next_reply_seconds'),
    number('target_percent', { max: 100 }),
    number('target_seconds'),
    number('close_after_minutes', { group: t('admin_queue_group_end') }),
    { ...number('close_counts'), type: 'choice', choices: ['ours', 'any'].map((id) => ({ id, title: t('admin_queue_close_' + id) })), when: () => s.close_after_minutes !== undefined },
    { ...number('close_text'), type: 'area', when: () => s.close_after_minutes !== undefined },
    number('reopen_minutes'),
  ]
}

function Sentences({ value, known }: { value: Values; known: Known }) {
  const t = useT()
  return (
    <section class="card stack" aria-labelledby="sentences">
      <h2 id="sentences">{t('admin_queue_in_words')}</h2>
      <ol class="sentences">
        {sentences(value, known, t).map((s) => (
          <li key={s}>
            <span>{s}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}

interface Now {
  open: boolean
  waiting: number
  oldest_seconds: number
  agents: { free: number; busy: number; away: number }
}

// Waiting is how a queue stands now.
function Waiting({ name }: { name: string }) {
  const t = useT()
  const { api, i18n } = useWorld()
  const { value } = useLoad(() => api.get<Now>(`/v1/queues/${encodeURIComponent(name)}/waiting`), [name])
  if (!value) return null
  return (
    <>
      {!value.open && <Badge>{t('admin_queue_closed_now')}</Badge>}
      <Badge kind={value.agents.free > 0 ? 'good' : 'warn'}>{t('admin_queue_free', { n: value.agents.free })}</Badge>
      {value.waiting > 0 && (
        <Badge kind="warn">
          <Icon name="clock" /> {t('admin_queue_waiting', { n: value.waiting, since: i18n.span(value.oldest_seconds * 1000) })}
        </Badge>
      )}
    </>
  )
}

