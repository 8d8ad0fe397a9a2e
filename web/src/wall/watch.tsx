import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { List } from '../core/api'
import { may } from '../core/session'
import { Button, Empty, Field, Skeleton } from '../parts/controls'
import { Icon } from '../parts/icon'
import { Dialog } from '../parts/overlays'
import { useT, useWorld } from '../parts/world'
import type { Ear, Heard } from './live'
import { nameOf, type Conversation, type Live } from './model'

const most = 300

// Watch looks on silently: nobody is told but the audit log. Whispering writes a note that only agents see.
export function Watch({ id, live, ear, onChanged, onClose }: { id: string; live: Live; ear: Ear; onChanged(): void; onClose(): void }) {
  const t = useT()
  const { api, session } = useWorld()
  const [c, set] = useState<Conversation | null>(null)
  const [events, put] = useState<readonly Heard[]>([])
  const [error, fail] = useState('')
  const list = useRef<HTMLDivElement>(null)
  const add = (more: readonly Heard[]) =>
    put((was) => {
      const known = new Set(was.map((e) => e.seq))
      return [...was, ...more.filter((e) => !known.has(e.seq))].sort((a, b) => a.seq - b.seq).slice(-most)
    })
  useEffect(() => {
    let here = true
    const stop = ear.on((e) => {
      if (e.conversation !== id || !e.pos) return
      add([e])
      if (moved.has(e.kind)) set((was) => was && { ...was, ...placed(e) })
    })
    const begin = async () => {
      const conv = await api.post<Conversation>(`/v1/conversations/${id}/watch`)
      const page = await api.get<List<Heard>>(`/v1/conversations/${id}/events`, { before: conv.last_seq + 1, limit: 100 })
      if (!here) return
      set(conv)
      add(page.items)
    }
    begin().catch((err: unknown) => here && fail(err instanceof Error ? err.message : String(err)))
    return () => {
      here = false
      stop()
    }
  }, [id])
  const shown = events.filter((e) => e.kind === 'message' || e.kind === 'note' || moved.has(e.kind))
  useLayoutEffect(() => void list.current?.scrollTo({ top: list.current.scrollHeight }), [shown.length])
  const has = live.agents.find((a) => a.id === c?.assignee)
  const take = async () => {
    try {
      await api.post(`/v1/conversations/${id}/assign`, { assignee: session!.user.id, ...(c?.queue ? { queue: c.queue } : {}) })
      onChanged()
    } catch (err) {
      fail(err instanceof Error ? err.message : String(err))
    }
  }
  return (
    <Dialog title={t('wall_watching', { contact: c?.contact.name || t('wall_somebody') })} wide onClose={onClose}>
      <p class="notice small">
        <Icon name="eye" /> {t('wall_silent')}
      </p>
      {error && (
        <p class="notice bad" role="alert">
          {error}
        </p>
      )}
      {!c && !error && <Skeleton />}
      <div class="watched" role="log" aria-label={t('wall_talk')} tabIndex={0} ref={list}>
        {c && shown.length === 0 && <Empty title={t('wall_none')} />}
        {shown.map((e) => (
          <Said key={e.seq} e={e} live={live} />
        ))}
      </div>
      {c && c.state !== 'closed' && (
        <>
          <Whisper id={id} to={has ? { id: has.id, name: nameOf(has) } : null} onFailed={fail} />
          <div class="row wrap">
            {may(session, 'conversations.assign') && c.assignee !== session!.user.id && <Button onClick={() => void take()}>{t('wall_take')}</Button>}
            <a class="button" href={`/desk/c/${id}`}>
              {t('wall_open_desk')}
            </a>
          </div>
        </>
      )}
    </Dialog>
  )
}

const moved = new Set(['queued', 'assigned', 'bot', 'closed'])

function placed(e: Heard): Partial<Conversation> {
  const d = (e.data ?? {}) as { state?: string; assignee?: string; queue?: string }
  return { state: d.state ?? e.kind, assignee: d.assignee ?? '', queue: d.queue ?? '' }
}

function Said({ e, live }: { e: Heard; live: Live }) {
  const t = useT()
  const { i18n } = useWorld()
  const at = i18n.time(new Date(e.at))
  if (moved.has(e.kind)) {
    const d = (e.data ?? {}) as { queue?: string; assignee?: string }
    const agent = live.agents.find((a) => a.id === d.assignee)
    return (
      <p class="small soft watched-moved">
        {t('wall_did_' + e.kind, { queue: live.queues.find((q) => q.name === d.queue)?.title || d.queue || '', agent: agent ? nameOf(agent) : (d.assignee ?? '') })} · {at}
      </p>
    )
  }
  return (
    <div class={'watched-said ' + (e.kind === 'note' ? 'note' : (e.direction ?? ''))}>
      <span class="small soft">
        {e.kind === 'note' && <strong>{t('wall_note')} </strong>}
        {e.sender?.name || t('wall_by_' + (e.sender?.type ?? 'system'))} · {at}
      </span>
      {e.message?.stack.map((x, i) => (
        <p key={i} dir="auto">
          {words(x)}
        </p>
      ))}
    </div>
  )
}

function words(e: { type: string; payload: Record<string, unknown> }): string {
  const p = e.payload
  for (const v of [p.content, p.title, p.caption, p.name]) if (typeof v === 'string' && v) return v
  return `[${e.type}]`
}

function Whisper({ id, to, onFailed }: { id: string; to: { id: string; name: string } | null; onFailed(why: string): void }) {
  const t = useT()
  const { api } = useWorld()
  const [text, set] = useState('')
  const submit = async (e: Event) => {
    e.preventDefault()
    if (!text.trim()) return
    set('') // the next words may be typed meanwhile
    try {
      await api.post(`/v1/conversations/${id}/notes`, { text: text.trim(), ...(to ? { mentions: [to.id] } : {}) })
    } catch (err) {
      set((now) => (now ? `${text} ${now}` : text))
      onFailed(err instanceof Error ? err.message : String(err))
    }
  }
  return (
    <form class="row whisper" onSubmit={(e) => void submit(e)}>
      <div class="grow">
        <Field label={to ? t('wall_whisper_to', { agent: to.name }) : t('wall_whisper')} hint={t('wall_whisper_hint')} value={text} maxLength={4000} autocomplete="off" onInput={(e) => set(e.currentTarget.value)} />
      </div>
      <Button type="submit" main icon="note" disabled={!text.trim()}>
        {t('wall_whisper_do')}
      </Button>
    </form>
  )
}
