import { Button } from '../parts/controls'
import { Icon } from '../parts/icon'
import { useT, useWorld } from '../parts/world'
import { useDesk, useDeskState } from './context'
import type { Event, Run } from './types'
import { useShown } from './typed'

const text = (v: unknown) => (typeof v === 'string' ? v : '')

// RunLine is an action that another system has not done yet, or has refused.
export function RunLine({ run }: { run: Run }) {
  const t = useT()
  const { acts, desk, ask } = useDesk()
  const { i18n } = useWorld()
  const { wrong } = run
  if (!wrong)
    return (
      <p class="place-line run soft small">
        <Icon name="clock" /> <bdi>{t('desk_action_runs', { title: run.title })}</bdi> <progress aria-label={t('desk_action_runs', { title: run.title })} />
      </p>
    )
  const key = 'problem_' + wrong.code
  return (
    <div class="place-line run bad">
      <p class="small">
        <Icon name="warn" /> <bdi>{t('desk_action_failed', { title: run.title })}</bdi> <bdi>{i18n.has(key) ? t(key, { n: wrong.retryAfter }) : wrong.detail}</bdi>
      </p>
      <p class="row">
        {wrong.errors.length ? (
          <Button tight onClick={() => ask({ what: 'action', id: run.conversation, run })}>
            {t('desk_change')}
          </Button>
        ) : (
          <Button tight onClick={() => void acts.run(run)}>
            {t('retry')}
          </Button>
        )}
        <Button tight plain onClick={() => desk.store.do({ do: 'run', key: run.key, run: null })}>
          {t('desk_discard')}
        </Button>
      </p>
    </div>
  )
}

// ActionLine is what another system did at an agent's word, and what it said.
export function ActionLine({ e }: { e: Event }) {
  const t = useT()
  const { i18n } = useWorld()
  const agents = useDeskState((s) => s.agents)
  const shown = useShown('conversation')
  const d = e.data ?? {}
  const by = agents.find((a) => a.id === e.sender?.id)?.name ?? e.sender?.name ?? ''
  const set = Object.entries((d.fields ?? {}) as Record<string, unknown>)
  const refused = Object.entries((d.refused ?? {}) as Record<string, string>)
  const url = text(d.url)
  return (
    <div class="place-line">
      <p class="soft small">
        <Icon name="bolt" /> <bdi>{t('desk_place_action', { what: text(d.title) || text(d.action) })}</bdi>
        {by && <> · <bdi>{by}</bdi></>}
        {' · '}
        <time dateTime={e.at}>{i18n.time(new Date(e.at))}</time>
      </p>
      {(text(d.text) || url || set.length > 0 || refused.length > 0) && (
        <div class="action-said">
          {text(d.text) && <p class="words" dir="auto">{text(d.text)}</p>}
          {set.map(([name, v]) => (
            <p key={name} class="small">
              <bdi>{shown.title(name)}</bdi>: <bdi>{shown.value(name, v)}</bdi>
            </p>
          ))}
          {refused.map(([name, why]) => (
            <p key={name} class="small refused">
              <bdi>{t('desk_action_refused', { field: shown.title(name), why })}</bdi>
            </p>
          ))}
          {/^https?:\/\//.test(url) && (
            <a class="small" href={url} target="_blank" rel="noopener noreferrer nofollow">
              {t('desk_action_open')}
            </a>
          )}
        </div>
      )}
    </div>
  )
}
