import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Problem } from '../core/problem'
import { Badge, Button, Check, Empty, Tabs } from '../parts/controls'
import { Icon } from '../parts/icon'
import { LineState } from '../parts/line'
import { useLoad, useNow, useStore, useT, useWorld } from '../parts/world'
import { fromEvent, type ChatEvent } from './bubble'
import type { Lab, LabState } from './lab'
import { Writer } from './phone'

// AgentSide is the one who answers, as the desk would, and what the flow did before.
export function AgentSide({ lab }: { lab: Lab }) {
  const t = useT()
  const s = useStore(lab.store, (x) => x)
  const [tab, show] = useState<'talk' | 'bot'>('talk')
  const [since] = useState(() => Date.now())
  return (
    <section class="lab-pane lab-agent" aria-labelledby="lab-agent">
      <h2 id="lab-agent" class="lab-head">
        <Icon name="desk" /> {t('playground_agent')}
        <span class="grow" />
        {s.conversation && <LineState line={{ state: s.line, since }} />}
      </h2>
      <Bar lab={lab} s={s} />
      <Tabs<'talk' | 'bot'>
        label={t('playground_views')}
        tabs={[
          { id: 'talk', title: t('playground_talk') },
          { id: 'bot', title: t('playground_bot') },
        ]}
        at={tab}
        onChange={show}
      />
      {tab === 'talk' ? <Talk lab={lab} s={s} /> : <BotView events={s.events} />}
    </section>
  )
}

// Bar says where the conversation is and moves it.
function Bar({ lab, s }: { lab: Lab; s: LabState }) {
  const t = useT()
  const { session, toasts, api } = useWorld()
  const me = session!.user.id
  const agent = useLoad((signal) => api.get<{ state: string }>('/v1/agents/' + me, {}, signal), [])
  const run = (what: string, body: unknown = {}) => lab.act(what, body).catch((err: unknown) => toasts.bad(err))
  const mine = s.where.state === 'assigned' && s.where.assignee === me
  const open = s.conversation !== '' && s.where.state !== 'closed'
  const take = () => (s.where.offered?.includes(me) ? run('accept', { agent: me }) : run('assign', { assignee: me }))
  const begin = async () => {
    try {
      if (agent.error instanceof Problem && agent.error.status === 404) await api.put('/v1/agents/' + me, { name: session!.user.name })
      await api.post(`/v1/agents/${me}/state`, { state: 'active' })
      agent.again()
    } catch (err) {
      toasts.bad(err)
    }
  }
  return (
    <div class="lab-bar">
      <Badge kind={s.where.state === 'queued' ? 'warn' : s.where.state === 'assigned' ? 'good' : 'calm'}>{t('playground_at_' + s.where.state, { queue: s.where.queue ?? '', flow: s.where.flow ?? '' })}</Badge>
      {s.where.offered?.includes(me) && <Badge kind="accent">{t('playground_offered')}</Badge>}
      <span class="grow" />
      {open && !mine && (
        <Button tight main onClick={() => void take()}>
          {t(s.where.state === 'queued' ? 'playground_accept' : 'playground_take')}
        </Button>
      )}
      {open && s.where.state !== 'bot' && (
        <Button tight onClick={() => void run('bot')}>
          {t('playground_to_bot')}
        </Button>
      )}
      {open && (
        <Button tight onClick={() => void run('close')}>
          {t('playground_close')}
        </Button>
      )}
      {(agent.error || (agent.value && agent.value.state !== 'active')) && (
        <p class="notice lab-wide">
          <span class="grow">{t('playground_inactive')}</span>
          <Button tight onClick={() => void begin()}>
            {t('playground_activate')}
          </Button>
        </p>
      )}
    </div>
  )
}

