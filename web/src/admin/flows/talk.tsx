import { useEffect, useRef, useState } from 'preact/hooks'
import { newID } from '../../core/id'
import { Button } from '../../parts/controls'
import { useT, useWorld } from '../../parts/world'
import { useEvents } from '../kit/feed'
import { Trouble } from '../kit/page'
import type { Channel, ChatEvent, Element } from '../kit/types'

interface Said {
  id: string
  kind: 'mine' | 'theirs' | 'what'
  text: string
  buttons?: { title: string; payload: string }[]
}

const testName = 'Flow test'

// testChannel finds the simulated channel that flows are tried out on, or makes it, and points it at a flow.
async function testChannel(api: ReturnType<typeof useWorld>['api'], flow: string): Promise<string> {
  const { items } = await api.get<{ items: Channel[] }>('/v1/channels')
  const there = items.find((c) => c.connector === 'simulator' && c.name === testName)
  if (!there) return (await api.post<Channel>('/v1/channels', { connector: 'simulator', name: testName, settings: { key: newID() }, flow })).id
  if (there.flow !== flow || there.status !== 'active') await api.patch('/v1/channels/' + there.id, { flow, status: 'active' })
  return there.id
}

// freeTestChannel lets go of flows that are to be deleted: conversations in which they were tried out end. What somebody may not do, or is
// done already, is no matter: the hub says what still holds them.
export async function freeTestChannel(api: ReturnType<typeof useWorld>['api'], flows: string[]): Promise<void> {
  const never = () => undefined
  const channels = await api.get<{ items: Channel[] }>('/v1/channels').catch(never)
  const test = channels?.items.find((c) => c.connector === 'simulator' && c.name === testName)
  if (!test) return
  const holds = (x: { flow?: string }) => flows.includes(x.flow ?? '')
  if (holds(test)) await api.patch('/v1/channels/' + test.id, { flow: '' }).catch(never)
  // another flow may have been tried out since: those of this one are open all the same
  const open = await api.get<{ items: { id: string; flow?: string }[] }>('/v1/conversations', { channel: test.id, state: 'bot', limit: 200 }).catch(never)
  await Promise.all((open?.items ?? []).filter(holds).map((c) => api.post(`/v1/conversations/${c.id}/close`, { reason: 'test' }).catch(never)))
}

// TestChat talks to a flow as a contact would, through a simulated channel. Prepare brings the flow up to date first.
export function TestChat({ flow, prepare }: { flow: string; prepare?: () => Promise<boolean> }) {
  const t = useT()
  const { api } = useWorld()
  const [log, add] = useState<Said[]>([])
  const [text, type] = useState('')
  const [error, fail] = useState<unknown>(null)
  const [busy, wait] = useState(false)
  const where = useRef({ channel: '', from: 'test-' + newID().slice(0, 8), conversation: '' })
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => box.current?.scrollTo(0, box.current.scrollHeight), [log])
  const live = useEvents((e) => {
    const w = where.current
    if (e.channel !== w.channel || !w.channel) return
    if (e.kind === 'message' && e.direction === 'in' && e.sender?.id === w.from) w.conversation = e.conversation ?? ''
    if (!w.conversation || e.conversation !== w.conversation) return
    const said = toldBy(e, t)
    if (said) add((l) => [...l, said])
  })
  const close = () => {
    const { conversation } = where.current
    if (conversation) void api.post(`/v1/conversations/${conversation}/close`, { reason: 'test' }).catch(() => {})
    where.current.conversation = ''
  }
  useEffect(() => close, [])
  const say = async (words: string, payload?: string) => {
    fail(null)
    wait(true)
    if (!payload) type('') // the next words may be typed meanwhile
    let said = false
    try {
      if (!where.current.conversation) {
        if (prepare && !(await prepare())) return
        where.current.channel = await testChannel(api, flow)
      }
      add((l) => [...l.map((x) => ({ ...x, buttons: [] })), { id: newID(), kind: 'mine', text: words }])
      await api.post(`/v1/channels/${where.current.channel}/simulate`, { from: where.current.from, name: t('admin_talk_tester'), ...(payload ? { payload, text: words } : { text: words }) })
      said = true
    } catch (err) {
      fail(err)
    } finally {
      if (!said && !payload) type((now) => (now ? `${words} ${now}` : words))
      wait(false)
    }
  }
  const begin = () => {
    close()
    where.current.from = 'test-' + newID().slice(0, 8)
    add([])
  }
  return (
    <section class="card test-chat" aria-label={t('admin_talk')}>
      <div class="row">
        <h2 class="grow">{t('admin_talk')}</h2>
        <Button tight onClick={begin} disabled={log.length === 0}>
          {t('admin_talk_anew')}
        </Button>
      </div>
      <div class="test-log" ref={box} role="log" aria-label={t('admin_talk')} tabIndex={0}>
        {log.length === 0 && <p class="what">{t('admin_talk_none')}</p>}
        {log.map((s) => (
          <div key={s.id} class={s.kind}>
            <span class="hidden-text">{s.kind === 'mine' ? t('admin_talk_you') : s.kind === 'theirs' ? t('admin_talk_flow') : ''}</span>
            {s.text}
            {s.buttons && s.buttons.length > 0 && (
              <span class="row wrap">
                {s.buttons.map((b) => (
                  <Button key={b.title} tight onClick={() => void say(b.title, b.payload)}>
                    {b.title}
                  </Button>
                ))}
              </span>
            )}
          </div>
        ))}
      </div>
      {error !== null && <Trouble error={error} />}
      <form class="row" onSubmit={(e) => (e.preventDefault(), text.trim() && void say(text.trim()))}>
        <input class="input" aria-label={t('admin_talk_say')} placeholder={t('admin_talk_say')} value={text} onInput={(e) => type(e.currentTarget.value)} />
        <Button main type="submit" icon="send" turns title={t('admin_talk_send')} disabled={busy || !live} />
      </form>
    </section>
  )
}

// toldBy is what the chat shows of an event; nothing for most.
function toldBy(e: ChatEvent, t: (k: string, p?: Record<string, string>) => string): Said | null {
  const id = String(e.pos)
  if (e.kind === 'message' && e.direction === 'out') {
    const stack = e.message?.stack ?? []
    return { id, kind: 'theirs', text: stack.map(words).join('\n'), buttons: stack.flatMap(buttonsOf) }
  }
  if (e.kind === 'queued') return { id, kind: 'what', text: t('admin_talk_queued', { name: String(e.data?.queue ?? '') }) }
  if (e.kind === 'closed') return { id, kind: 'what', text: t('admin_talk_closed') }
  return null
}

function words(x: Element): string {
  const p = x.payload ?? {}
  const text = p.content ?? p.caption ?? p.title
  return typeof text === 'string' && text ? text : `[${x.type}]`
}

function buttonsOf(x: Element): { title: string; payload: string }[] {
  const list = [x.payload?.buttons, x.payload?.replies, x.payload?.quick_replies].find(Array.isArray) as Record<string, unknown>[] | undefined
  return (list ?? []).filter((b) => !b.url).map((b) => ({ title: String(b.title ?? ''), payload: String(b.payload ?? b.title ?? '') }))
}
