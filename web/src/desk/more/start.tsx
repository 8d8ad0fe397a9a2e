import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { List } from '../../core/api'
import { newID } from '../../core/id'
import { Problem } from '../../core/problem'
import { may } from '../../core/session'
import { Button, Field, Skeleton } from '../../parts/controls'
import { Dialog } from '../../parts/overlays'
import { Pick } from '../../parts/pick'
import { useLoad, useT, useWorld } from '../../parts/world'
import { useDesk, useDeskState } from '../context'
import type { Channel, Contact, Conversation } from '../types'

// Whom is a contact, or an address that is perhaps nobody's yet.
type Whom = { contact: string } | { address: string }

// Start begins a conversation: with whom, where, and the first words.
export function Start({ contact, onClose }: { contact?: string | undefined; onClose(): void }) {
  const t = useT()
  const [whom, set] = useState<Whom | null>(contact ? { contact } : null)
  return (
    <Dialog title={t('desk_start')} onClose={onClose}>
      {whom ? <Write whom={whom} onClose={onClose} onBack={() => set(null)} /> : <Who onPick={set} />}
    </Dialog>
  )
}

// Who finds contacts by their names while one types; what was typed may also be an address.
function Who({ onPick }: { onPick(w: Whom): void }) {
  const t = useT()
  const { api, session } = useWorld()
  const [typed, type] = useState('')
  const [found, set] = useState<Contact[]>([])
  const q = typed.trim()
  useEffect(() => {
    set([])
    if (!q || !may(session, 'contacts.read')) return
    const stop = new AbortController()
    const timer = setTimeout(() => void api.get<List<Contact>>('/v1/contacts', { q, limit: 8 }, stop.signal).then((l) => set(l.items), () => {}), 120)
    return () => (clearTimeout(timer), stop.abort())
  }, [q])
  const choices = [
    ...found.map((c) => ({ id: 'c:' + c.id, title: c.name || c.id, icon: 'person' as const })),
    ...(q ? [{ id: 'a:' + q, title: t('desk_start_address', { address: q }), icon: 'send' as const }] : []),
  ]
  return <Pick label={t('desk_start_who')} placeholder={t('desk_start_hint')} empty={t('desk_start_type')} onText={type} choices={choices} onPick={(c) => onPick(c.id.startsWith('c:') ? { contact: c.id.slice(2) } : { address: c.id.slice(2) })} />
}

// Place is a channel on which one may write, or the reason why not.
interface Place {
  channel: Channel
  address?: string
  wrong?: string
  hint?: string
  open?: string // the conversation that is open there
}

function usePlaces(whom: Whom): { name: string; places: Place[]; error?: Error } | null {
  const t = useT()
  const { api, i18n } = useWorld()
  const channels = useDeskState((s) => s.channels)
  const id = 'contact' in whom ? whom.contact : ''
  const known = useLoad(
    async (signal) => (id ? await Promise.all([api.get<Contact>('/v1/contacts/' + id, {}, signal), api.get<List<Conversation>>('/v1/conversations', { contact: id, limit: 200 }, signal)]) : null),
    [id],
  )
  if (known.error) return { name: '', places: [], error: known.error }
  const window = (c: Channel) => ({ hours: i18n.span((c.traits.reply_window ?? 0) * 1000) })
  if ('address' in whom)
    return {
      name: whom.address,
      places: [...channels.values()]
        .sort((a, b) => Number(b.traits.initiate) - Number(a.traits.initiate))
        .map((channel) => ({
          channel,
          ...(channel.traits.initiate ? {} : { wrong: t('desk_start_first') }),
          ...(channel.traits.reply_window ? { hint: t('desk_start_window', window(channel)) } : {}),
        })),
    }
  if (!known.value) return null
  const [contact, { items }] = known.value
  const places = contact.identities.flatMap((x): Place[] => {
    const channel = channels.get(x.channel)
    if (!channel) return []
    const here = items.filter((c) => c.channel === x.channel && c.thread.address === x.address)
    const open = here.find((c) => c.state !== 'closed')
    const last = here.map((c) => c.last_in_at ?? '').sort().at(-1)
    const over = channel.traits.reply_window && last !== undefined && Date.now() - (Date.parse(last) || 0) > channel.traits.reply_window * 1000
    return [
      {
        channel,
        address: x.address,
        ...(open ? { open: open.id, hint: t('desk_start_open') } : x.blocked ? { wrong: t('desk_start_blocked') } : over ? { wrong: t('desk_window_over', window(channel)) } : {}),
      },
    ]
  })
  return { name: contact.name, places }
}

