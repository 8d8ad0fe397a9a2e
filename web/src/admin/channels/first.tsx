import { useEffect, useState } from 'preact/hooks'
import type { List } from '../../core/api'
import { Button, Field } from '../../parts/controls'
import { Copy } from '../../parts/copy'
import { Icon } from '../../parts/icon'
import { useT, useWorld } from '../../parts/world'
import { useEvents } from '../kit/feed'
import { Trouble } from '../kit/page'
import { textOf, type Channel, type ChatEvent } from '../kit/types'

interface Arrived {
  conversation: string
  text: string
  from: string
}

const arrivedBy = (e: ChatEvent, conversation: string): Arrived => ({ conversation, text: textOf(e), from: e.sender?.name || e.sender?.id || '' })

interface Receipt {
  seq: number
  status: string
  error?: ChatEvent['error']
}

// FirstMessage waits for the contact's first message, live, and then sends one back.
export function FirstMessage({ channel, back, next }: { channel: Channel; back(): void; next(): void }) {
  const t = useT()
  const { api } = useWorld()
  const [arrived, set] = useState<Arrived | null>(null)
  const [answer, send] = useState<ChatEvent | null>(null)
  const [receipts, hear] = useState<Record<string, Receipt>>({})
  const live = useEvents((e) => {
    if (e.channel !== channel.id || !e.conversation) return
    if (e.kind === 'message' && e.direction === 'in') set(arrivedBy(e, e.conversation))
    if (e.kind !== 'receipt') return
    const about = e.data as unknown as Receipt
    const key = e.conversation + about.seq
    hear((was) => ({ ...was, [key]: about }))
  })
  // the receipt may be here before the call that sent the answer is done
  const sent = answer && { ...answer, ...receipts[answer.conversation! + answer.seq] }
  // what came before this page was open, or while the line was down, counts too
  useEffect(() => {
    const look = async () => {
      const { items } = await api.get<List<{ id: string }>>('/v1/conversations', { channel: channel.id, limit: 1 })
      if (!items[0]) return
      const { items: events } = await api.get<List<ChatEvent>>(`/v1/conversations/${items[0].id}/events`, { limit: 50 })
      const e = events.find((x) => x.kind === 'message' && x.direction === 'in')
      if (e) set((was) => was ?? arrivedBy(e, items[0]!.id))
    }
    look().catch(() => {})
  }, [live])
  return (
    <section class="card stack">
      <h2>{t('admin_step_message')}</h2>
      {!arrived && <How channel={channel} />}
      <div aria-live="polite">
        {arrived ? (
          <p class="arrived">
            <Icon name="check" />
            <span>
              <strong>{t('admin_first_arrived', { name: arrived.from || '—' })}</strong>
              <br />
              {arrived.text}
            </span>
          </p>
        ) : (
          <p class="waits">
            <span class="pulse" /> {t('admin_first_waits')}
          </p>
        )}
      </div>
      {arrived && <Answer conversation={arrived.conversation} sent={sent} onSent={send} />}
      <div class="row wrap admin-foot">
        <Button main={arrived !== null} onClick={next}>
          {arrived ? t('admin_finish') : t('admin_later')}
        </Button>
        <Button onClick={back}>{t('admin_back')}</Button>
      </div>
    </section>
  )
}

// How says how the first message gets here.
function How({ channel }: { channel: Channel }) {
  const t = useT()
  const { i18n } = useWorld()
  const key = 'admin_first_' + channel.connector
  return (
    <>
      <p>{t(i18n.has(key) ? key : 'admin_first_other')}</p>
      {channel.connector === 'simulator' && <Pretend channel={channel} />}
      {channel.connector === 'webchat' && <Copy label={t('admin_first_snippet')} text={`<script src="${location.origin}/widget.js" data-channel="${channel.id}" async></script>`} />}
    </>
  )
}

// Pretend is a contact of the simulated platform.
function Pretend({ channel }: { channel: Channel }) {
  const t = useT()
  const { api } = useWorld()
  const [error, fail] = useState<unknown>(null)
  const write = () => {
    fail(null)
    api.post(`/v1/channels/${channel.id}/simulate`, { from: 'first', name: t('admin_first_name'), text: t('admin_first_hello') }).catch(fail)
  }
  return (
    <>
      {error !== null && <Trouble error={error} />}
      <div>
        <Button icon="send" onClick={write}>
          {t('admin_first_pretend')}
        </Button>
      </div>
    </>
  )
}

function Answer({ conversation, sent, onSent }: { conversation: string; sent: ChatEvent | null; onSent(e: ChatEvent): void }) {
  const t = useT()
  const { api } = useWorld()
  const [text, type] = useState(t('admin_first_answer'))
  const [error, fail] = useState<unknown>(null)
  const [busy, wait] = useState(false)
  const send = async (e: SubmitEvent) => {
    e.preventDefault()
    wait(true)
    fail(null)
    try {
      onSent(await api.post<ChatEvent>(`/v1/conversations/${conversation}/messages`, { text }))
    } catch (err) {
      fail(err)
    }
    wait(false)
  }
  const bad = sent?.status === 'failed' || sent?.status === 'unsure'
  return (
    <form class="stack" onSubmit={(e) => void send(e)}>
      <Field label={t('admin_first_answer_label')} value={text} required maxLength={500} onInput={(e) => type(e.currentTarget.value)} />
      <div class="row wrap">
        <Button type="submit" icon="send" disabled={busy}>
          {t('admin_first_send')}
        </Button>
        <span aria-live="polite">{sent && !bad && t('admin_status_' + sent.status)}</span>
      </div>
      {bad && <Trouble title={t('admin_status_' + sent.status)} error={new Error(sent.error?.detail || sent.error?.class || '')} />}
      {error !== null && <Trouble error={error} />}
    </form>
  )
}
