import { useEffect, useState } from 'preact/hooks'
import { may } from '../core/session'
import { Avatar, Badge, Button, Empty, Skeleton } from '../parts/controls'
import { Icon } from '../parts/icon'
import { LineState } from '../parts/line'
import { memo } from '../parts/memo'
import { Menu } from '../parts/overlays'
import { WindowList } from '../parts/window'
import { useNow, useT, useWorld } from '../parts/world'
import { Many } from './batch'
import { useDesk, useDeskState, useHere } from './context'
import { Offers } from './offers'
import { Filters } from './filters'
import { Search, useSearch } from './search'
import type { Conversation } from './types'
import { counts, viewNames, writeView } from './views'
import { useMarked } from './walk'

export const rowHeight = 84

// useList is what the open view shows, in order.
export function useList(): Conversation[] {
  const { desk } = useDesk()
  const { view } = useHere()
  return useDeskState((s) => desk.list.of(s, view))
}

// Inbox is the list beside everything: my state, what is offered, the views, search.
export const Inbox = memo(() => {
  const t = useT()
  const { session } = useWorld()
  const { ask } = useDesk()
  const search = useSearch()
  return (
    <section class="inbox" aria-label={t('desk_inbox')}>
      <header class="inbox-head">
        <MyState />
        <span class="grow" />
        <Line />
        {may(session, 'conversations.write') && <Button plain tight icon="plus" title={t('desk_start')} hotkey="B" onClick={() => ask({ what: 'start' })} />}
      </header>
      <Offers />
      <Search search={search} />
      {search.q ? null : <List />}
      <Many />
    </section>
  )
})

function Line() {
  const line = useDeskState((s) => s.line)
  const waiting = useDeskState((s) => s.outbox.length)
  return <LineState line={line} waiting={waiting} />
}

// MyState is one status for all channels.
function MyState() {
  const t = useT()
  const { desk } = useDesk()
  const { toasts } = useWorld()
  const me = useDeskState((s) => s.agents.find((a) => a.id === s.me.id))
  const states = useDeskState((s) => s.states)
  const loaded = useDeskState((s) => s.loaded)
  if (!loaded) return null
  if (!me) return <span class="soft small">{t('desk_no_agent')}</span>
  const title = (x: { name: string; title?: string }) => x.title || (x.name === 'active' || x.name === 'inactive' ? t('desk_state_' + x.name) : x.name)
  const all = states.length ? states : [{ name: 'active', available: true }, { name: 'inactive', available: false }]
  const set = (name: string) => void desk.setMyState(name).catch((e: unknown) => toasts.bad(e))
  return (
    <>
      <Menu title={t('desk_my_state')} tight class="state-menu" items={all.map((x) => ({ id: x.name, title: title(x), checked: x.name === me.state, run: () => set(x.name) }))}>
        <span class={'state-dot' + (me.available ? ' on' : '')} aria-hidden="true" />
        <span class="hidden-text">{t('desk_my_state')}: </span>
        {title(all.find((x) => x.name === me.state) ?? { name: me.state })}
        {me.capacity > 0 && <span class="soft number">{` ${me.load}/${me.capacity}`}</span>}
        <Icon name="down" />
      </Menu>
      {!me.available && (
        <Button tight main onClick={() => set('active')}>
          {t('desk_go_active')}
        </Button>
      )}
    </>
  )
}

function Views() {
  const t = useT()
  const { view, id } = useHere()
  const mine = useDeskState((s) => counts(s).unread)
  const waiting = useDeskState((s) => counts(s).waiting)
  const snoozed = useDeskState((s) => counts(s).snoozed)
  const n = { mine, waiting, snoozed, all: 0 }
  return (
    <nav class="views" aria-label={t('desk_views')}>
      {viewNames.map((name) => (
        <a key={name} class="tab" href={(id ? '/desk/c/' + id : '/desk') + writeView({ ...view, name, state: '' })} aria-current={view.name === name ? 'true' : undefined}>
          {t('desk_view_' + name)}
          {n[name] > 0 && (
            <Badge kind={name === 'mine' ? 'accent' : 'calm'}>
              <span class="number">{n[name]}</span>
              <span class="hidden-text">{t('desk_count_' + name)}</span>
            </Badge>
          )}
        </a>
      ))}
    </nav>
  )
}

function List() {
  const t = useT()
  const { desk } = useDesk()
  const { view, query } = useHere()
  const marked = useMarked()
  const list = useList()
  const loaded = useDeskState((s) => s.loaded)
  const now = useNow(15_000)
  const [busy, wait] = useState(false)
  useEffect(() => {
    let here = true
    wait(true)
    void desk.more(view).catch(() => {}).then(() => here && wait(false))
    return () => void (here = false)
  }, [desk, view, loaded])
  usePrefetch(list, marked)
  return (
    <>
      <Views />
      <Filters />
      {list.length > 0 ? (
        <WindowList
          key={query}
          class="chats"
          items={list}
          height={rowHeight}
          keyOf={(c) => c.id}
          label={t('desk_view_' + view.name)}
          at={list.findIndex((c) => c.id === marked)}
          onEnd={() => void desk.more(view).catch(() => {})}
          row={(c) => <Row c={c} open={c.id === marked} now={now} query={query} />}
        />
      ) : busy || !loaded ? (
        <div class="chats-busy">
          <Skeleton lines={8} />
        </div>
      ) : (
        <Empty title={t(`desk_empty_${view.name}`)}>
          <p>{t(`desk_empty_${view.name}_about`)}</p>
        </Empty>
      )}
    </>
  )
}