function Write({ whom, onClose, onBack }: { whom: Whom; onClose(): void; onBack(): void }) {
  const t = useT()
  const known = usePlaces(whom)
  if (!known) return <Skeleton lines={4} />
  if (known.error || !known.places.length)
    return (
      <>
        <p class="notice bad" role="alert">
          {known.error?.message ?? t('desk_start_nowhere')}
        </p>
        <div class="dialog-foot">
          <Button onClick={onBack}>{t('desk_start_other')}</Button>
        </div>
      </>
    )
  return <WriteForm whom={whom} name={known.name} places={known.places} onClose={onClose} onBack={onBack} />
}

function WriteForm({ whom, name, places, onClose, onBack }: { whom: Whom; name: string; places: Place[]; onClose(): void; onBack(): void }) {
  const t = useT()
  const { api } = useWorld()
  const { desk, show } = useDesk()
  const queues = useDeskState((s) => s.queues)
  const [at, choose] = useState(() => String(Math.max(0, places.findIndex((p) => !p.wrong))))
  const [queue, setQueue] = useState(() => queues.find((q) => q.members.includes(desk.me))?.name ?? '')
  const [text, write] = useState('')
  const [problem, set] = useState<Problem | null>(null)
  const [busy, wait] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  useLayoutEffect(() => form.current!.querySelector<HTMLElement>('.input')?.focus(), [])
  useLayoutEffect(() => (problem ? form.current!.querySelector<HTMLElement>('[aria-invalid]')?.focus() : undefined), [problem])
  const place = places[Number(at)] ?? places[0]!
  const body = { channel: place.channel.id, ...whom, text: text.trim(), assign: 'me', ...(queue ? { queue } : {}) }
  // the same words a second time are the same request
  const key = useMemo(newID, [JSON.stringify(body)])
  const submit = async (e: Event) => {
    e.preventDefault()
    if (place.open) return onClose(), show(place.open)
    if (place.wrong || busy || !text.trim()) return
    wait(true)
    set(null)
    try {
      const c = await api.post<Conversation>('/v1/conversations', body, key)
      desk.store.do({ do: 'conversations', list: [c] })
      onClose()
      show(c.id)
    } catch (err) {
      wait(false)
      set(err instanceof Problem ? err : new Problem(0, 'broken', String(err)))
    }
  }
  const closed = problem?.code === 'window_closed' ? problem.detail : ''
  const long = place.channel.traits.text_limit && text.length > place.channel.traits.text_limit
  return (
    <form ref={form} class="stack" onSubmit={(e) => void submit(e)} onKeyDown={(e) => e.key === 'Enter' && (e.ctrlKey || e.metaKey) && void submit(e)}>
      <div class="row">
        <strong class="grow cut">
          <bdi>{name}</bdi>
        </strong>
        <Button tight onClick={onBack}>
          {t('desk_start_other')}
        </Button>
      </div>
      {problem && !closed && (
        <p class="notice bad" role="alert">
          {problem.detail}
        </p>
      )}
      <Field label={t('desk_channel')} hint={place.wrong ? undefined : place.hint} wrong={place.wrong || closed || undefined}>
        {(a) => (
          <select class="input" {...a} value={at} onChange={(e) => (choose(e.currentTarget.value), set(null))}>
            {places.map((p, i) => (
              <option key={i} value={i}>
                {[p.channel.name, p.address].filter(Boolean).join(' · ')}
              </option>
            ))}
          </select>
        )}
      </Field>
      {!place.open && !place.wrong && (
        <>
          {queues.length > 0 && (
            <Field label={t('desk_queue')}>
              {(a) => (
                <select class="input" {...a} value={queue} onChange={(e) => setQueue(e.currentTarget.value)}>
                  <option value="">{t('desk_no_value')}</option>
                  {queues.map((q) => (
                    <option key={q.name} value={q.name}>
                      {q.title || q.name}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          )}
          <Field label={t('desk_start_text')} hint={long ? t('desk_too_long') : undefined}>
            {(a) => <textarea class="input" rows={4} dir="auto" required {...a} value={text} onInput={(e) => write(e.currentTarget.value)} />}
          </Field>
        </>
      )}
      <div class="dialog-foot">
        <Button main type="submit" disabled={!!place.wrong || busy}>
          {place.open ? t('desk_start_go') : t('desk_send')}
        </Button>
      </div>
    </form>
  )
}
