import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Button, Empty } from '../parts/controls'
import { Icon } from '../parts/icon'
import { useNow, useStore, useT, useWorld } from '../parts/world'
import type { Bubble } from './bubble'
import { bubblesOf, type Lab } from './lab'

// Phone is the consumer: what somebody on the channel sees and can do.
export function Phone({ lab }: { lab: Lab }) {
  const t = useT()
  const { toasts } = useWorld()
  const s = useStore(lab.store, (x) => x)
  const now = useNow()
  const all = bubblesOf(s)
  const list = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => void list.current?.scrollTo({ top: list.current.scrollHeight }), [all.length, s.channel?.id])
  const say = (text: string, payload?: string) => lab.say(text, payload).catch((err: unknown) => toasts.bad(err))
  return (
    <section class="lab-pane lab-consumer" aria-labelledby="lab-consumer">
      <h2 id="lab-consumer" class="lab-head">
        <Icon name="person" /> {t('playground_consumer')}
      </h2>
      <div class="phone">
        <div class="phone-top">
          <span class="phone-ear" aria-hidden="true" />
          <strong class="cut">{s.channel?.name || t('playground_title')}</strong>
          <span class="small cut">{s.channel?.connector === 'webchat' ? t('playground_widget') : t('playground_simulator')}</span>
        </div>
        <div class="phone-talk" role="log" aria-label={t('playground_phone_log')} tabIndex={0} ref={list}>
          {all.length === 0 && <Empty title={t('playground_say_hello')} />}
          {all.map((b, i) => (
            <Said key={b.key} bubble={b} last={i === all.length - 1} onChoose={(c) => void say(c.title, c.payload || c.title)} />
          ))}
          {s.typing.agent > now.getTime() && <p class="phone-typing small">{t('playground_typing')}</p>}
        </div>
        <Writer label={t('playground_consumer_writes')} placeholder={t('playground_message')} disabled={!s.channel} onWrite={() => void lab.writes()} onSend={(text) => void say(text)} />
      </div>
    </section>
  )
}

function Said({ bubble, last, onChoose }: { bubble: Bubble; last: boolean; onChoose(c: { title: string; payload?: string }): void }) {
  const t = useT()
  const { i18n } = useWorld()
  return (
    <div class={'bubble' + (bubble.mine ? ' mine' : '')}>
      <span class="hidden-text">{bubble.mine ? t('playground_you') : bubble.from}: </span>
      {bubble.parts.map((p, i) => (
        <div key={i}>
          <p dir="auto">{p.text}</p>
          {p.buttons.length > 0 && (
            <div class="bubble-buttons">
              {p.buttons.map((c) =>
                c.url ? (
                  <a key={c.title} class="button tight" href={/^https?:/.test(c.url) ? c.url : '#'} target="_blank" rel="noopener noreferrer">
                    {c.title}
                  </a>
                ) : (
                  <Button key={c.title} tight disabled={!last} onClick={() => onChoose(c)}>
                    {c.title}
                  </Button>
                ),
              )}
            </div>
          )}
        </div>
      ))}
      <span class="bubble-foot">
        {!bubble.mine && bubble.from && `${bubble.from} · `}
        {i18n.time(new Date(bubble.at))}
        {bubble.mine && (bubble.status === 'sending' || bubble.status === 'failed') && ` · ${t('playground_' + bubble.status)}`}
      </span>
    </div>
  )
}

// Writer is a text field that sends with Enter and keeps the focus.
export function Writer(o: { label: string; placeholder: string; disabled: boolean; onSend(text: string): void; onWrite?(): void; send?: string }) {
  const t = useT()
  const [text, set] = useState('')
  const told = useRef(0)
  const submit = (e: Event) => {
    e.preventDefault()
    if (!text.trim() || o.disabled) return
    o.onSend(text.trim())
    set('')
  }
  return (
    <form class="writer" onSubmit={submit}>
      <input
        class="input"
        aria-label={o.label}
        placeholder={o.placeholder}
        value={text}
        disabled={o.disabled}
        maxLength={4000}
        autocomplete="off"
        dir="auto"
        onInput={(e) => {
          set(e.currentTarget.value)
          if (Date.now() - told.current < 3000) return
          told.current = Date.now()
          o.onWrite?.()
        }}
      />
      <Button type="submit" main icon="send" turns title={o.send ?? t('playground_send')} disabled={o.disabled || !text.trim()} />
    </form>
  )
}
