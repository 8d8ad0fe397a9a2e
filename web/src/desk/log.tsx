import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks'
import { Badge, Button } from '../parts/controls'
import { Icon } from '../parts/icon'
import { memo } from '../parts/memo'
import { useNow, useT, useWorld } from '../parts/world'
import { ActionLine, RunLine } from './actions'
import { useDesk, useDeskState } from './context'
import { asBefore, itemsOf, type Item, type Said } from './fold'
import { MessageItem } from './message'
import { useShown } from './typed'
import type { Event } from './types'

// few items are mounted at first: more than a screen shows, and no more, for somebody waits for them. most are, whatever a conversation's
// length.
const few = 30
const most = 120
const step = 30

interface LogProps {
  id: string
  seq: number // to be shown; 0: the newest
  onReply(s: Said): void
  onEdit(s: Said): void
}

// Log is what was said and what happened. It stays at the end while the reader is there, and else where the reader is.
export const Log = memo(({ id, seq, onReply, onEdit }: LogProps) => {
  const t = useT()
  const { desk } = useDesk()
  const thread = useDeskState((s) => s.threads.get(id))!
  const outbox = useDeskState((s) => s.outbox)
  const me = useDeskState((s) => s.me)
  const runs = useDeskState((s) => s.runs)
  const names = useNames()
  const items = useMemo(() => {
    const here = <T extends { conversation: string }>(list: Iterable<T>) => (thread.atEnd ? [...list].filter((x) => x.conversation === id) : [])
    return itemsOf(thread.events, here(outbox).filter((w) => w.seen === undefined), { type: 'agent', ...me }, here(runs.values()))
  }, [thread, outbox, runs, id])
  const [end, setEnd] = useState<string | null>(null) // the key of the last item that is mounted; null: the newest
  const [turns, again] = useReducer((n: number, _: void) => n + 1, 0) // also when nothing else changes
  const box = useRef<HTMLDivElement>(null)
  const anchor = useRef<{ key: string; top: number } | null>(null) // null: stay at the end
  const lastSeen = useRef(thread.events.at(-1)?.seq ?? 0)
  const room = useRef(few) // for so many items
  const known = useRef(items)
  if (known.current !== items) {
    // what comes while somebody reads further up pushes nothing out
    const added = items.length - 1 - items.findLastIndex((x) => x.key === known.current.at(-1)?.key)
    if (anchor.current && end === null && added < items.length) room.current = Math.min(most, room.current + added)
    known.current = items
  }
  const endAt = end === null ? items.length : Math.max(0, items.findIndex((x) => x.key === end)) + 1
  const from = Math.max(0, endAt - room.current)
  const mounted = useRef(new Map<string, Item>())
  const shown = items.slice(from, endAt).map((x) => asBefore(mounted.current, x))
  mounted.current = new Map(shown.map((x) => [x.key, x]))
  const atEnd = endAt >= items.length && thread.atEnd

  const look = () => {
    const el = box.current!
    const bottom = el.scrollHeight - el.scrollTop - el.clientHeight
    if (bottom < 40 && atEnd) {
      anchor.current = null
      lastSeen.current = thread.events.at(-1)?.seq ?? 0
    } else {
      // days are no anchor: what is read on stands below the same day
      const first = [...el.querySelectorAll<HTMLElement>('.item:not(.is-day)')].find((x) => x.offsetTop + x.offsetHeight > el.scrollTop)
      anchor.current = first ? { key: first.dataset.key!, top: first.offsetTop - el.scrollTop } : null
    }
    if (el.scrollTop < 300) {
      if (from > 0 && room.current < most) {
        room.current = Math.min(most, room.current + step)
        again()
      } else if (from > 0) setEnd(items[Math.max(most, endAt - step) - 1]?.key ?? null)
      else void desk.older(id).catch(() => {})
    } else if (bottom < 300 && endAt < items.length) setEnd(endAt + step >= items.length ? null : items[endAt + step - 1]!.key)
    else if (bottom < 300 && !thread.atEnd) void desk.newer(id)
  }

  useLayoutEffect(() => {
    const el = box.current!
    const a = anchor.current
    const stands = a && el.querySelector<HTMLElement>(`[data-key="${CSS.escape(a.key)}"]`)
    if (!a) el.scrollTop = el.scrollHeight
    else if (stands) el.scrollTop = stands.offsetTop - a.top
    // still at the top of what is mounted, and there is more
    if (el.scrollTop < 300 && (from > 0 || (a && (thread.events[0]?.seq ?? 1) > 1))) requestAnimationFrame(() => box.current && look())
  }, [shown.length, from, thread, end, items, turns])
  // pictures that arrive, and a composer that grows, must not push the end out of sight
  useEffect(() => {
    const el = box.current!
    const size = new ResizeObserver(() => {
      if (!anchor.current) el.scrollTop = el.scrollHeight
    })
    size.observe(el)
    size.observe(el.firstElementChild!)
    return () => size.disconnect()
  }, [])
  // the message of the address comes into sight once it is there
  const target = seq ? items.findIndex((x) => x.kind === 'message' && x.said.seq === seq) : -1
  useLayoutEffect(() => {
    if (target < 0) return
    anchor.current = { key: items[target]!.key, top: box.current!.clientHeight / 3 }
    room.current = most
    setEnd(target + most / 2 >= items.length ? null : items[target + most / 2]!.key)
    again()
  }, [seq, target >= 0])

  const toEnd = () => {
    anchor.current = null
    room.current = few
    setEnd(null)
    again()
    lastSeen.current = thread.events.at(-1)?.seq ?? 0
    if (!thread.atEnd) void desk.open(id)
  }
  const fresh = anchor.current ? thread.events.filter((e) => e.seq > lastSeen.current && e.kind === 'message' && e.direction === 'in').length : 0
  return (
    <div class="log-wrap">
      <div ref={box} class="log" role="log" aria-label={t('desk_log')} tabIndex={0} onScroll={look}>
        <ol>
          {shown.map((x) => (
            <li key={x.key} data-key={x.key} class={'item is-' + x.kind}>
              <ItemView item={x} id={id} marked={seq > 0 && x.kind === 'message' && x.said.seq === seq} names={names} onReply={onReply} onEdit={onEdit} />
            </li>
          ))}
        </ol>
        <Typing id={id} />
      </div>
      {(fresh > 0 || !atEnd) && (
        <Button class="to-end" icon="down" onClick={toEnd}>
          {fresh > 0 ? t('desk_fresh', { n: fresh }) : t('desk_to_end')}
        </Button>
      )}
    </div>
  )
})

