import { useEffect, useState } from 'preact/hooks'
import type { List } from '../core/api'
import { Burst } from '../core/burst'
import { may } from '../core/session'
import { Badge, Button, Empty, Field, Skeleton } from '../parts/controls'
import { Dialog } from '../parts/overlays'
import { Pick, type Choice } from '../parts/pick'
import { useLoad, useT, useWorld } from '../parts/world'
import { Agents } from './board'
import type { Ear } from './live'
import { behind, listOf, nameOf, sinceOf, staffOf, titleOf, type Conversation, type Figure, type Live, type Staff } from './model'

interface BehindProps {
  show: Figure
  queue: string
  agent: string
  live: Live
  now: number
  ear: Ear
  onWatch(c: Conversation): void
  onChanged(): void
  onClose(): void
}

interface Deed {
  seq: number
}

// Behind shows the conversations that a number counts, and lets a supervisor act on them in place.
export function Behind({ show, queue, agent, live, now, ear, onWatch, onChanged, onClose }: BehindProps) {
  const t = useT()
  const { api, session } = useWorld()
  const bad = (err: unknown) => say({ text: err instanceof Error ? err.message : String(err) })
  const list = useLoad(async (signal) => {
    const { items } = await api.get<List<Conversation>>('/v1/conversations', listOf(show, queue, agent), signal)
    return behind(show, items, Date.now())
  }, [show, queue, agent])
  const [giving, give] = useState('')
  const [said, say] = useState<{ text: string; undo?: () => void } | null>(null) // toasts would lie below the dialog
  useEffect(() => {
    const soon = new Burst(list.again, 500)
    const stop = ear.on((e) => moves.has(e.kind) && soon.tell())
    return () => (stop(), soon.stop())
  }, [ear])
  const act = async (c: Conversation, what: string, body: unknown, words: string) => {
    try {
      const done = await api.post<Deed>(`/v1/conversations/${c.id}/${what}`, body)
      const undo = async () => {
        say(null)
        await api.post(`/v1/conversations/${c.id}/undo`, { seq: done.seq }).catch(bad)
        list.again()
        onChanged()
      }
      say({ text: words, undo: () => void undo() })
      give('')
      list.again()
      onChanged()
    } catch (err) {
      bad(err)
    }
  }
  const q = live.queues.find((x) => x.name === queue)
  const a = live.agents.find((x) => x.id === agent)
  const where = a ? nameOf(a) : q ? titleOf(q) : queue || t('wall_all')
  const asked = show === 'offered' ? live.agents.filter((x) => x.offered > 0).map(nameOf).join(', ') : ''
  const me = session!.user
  return (
    <Dialog title={`${t('wall_' + show)}: ${where}`} wide onClose={onClose}>
      {asked && <p class="soft">{t('wall_asked_now', { names: asked })}</p>}
      <div role="status">
        {said && (
          <p class={'notice ' + (said.undo ? '' : 'bad')}>
            <span class="grow">{said.text}</span>
            {said.undo && (
              <Button tight icon="undo" onClick={said.undo}>
                {t('undo')}
              </Button>
            )}
          </p>
        )}
      </div>
      {list.error && <p class="notice bad">{list.error.message}</p>}
      {!list.value && list.busy && <Skeleton />}
      {list.value?.length === 0 && <Empty title={t('wall_none')} />}
      <ul class="behind" aria-label={t('wall_' + show)}>
        {list.value?.map((c) => (
          <li key={c.id} class="behind-row">
            <Head c={c} now={now} live={live} />
            <div class="row wrap">
              {may(session, 'conversations.assign') && (
                <Button tight onClick={() => give(giving === c.id ? '' : c.id)} aria-expanded={giving === c.id}>
                  {t('wall_reassign')}
                </Button>
              )}
              {may(session, 'conversations.assign') && c.assignee !== me.id && (
                <Button tight onClick={() => void act(c, 'assign', { assignee: me.id, ...(c.queue ? { queue: c.queue } : {}) }, t('wall_took', { contact: c.contact.name }))}>
                  {t('wall_take')}
                </Button>
              )}
              <Button tight icon="eye" onClick={() => onWatch(c)}>
                {t('wall_watch')}
              </Button>
              <Button tight onClick={() => void act(c, 'close', {}, t('wall_closed', { contact: c.contact.name }))}>
                {t('wall_close')}
              </Button>
            </div>
            {giving === c.id && <Give c={c} live={live} onGive={(what, words) => void act(c, 'transfer', what, words)} />}
          </li>
        ))}
      </ul>
    </Dialog>
  )
}

