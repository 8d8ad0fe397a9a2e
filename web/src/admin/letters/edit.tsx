import { useState } from 'preact/hooks'
import { Button, Field } from '../../parts/controls'
import { Dialog } from '../../parts/overlays'
import { useT, useWorld } from '../../parts/world'
import { Trouble } from '../kit/page'
import type { DeadLetter } from '../kit/types'

// canEdit tells whether a letter is ours to change: a message of ours in plain words, of which nothing has left the hub.
export function canEdit(l: DeadLetter): boolean {
  const e = l.event
  const stack = e.message?.stack ?? []
  return e.kind === 'message' && e.direction === 'out' && e.status === 'failed' && l.progress === undefined && stack.length > 0 && stack.every((x) => x.type === 'text')
}

// EditLetter sends it with other words, or to another address.
export function EditLetter({ letter: l, reason: why, onClose, onSent }: { letter: DeadLetter; reason: string; onClose(): void; onSent(): void }) {
  const t = useT()
  const { api } = useWorld()
  const stack = l.event.message!.stack
  const [texts, write] = useState(stack.map((x) => String(x.payload?.content ?? '')))
  const [address, move] = useState('')
  const [reason, explain] = useState(why)
  const [error, fail] = useState<unknown>(null)
  const [busy, wait] = useState(false)
  const said = texts.some((x, i) => x !== stack[i]!.payload?.content)
  const submit = async (e: SubmitEvent) => {
    e.preventDefault()
    wait(true)
    fail(null)
    try {
      await api.post(`/v1/dead-letters/${encodeURIComponent(l.id)}/replay`, {
        ...(said ? { message: { stack: stack.map((x, i) => ({ ...x, payload: { ...x.payload, content: texts[i] } })) } } : {}),
        ...(address.trim() ? { address: address.trim() } : {}),
        ...(reason.trim() ? { reason: reason.trim() } : {}),
      })
      onSent()
    } catch (err) {
      fail(err)
      wait(false)
    }
  }
  return (
    <Dialog title={t('admin_letter_edit')} onClose={onClose}>
      <form class="stack" onSubmit={(e) => void submit(e)}>
        <p class="soft small">{t('admin_letter_edit_about')}</p>
        {error !== null && <Trouble error={error} />}
        {texts.map((text, i) => (
          <Field key={i} label={texts.length > 1 ? t('admin_letter_words_n', { n: i + 1 }) : t('admin_letter_words')}>
            {(a) => <textarea {...a} class="input" dir="auto" rows={4} required value={text} onInput={(e) => write(texts.map((x, n) => (n === i ? e.currentTarget.value : x)))} />}
          </Field>
        ))}
        <Field label={t('admin_optional', { label: t('admin_letter_address') })} hint={t('admin_letter_address_hint')} dir="ltr" maxLength={500} value={address} onInput={(e) => move(e.currentTarget.value)} />
        <Field label={t('admin_optional', { label: t('admin_letter_reason') })} dir="auto" maxLength={1000} value={reason} onInput={(e) => explain(e.currentTarget.value)} />
        <div class="dialog-foot">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button main type="submit" disabled={busy || (!said && !address.trim())}>
            {t('admin_letter_send')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