// useNames are the agents' names. The map is another one only when a name is: how agents are changes all the time.
function useNames(): ReadonlyMap<string, string> {
  const agents = useDeskState((s) => s.agents)
  const names = useRef<ReadonlyMap<string, string>>(new Map())
  if (names.current.size !== agents.length || agents.some((a) => names.current.get(a.id) !== a.name)) names.current = new Map(agents.map((a) => [a.id, a.name]))
  return names.current
}

const ItemView = memo(({ item, id, marked, names, onReply, onEdit }: { item: Item; id: string; marked: boolean; names: ReadonlyMap<string, string> } & Pick<LogProps, 'onReply' | 'onEdit'>) => {
  const { i18n } = useWorld()
  switch (item.kind) {
    case 'day':
      return <p class="day">{i18n.date(new Date(item.at))}</p>
    case 'message':
      return <MessageItem id={id} said={item.said} marked={marked} agents={names} onReply={onReply} onEdit={onEdit} />
    case 'place':
      return item.event.kind === 'action' ? <ActionLine e={item.event} /> : <PlaceLine e={item.event} />
    case 'run':
      return <RunLine run={item.run} />
    case 'bot':
      return <BotSteps steps={item.steps} />
  }
})

// Typing goes by itself after a while: a notice that was overtaken must not stay.
function Typing({ id }: { id: string }) {
  const t = useT()
  const typing = useDeskState((s) => s.typing.get(id))
  useNow(typing ? 1000 : 60_000)
  const on = typing !== undefined && typing.until > Date.now()
  return <p class="typing soft small" aria-hidden={!on}>{on ? t('desk_name_types', { name: typing.name }) : ' '}</p>
}