const moves = new Set(['opened', 'queued', 'assigned', 'closed', 'bot', 'offered', 'offer_ended', 'snoozed', 'awoken', 'message'])

function Head({ c, now, live }: { c: Conversation; now: number; live: Live }) {
  const t = useT()
  const { i18n } = useWorld()
  const has = live.agents.find((a) => a.id === c.assignee)
  const due = c.due_at ? Date.parse(c.due_at) : 0
  return (
    <div class="behind-head">
      <strong class="cut">
        <bdi>{c.contact.name || t('wall_somebody')}</bdi>
      </strong>
      <span class="small number">{t(c.waiting_since ? 'wall_waits' : 'wall_there', { since: i18n.span(now - sinceOf(c)) })}</span>
      {has && <Badge kind="calm">{nameOf(has)}</Badge>}
      {due > 0 && due < now && <Badge kind="bad">{t('wall_overdue', { since: i18n.span(now - due) })}</Badge>}
      <span class="soft small cut behind-words">
        <bdi>{c.preview}</bdi>
      </span>
    </div>
  )
}

// Give passes a conversation on, with a word for who gets it.
function Give({ c, live, onGive }: { c: Conversation; live: Live; onGive(body: unknown, words: string): void }) {
  const t = useT()
  const [note, set] = useState('')
  const choices: Choice[] = [
    ...live.agents.filter((a) => a.id !== c.assignee).map((a) => ({ id: 'a ' + a.id, title: nameOf(a), icon: 'person' as const, hint: t('wall_is_' + staffOf(a), { n: a.load }) })),
    ...live.queues.filter((q) => q.name !== c.queue || c.state !== 'queued').map((q) => ({ id: 'q ' + q.name, title: titleOf(q), icon: 'inbox' as const, hint: t('wall_so_many_wait', { n: q.waiting }) })),
  ]
  const pick = (x: Choice) => {
    const id = x.id.slice(2)
    onGive({ ...(x.id.startsWith('a ') ? { agent: id, force: true } : { queue: id }), ...(note.trim() ? { note: note.trim() } : {}) }, t('wall_gave', { contact: c.contact.name, to: x.title }))
  }
  return (
    <div class="give stack">
      <Field label={t('wall_give_note')} value={note} maxLength={4000} onInput={(e) => set(e.currentTarget.value)} />
      <Pick label={t('wall_give_to')} choices={choices} onPick={pick} />
    </div>
  )
}

// BehindStaff shows the agents that a number counts.
export function BehindStaff({ show, queue, live, now, onChanged, onClose }: { show: Staff; queue: string; live: Live; now: number; onChanged(): void; onClose(): void }) {
  const t = useT()
  const { api } = useWorld()
  const members = useLoad(
    async (signal) => {
      if (!queue) return null
      const [queues, teams] = await Promise.all([
        api.get<List<{ name: string; members: string[] }>>('/v1/queues', {}, signal),
        api.get<List<{ name: string; members: string[] }>>('/v1/teams', {}, signal),
      ])
      const of = queues.items.find((x) => x.name === queue)?.members ?? []
      return new Set(of.flatMap((m) => (m.startsWith('team:') ? (teams.items.find((x) => 'team:' + x.name === m)?.members ?? []) : [m])))
    },
    [queue],
  )
  const q = live.queues.find((x) => x.name === queue)
  const ready = queue === '' || members.value
  return (
    <Dialog title={`${t('wall_' + show)}: ${q ? titleOf(q) : queue || t('wall_all')}`} wide onClose={onClose}>
      {members.error && <p class="notice bad">{members.error.message}</p>}
      {!ready && !members.error && <Skeleton />}
      {ready && <Agents label={t('wall_' + show)} agents={live.agents.filter((a) => staffOf(a) === show && (!members.value || members.value.has(a.id)))} now={now} onChanged={onChanged} />}
    </Dialog>
  )
}
