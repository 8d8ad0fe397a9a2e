import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Avatar, Button, Empty, Skeleton } from '../parts/controls'
import { Icon } from '../parts/icon'
import { memo } from '../parts/memo'
import { Menu } from '../parts/overlays'
import { useNow, useT, useWorld } from '../parts/world'
import { Composer } from './composer'
import { useDesk, useDeskState, useHere } from './context'
import { useFiles } from './files'
import { Due, TurnBadge } from './inbox'
import { Log } from './log'
import { seen } from './state'
import type { Said } from './fold'
import type { Conversation } from './types'

// Talking is what the composer is about: a reply to a message, or the change of one.
export interface Talking {
  reply?: Said
  edit?: Said
}

// ThreadPane is the open conversation.
export const ThreadPane = memo(({ id, seq, panel }: { id: string; seq: number; panel: { toggle(): void } }) => {
  const t = useT()
  const { desk } = useDesk()
  const c = useDeskState((s) => seen(s, id))
  const known = useDeskState((s) => s.threads.has(id))
  const [failed, fail] = useState<Error | null>(null)
  const [talking, talk] = useState<Talking>({})
  const talks = useMemo(() => ({ onReply: (reply: Said) => talk({ reply }), onEdit: (edit: Said) => talk({ edit }) }), [])
  useEffect(() => {
    let here = true
    fail(null)
    desk.show(id)
    desk.open(id, seq).catch((e: Error) => here && fail(e))
    return () => void (here = false)
  }, [id, seq])
  useBeing(id)
  const files = useFiles(c)
  if (failed && !known)
    return (
      <section class="thread" aria-label={t('desk_conversation')}>
        <Empty title={t('desk_not_there')}>
          <a class="button" href="/desk">
            {t('desk_back')}
          </a>
        </Empty>
      </section>
    )
  return (
    <section
      class={'thread' + (files.over ? ' dropping' : '')}
      aria-label={t('desk_conversation')}
      onDragOver={(e) => (e.preventDefault(), files.hover(true))}
      onDragLeave={(e) => e.currentTarget === e.target && files.hover(false)}
      onDrop={(e) => (e.preventDefault(), files.hover(false), files.add([...(e.dataTransfer?.files ?? [])]))}
    >
      {c ? <Head c={c} panel={panel} /> : <header class="thread-head" />}
      {c && <Banners c={c} />}
      {known ? <Log id={id} seq={seq} {...talks} /> : <div class="log-busy"><Skeleton lines={6} /></div>}
      {c && <Composer key={id} c={c} talking={talking} talk={talk} files={files} />}
      {files.over && <p class="drop-here">{t('desk_drop_here')}</p>}
    </section>
  )
})

// useBeing tells colleagues that one looks, marks as read what is seen, and says so again as long as it is so.
function useBeing(id: string): void {
  const { desk } = useDesk()
  const last = useDeskState((s) => s.conversations.get(id)?.last_seq)
  const unread = useDeskState((s) => s.conversations.get(id)?.unread ?? 0)
  const mine = useDeskState((s) => s.conversations.get(id)?.assignee === s.me.id)
  useEffect(() => {
    let told = false
    const tell = () => {
      told = true
      desk.presence(id, 'looking')
    }
    const soon = setTimeout(tell, 300) // who only passes by is not there
    const timer = setInterval(() => !document.hidden && tell(), 20_000)
    return () => (clearTimeout(soon), clearInterval(timer), told && desk.presence(id, 'gone'))
  }, [id])
  useEffect(() => {
    if (!unread || !mine) return
    const look = () => !document.hidden && desk.markRead(id)
    look()
    document.addEventListener('visibilitychange', look)
    return () => document.removeEventListener('visibilitychange', look)
  }, [id, last, unread, mine])
}