// usePrefetch reads the conversations that will be opened next, so that opening one shows no spinner.
function usePrefetch(list: Conversation[], marked: string): void {
  const { desk } = useDesk()
  const at = list.findIndex((c) => c.id === marked)
  const next = list.slice(Math.max(0, at), Math.max(0, at) + 4).map((c) => c.id).join()
  useEffect(() => {
    const timer = setTimeout(() => {
      for (const x of next ? next.split(',') : []) if (!desk.state.threads.has(x)) desk.open(x).catch(() => {})
    }, 200)
    return () => clearTimeout(timer)
  }, [next])
}

// Row is one conversation of the list.
export const Row = memo(({ c, open, now, query }: { c: Conversation; open: boolean; now: Date; query: string }) => {
  const t = useT()
  const { i18n } = useWorld()
  const { desk } = useDesk()
  const picked = useDeskState((s) => s.picked.has(c.id))
  const typing = useDeskState((s) => s.typing.get(c.id))
  const trouble = useDeskState((s) => s.troubles.has(c.id) || s.outbox.some((w) => w.conversation === c.id && w.failed !== undefined))
  const name = c.contact.name || c.thread.title || c.thread.address
  const draft = desk.drafts.get(c.id).text.trim()
  return (
    <div class={'chat' + (open ? ' open' : '') + (c.unread > 0 ? ' unread' : '')} data-chat={c.id}>
      <label class="chat-pick">
        <input type="checkbox" checked={picked} aria-label={t('desk_pick', { name })} onChange={(e) => desk.store.do({ do: 'pick', ids: [c.id], on: e.currentTarget.checked })} />
        <Avatar name={name} />
      </label>
      <a class="chat-link" href={'/desk/c/' + encodeURIComponent(c.id) + query} aria-current={open ? 'page' : undefined}>
        <span class="chat-top">
          <span class="cut grow chat-name">
            {(c.priority ?? 0) > 0 && (
              <span class="urgent" role="img" aria-label={t('desk_urgent')} title={t('desk_urgent')}>
                <Icon name="bolt" />
              </span>
            )}
            <bdi>{name}</bdi>
          </span>
          <time class="chat-time" dateTime={c.updated_at}>
            {i18n.short(new Date(c.updated_at), now)}
          </time>
        </span>
        <span class="chat-words cut">
          {typing && typing.until > now.getTime() - 15_000 && typing.until > Date.now() ? <em>{t('desk_types')}</em> : draft && !open ? <><strong>{t('desk_draft')}</strong> <bdi>{draft}</bdi></> : <bdi>{c.preview}</bdi>}
        </span>
        <span class="chat-marks">
          {c.unread > 0 && (
            <Badge kind="accent">
              <span class="number">{c.unread}</span>
              <span class="hidden-text">{t('desk_unread', { n: c.unread })}</span>
            </Badge>
          )}
          {trouble && <Badge kind="bad">{t('desk_trouble')}</Badge>}
          <Due c={c} now={now} />
          <TurnBadge c={c} />
          {c.queue && !c.due_at && !c.tags?.length && <span class="cut soft chat-queue">{c.queue}</span>}
          {c.tags?.slice(0, 2).map((x) => <Badge key={x}>{x}</Badge>)}
        </span>
      </a>
    </div>
  )
})

// TurnBadge says whose turn it is.
export function TurnBadge({ c }: { c: Conversation }) {
  const t = useT()
  if (c.state === 'closed') return <Badge>{t('desk_state_closed')}</Badge>
  if (c.snoozed) return <Badge kind="calm">{t('desk_state_snoozed')}</Badge>
  if (c.state === 'bot') return <Badge kind="calm">{t('desk_state_bot')}</Badge>
  if (c.turn === 'first_reply' || c.turn === 'next_reply') return <Badge kind="warn">{t('desk_turn_' + c.turn)}</Badge>
  if (c.turn === 'contact') return <Badge>{t('desk_turn_contact')}</Badge>
  return c.state === 'queued' ? <Badge kind="warn">{t('desk_state_queued')}</Badge> : null
}

// Due is the clock of what was promised: coming due before it is overdue; without a promise, how long somebody waits.
export function Due({ c, now }: { c: Conversation; now: Date }) {
  const t = useT()
  const { i18n } = useWorld()
  if (c.state === 'closed' || c.state === 'bot') return null
  if (c.due_at) {
    const left = Date.parse(c.due_at) - now.getTime()
    const span = i18n.span(Math.abs(left))
    if (left < 0) return <Badge kind="bad">{t('desk_overdue', { span })}</Badge>
    return <Badge {...(left < 5 * 60_000 ? { kind: 'warn' as const } : {})}>{t('desk_due', { span })}</Badge>
  }
  if (!c.waiting_since) return null
  return <span class="soft number">{t('desk_waits', { span: i18n.span(now.getTime() - Date.parse(c.waiting_since)) })}</span>
}
