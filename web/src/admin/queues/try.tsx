import { useState } from 'preact/hooks'
import { Button, Field } from '../../parts/controls'
import { useT, useWorld } from '../../parts/world'
import type { Values } from '../kit/form'
import { Trouble, When } from '../kit/page'
import type { Choice } from '../kit/people'
import { span } from './sentences'

interface Outcome {
  accepted: number
  unserved: number
  wait_p50_seconds: number
  wait_p90_seconds: number
  agents: { agent: string; accepted: number }[]
}

interface Would {
  arrived: number
  was: Outcome
  would: Outcome
  same_agent: number
  differences: { conversation: string; queue: string; at: string; was?: string; would?: string; was_wait_seconds?: number; would_wait_seconds?: number }[]
  different: number
}

const periods = [1, 7, 30]
const playable = ['everyone', 'least_busy', 'round_robin', 'skills', 'expression']

// TryRule plays the past again under another rule, and says what would have gone differently.
export function TryRule({ queue, agents }: { queue: Values; agents: Choice[] }) {
  const t = useT()
  const { api } = useWorld()
  const [chosen, choose] = useState('')
  const rule = chosen || (playable.includes(String(queue.rule)) ? String(queue.rule) : 'least_busy') // as the form has it, also unsaved
  const [days, period] = useState(7)
  const [typed, write] = useState<string | null>(null)
  const settings = (queue.settings ?? {}) as { expression?: string; skills?: Record<string, number> }
  const expression = typed ?? settings.expression ?? ''
  const [state, set] = useState<{ busy: boolean; would?: Would; error?: unknown }>({ busy: false })
  const ask = async (e: SubmitEvent) => {
    e.preventDefault()
    set({ busy: true })
    const from = new Date(Date.now() - days * 86_400_000).toISOString()
    try {
      const would = await api.post<Would>('/v1/routing/what-if', { rule, queue: queue.name, from, ...(rule === 'expression' ? { settings: { expression } } : rule === 'skills' && settings.skills ? { settings: { skills: settings.skills } } : {}) })
      set({ busy: false, would })
    } catch (error) {
      set({ busy: false, error })
    }
  }
  return (
    <section class="card stack" aria-labelledby="try-it">
      <h2 id="try-it">{t('admin_try_title')}</h2>
      <p class="soft">{t('admin_try_about')}</p>
      <form class="filters" onSubmit={(e) => void ask(e)}>
        <Field label={t('admin_queue_rule')}>
          {(a) => (
            <select {...a} class="input" value={rule} onChange={(e) => choose(e.currentTarget.value)}>
              {playable.map((r) => (
                <option key={r} value={r}>
                  {t('admin_queue_rule_' + r)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={t('admin_try_period')}>
          {(a) => (
            <select {...a} class="input" value={String(days)} onChange={(e) => period(Number(e.currentTarget.value))}>
              {periods.map((d) => (
                <option key={d} value={String(d)}>
                  {t('admin_try_days', { n: d })}
                </option>
              ))}
            </select>
          )}
        </Field>
        {rule === 'expression' && <Field label={t('admin_queue_expression')} required value={expression} dir="ltr" onInput={(e) => write(e.currentTarget.value)} />}
        <Button main type="submit" disabled={state.busy}>
          {state.busy ? t('admin_try_busy') : t('admin_try')}
        </Button>
      </form>
      {state.error !== undefined && <Trouble error={state.error} />}
      <div aria-live="polite">{state.would && <Answer would={state.would} agents={agents} />}</div>
    </section>
  )
}

function Answer({ would: w, agents }: { would: Would; agents: Choice[] }) {
  const t = useT()
  const nameOf = (id?: string) => (id ? (agents.find((a) => a.id === id)?.title ?? id) : t('admin_try_nobody'))
  if (w.arrived === 0) return <p class="notice">{t('admin_try_nothing')}</p>
  const rows: [string, string | number, string | number][] = [
    [t('admin_try_accepted'), w.was.accepted, w.would.accepted],
    [t('admin_try_unserved'), w.was.unserved, w.would.unserved],
    [t('admin_try_p50'), span(Math.round(w.was.wait_p50_seconds)), span(Math.round(w.would.wait_p50_seconds))],
    [t('admin_try_p90'), span(Math.round(w.was.wait_p90_seconds)), span(Math.round(w.would.wait_p90_seconds))],
  ]
  for (const id of new Set([...w.was.agents, ...w.would.agents].map((a) => a.agent))) {
    const n = (o: Outcome) => o.agents.find((a) => a.agent === id)?.accepted ?? 0
    rows.push([t('admin_try_had', { name: nameOf(id) }), n(w.was), n(w.would)])
  }
  return (
    <div class="stack">
      <p>{t('admin_try_sum', { n: w.arrived, same: w.same_agent, different: w.different })}</p>
      <div class="table-box" role="region" aria-label={t('admin_try_title')} tabIndex={0}>
        <table class="table">
          <thead>
            <tr>
              <td />
              <th scope="col" class="number">
                {t('admin_try_was')}
              </th>
              <th scope="col" class="number">
                {t('admin_try_would')}
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([what, was, would]) => (
              <tr key={what}>
                <th scope="row">{what}</th>
                <td class="number">{was}</td>
                <td class="number">{would}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {w.differences.length > 0 && (
        <details>
          <summary>{t('admin_try_differences', { n: w.different })}</summary>
          <ul class="bullets">
            {w.differences.map((d) => (
              <li key={d.conversation + d.at}>
                <When at={d.at} /> · <a href={'/desk/c/' + d.conversation}>{t('admin_try_conversation')}</a>: {nameOf(d.was)} → {nameOf(d.would)}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  )
}