// apart keeps words of another direction together (first strong isolate).
const apart = (s: string) => `\u2068${s}\u2069`

// changes lists what is different now: tags, fields, how urgent.
function changes(d: Record<string, unknown>, shown: ReturnType<typeof useShown>): string {
  const tags = (d.tags ?? {}) as { added?: string[]; removed?: string[] }
  return [
    ...(tags.added ?? []).map((x) => apart('+' + x)),
    ...(tags.removed ?? []).map((x) => apart('−' + x)),
    ...Object.entries((d.fields ?? {}) as Record<string, unknown>).map(([k, v]) => `${apart(shown.title(k))}: ${apart(shown.value(k, v))}`),
    ...(typeof d.priority === 'number' ? [`↑ ${d.priority}`] : []),
  ].join(', ')
}

const text = (v: unknown) => (typeof v === 'string' ? v : '')

// PlaceLine says where the conversation went, by whom and why, with the note for who gets it.
function PlaceLine({ e }: { e: Event }) {
  const t = useT()
  const { i18n } = useWorld()
  const agents = useDeskState((s) => s.agents)
  const queues = useDeskState((s) => s.queues)
  const shown = useShown('conversation')
  const d = e.data ?? {}
  const agent = (id: string) => agents.find((a) => a.id === id)?.name ?? id
  const by = e.sender?.type === 'agent' && e.sender.id !== d.assignee ? (agents.find((a) => a.id === e.sender!.id)?.name ?? e.sender.name ?? '') : ''
  const params = {
    agent: agent(text(d.assignee)),
    agents: new Intl.ListFormat(i18n.language).format((Array.isArray(d.agents) ? (d.agents as string[]) : []).map(agent)),
    queue: queues.find((q) => q.name === d.queue)?.title || text(d.queue),
    flow: text(d.flow),
    what: e.kind === 'changed' ? changes(d, shown) : '',
  }
  const bare = e.kind === 'queued' && !params.queue ? 'queued_none' : e.kind
  const key = 'desk_place_' + bare
  return (
    <div class="place-line">
      <p class="soft small">
        <bdi>{i18n.has(key) ? t(key, params) : e.kind}</bdi>
        {by && <> · <bdi>{by}</bdi></>}
        {text(d.reason) && <> · <bdi>{text(d.reason)}</bdi></>}
         {' · '}
        <time dateTime={e.at}>{i18n.time(new Date(e.at))}</time>
      </p>
      {text(d.note) && (
        <p class="place-note">
          <Icon name="note" /> <bdi>{text(d.note)}</bdi>
        </p>
      )}
    </div>
  )
}

// BotSteps are what the bot did: the states that it entered, what it understood, why it handed over.
function BotSteps({ steps }: { steps: Event[] }) {
  const t = useT()
  const state = [...steps].reverse().map((e) => text(e.data?.state) || text(e.data?.to) || text(e.data?.dest)).find(Boolean)
  return (
    <details class="bot-steps">
      <summary>
        <Icon name="bot" />
        <span>{t('desk_bot_steps', { n: steps.length })}</span>
        {state && <Badge kind="calm">{state}</Badge>}
      </summary>
      <ol>
        {steps.map((e) => (
          <li key={e.seq}>
            <span class="soft small">{e.kind === 'flow_step' ? t('desk_step') : e.kind === 'call' ? t('desk_call') : t('desk_call_result')}</span>
            <dl>
              {Object.entries(e.data ?? {}).slice(0, 12).map(([k, v]) => (
                <div key={k}>
                  <dt>{k}</dt>
                  <dd>{typeof v === 'string' ? v : JSON.stringify(v)}</dd>
                </div>
              ))}
            </dl>
          </li>
        ))}
      </ol>
    </details>
  )
}