function Talk({ lab, s }: { lab: Lab; s: LabState }) {
  const t = useT()
  const { toasts } = useWorld()
  const now = useNow()
  const [note, set] = useState(false)
  const list = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => void list.current?.scrollTo({ top: list.current.scrollHeight }), [s.events.length])
  const send = (text: string) => void lab.act(note ? 'notes' : 'messages', { text }).catch((err: unknown) => toasts.bad(err))
  const writes = () => note || void lab.act('typing').catch(() => {}) // a signal may get lost
  const shown = s.events.filter((e) => told.has(e.kind))
  return (
    <>
      <div class="lab-talk" role="log" aria-label={t('playground_agent_log')} tabIndex={0} ref={list}>
        {shown.length === 0 && <Empty title={t('playground_nothing_yet')} />}
        {shown.map((e) => (
          <Line key={e.pos} e={e} />
        ))}
        {s.typing.consumer > now.getTime() && <p class="soft small">{t('playground_consumer_typing')}</p>}
      </div>
      <div class="lab-answer">
        <Check label={t('playground_note')} checked={note} onChange={set} />
        <Writer
          label={t(note ? 'playground_note_text' : 'playground_agent_writes')}
          placeholder={t(note ? 'playground_note_text' : 'playground_answer')}
          disabled={!s.conversation || s.where.state === 'closed'}
          onSend={send}
          onWrite={writes}
          send={t('playground_send_answer')}
        />
      </div>
    </>
  )
}

const told = new Set(['message', 'note', 'opened', 'bot', 'queued', 'assigned', 'closed', 'offered'])

function Line({ e }: { e: ChatEvent }) {
  const t = useT()
  const { i18n } = useWorld()
  if (e.kind !== 'message' && e.kind !== 'note') {
    const d = (e.data ?? {}) as { queue?: string; flow?: string; reason?: string }
    return (
      <p class="lab-moved small">
        <span class="number">{e.seq}</span> {t('playground_did_' + e.kind, { queue: d.queue ?? '', flow: d.flow ?? '' })}
        {d.reason && ` · ${d.reason}`}
      </p>
    )
  }
  const b = fromEvent(e)
  return (
    <div class={'lab-line ' + (e.kind === 'note' ? 'note' : e.direction)}>
      <span class="lab-who small">
        <span class="number">{e.seq}</span> {e.kind === 'note' && t('playground_note_by')} {b.from} · {i18n.time(new Date(b.at))}
        {e.direction === 'out' && e.status && ` · ${t('playground_status_' + e.status)}`}
      </span>
      {b.parts.map((p, i) => (
        <p key={i} dir="auto">
          {p.text}
          {p.buttons.length > 0 && <span class="soft"> [{p.buttons.map((x) => x.title).join(' | ')}]</span>}
        </p>
      ))}
    </div>
  )
}

interface Step {
  flow: string
  version: number
  trace: {
    state: string
    kind: string
    entered?: string[]
    effects?: string[]
    ignored?: string
    decisions?: { from: string; to?: string; candidates?: { dest: string; for: number; against: number }[] }[]
    answers?: { name: string; accepted: boolean; why?: string }[]
    set?: { name: string }[]
  }
}

// BotView tells what the flow decided, step by step.
function BotView({ events }: { events: readonly ChatEvent[] }) {
  const t = useT()
  const steps = events.filter((e) => e.kind === 'flow_step')
  return (
    <div class="lab-talk" tabIndex={0} role="region" aria-label={t('playground_bot')}>
      {steps.length === 0 && <Empty title={t('playground_no_steps')} />}
      <ol class="stack">
        {steps.map((e) => {
          const { flow, version, trace } = e.data as Step
          return (
            <li key={e.pos} class="lab-step">
              <strong>{trace.state || '–'}</strong>{' '}
              <span class="soft small">
                <span class="number">{e.seq}</span> · {flow} {version}
              </span>
              {trace.decisions?.map((d, i) => (
                <p key={i} class="small">
                  {t(d.to ? 'playground_went' : 'playground_stayed', { from: d.from || '–', to: d.to ?? '' })}
                  {d.candidates?.map((c) => ` · ${c.dest} ${c.for}:${c.against}`)}
                </p>
              ))}
              {trace.answers?.map((a, i) => (
                <p key={i} class="small">
                  {t(a.accepted ? 'playground_answered' : 'playground_refused', { name: a.name, why: a.why ?? '' })}
                </p>
              ))}
              {trace.effects?.map((x, i) => (
                <p key={i} class="small soft" dir="auto">
                  {x}
                </p>
              ))}
              {trace.ignored && <p class="small soft">{trace.ignored}</p>}
            </li>
          )
        })}
      </ol>
    </div>
  )
}