const Head = memo(({ c, panel }: { c: Conversation; panel: { toggle(): void } }) => {
  const t = useT()
  const { acts, ask, desk } = useDesk()
  const { query } = useHere()
  const { toasts } = useWorld()
  const channel = useDeskState((s) => s.channels.get(c.channel))
  const agent = useDeskState((s) => s.agents.find((a) => a.id === c.assignee))
  const offered = useDeskState((s) => s.offers.get(c.id)?.agents.includes(s.me.id) === true)
  const now = useNow(15_000)
  const name = c.contact.name || c.thread.title || c.thread.address
  const ids = [c.id]
  const open = c.state !== 'closed'
  const mine = c.assignee === desk.me && c.state === 'assigned'
  const copy = () => {
    const link = location.origin + '/desk/c/' + c.id
    void navigator.clipboard?.writeText(link).then(() => toasts.show(t('desk_link_copied')))
  }
  return (
    <header class="thread-head">
      <a class="button plain icon thread-back" href={'/desk' + query} aria-label={t('desk_back')}>
        <Icon name="back" turns />
      </a>
      <Avatar name={name} />
      <div class="grow thread-who">
        <h2 class="cut">{name}</h2>
        <p class="row soft small thread-facts">
          <span class="cut">{[channel?.name, c.queue, mine ? t('desk_yours') : (agent?.name ?? c.assignee)].filter(Boolean).join(' · ')}</span>
          <TurnBadge c={c} />
          <Due c={c} now={now} />
        </p>
      </div>
      <div class="row thread-acts">
        {offered ? (
          <>
            <Button main title={t('desk_accept')} hotkey="A" onClick={() => void acts.accept(c.id)}>
              {t('desk_accept')}
            </Button>
            <Button title={t('desk_decline')} hotkey="D" onClick={() => void acts.decline(c.id)}>
              {t('desk_decline')}
            </Button>
          </>
        ) : (
          open && !mine && (
            <Button main title={t('desk_take')} hotkey="A" onClick={() => void acts.take(c.id)}>
              {t('desk_take')}
            </Button>
          )
        )}
        {open && mine && (
          <>
            <Button icon="transfer" title={t('desk_transfer')} hotkey="T" class="roomy" onClick={() => ask({ what: 'transfer', ids })} />
            <Button icon="clock" title={t('desk_snooze')} hotkey="Z" class="roomy" onClick={() => ask({ what: 'snooze', ids })} />
            <Button icon="check" title={t('desk_close')} hotkey="E" onClick={() => void acts.close(c.id)} class="wide-words">
              <span>{t('desk_close')}</span>
            </Button>
          </>
        )}
        <Menu
          title={t('desk_more')}
          icon="more"
          plain
          items={() => [
            { id: 'panel', title: t('desk_panel'), icon: 'panel', hint: 'C', run: panel.toggle },
            { id: 'action', title: t('desk_action'), icon: 'bolt', hint: 'O', disabled: !open, run: () => ask({ what: 'action', id: c.id }) },
            { id: 'tag', title: t('desk_tag'), icon: 'tag', hint: 'L', disabled: !open, run: () => ask({ what: 'tag', ids }) },
            { id: 'urgent', title: t((c.priority ?? 0) > 0 ? 'desk_not_urgent' : 'desk_make_urgent'), icon: 'warn', disabled: !open, run: () => void acts.priority(c.id, (c.priority ?? 0) > 0 ? 0 : 1) },
            { id: 'transfer', title: t('desk_transfer'), icon: 'transfer', hint: 'T', disabled: !open, run: () => ask({ what: 'transfer', ids }) },
            { id: 'snooze', title: t('desk_snooze'), icon: 'clock', hint: 'Z', disabled: !mine, run: () => ask({ what: 'snooze', ids }) },
            { id: 'bot', title: t('desk_give_bot'), icon: 'bot', disabled: !mine || !c.flow, run: () => void acts.toBot(c.id) },
            { id: 'link', title: t('desk_copy_link'), icon: 'link', run: copy },
            { id: 'close', title: t('desk_close'), icon: 'check', hint: 'E', line: true, disabled: !open, run: () => void acts.close(c.id) },
          ]}
        />
      </div>
    </header>
  )
})

// Banners say what stands in the way: an act that failed, colleagues who are here, a bot, a rest, an end.
const Banners = memo(({ c }: { c: Conversation }) => {
  const t = useT()
  const { desk, acts, show } = useDesk()
  const { i18n } = useWorld()
  const trouble = useDeskState((s) => s.troubles.get(c.id))
  const presence = useDeskState((s) => s.presence.get(c.id))
  const now = useNow(5000)
  const others = (presence ?? []).filter((p) => p.user !== desk.me && now.getTime() - Date.parse(p.at) < 60_000)
  const typists = others.filter((p) => p.doing === 'typing')
  const names = (list: typeof others) => new Intl.ListFormat(i18n.language).format(list.map((p) => p.name || p.user))
  return (
    <div class="banners">
      {trouble && (
        <p class="notice bad" role="alert">
          <span class="grow">{trouble.text}</span>
          {trouble.retry && (
            <Button tight onClick={trouble.retry}>
              {t('retry')}
            </Button>
          )}
          <Button tight plain icon="close" title={t('close')} onClick={() => desk.store.do({ do: 'trouble', id: c.id, trouble: null })} />
        </p>
      )}
      {typists.length > 0 ? (
        <p class="notice warn" role="status">
          <Icon name="warn" /> {t('desk_other_types', { names: names(typists), n: typists.length })}
        </p>
      ) : (
        others.length > 0 && (
          <p class="notice small" role="status">
            <Icon name="eye" /> {t('desk_other_looks', { names: names(others), n: others.length })}
          </p>
        )
      )}
      {c.snoozed && c.state !== 'closed' && (
        <p class="notice">
          <Icon name="clock" />
          <span class="grow">{c.snoozed_until ? t('desk_snoozed_until', { time: i18n.full(new Date(c.snoozed_until)) }) : t('desk_snoozed_open')}</span>
          <Button tight onClick={() => void acts.wake(c.id)}>
            {t('desk_wake')}
          </Button>
        </p>
      )}
      {c.state === 'closed' && (
        <p class="notice">
          <span class="grow">{t('desk_is_closed', { time: i18n.full(new Date(c.closed_at ?? c.updated_at)) })}</span>
          <Button tight onClick={() => void acts.reopen(c.id).then((to) => to && show(to))}>
            {t('desk_reopen')}
          </Button>
        </p>
      )}
    </div>
  )
})

// useLatest keeps a value for callbacks that outlive a rendering.
export function useLatest<T>(value: T): { current: T } {
  const ref = useRef(value)
  ref.current = value
  return ref
}
