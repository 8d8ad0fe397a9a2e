import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Button } from '../parts/controls'
import { useNow, useT, useWorld } from '../parts/world'
import { lastOwn } from './acts'
import { useCanned } from './canned'
import { useDesk, useDeskState } from './context'
import { AttachButton, FileList, type Files } from './files'
import { left, useMentions, type Mention } from './mentions'
import { useLatest, type Talking } from './thread'
import { textOf, type Conversation } from './types'
import { useStep } from './walk'

const hole = /\{\{[^{}]*\}\}/

interface ComposerProps {
  c: Conversation
  talking: Talking
  talk(t: Talking): void
  files: Files
}

// Composer writes replies, notes and changes of messages. What was begun is kept with every key stroke.
export function Composer({ c, talking, talk, files }: ComposerProps) {
  const t = useT()
  const { desk, acts } = useDesk()
  const [draft, setDraft] = useState(() => desk.drafts.get(c.id))
  const field = useRef<HTMLTextAreaElement>(null)
  const limits = useLimits(c)
  const step = useStep()
  const edit = talking.edit
  const [edited, setEdited] = useState('')
  const note = draft.note && !edit
  const text = edit ? edited : draft.text
  const change = (value: string, named?: Mention) => {
    if (edit) return setEdited(value)
    const mentions = left(value, named ? [...(draft.mentions ?? []).filter((m) => m.id !== named.id), named] : draft.mentions)
    const next = { ...draft, text: value, mentions }
    setDraft(next)
    desk.drafts.set(c.id, next)
  }
  const turn = (isNote: boolean) => {
    const next = { ...draft, note: isNote }
    setDraft(next)
    desk.drafts.set(c.id, next)
    field.current?.focus()
  }
  const canned = useCanned(c.id, field, text, change, !note && !edit)
  const mentions = useMentions(c, field, text, change, draft.mentions ?? [], note)
  const mentionsNow = useLatest(mentions)
  const suggest = note ? mentions : canned
  useLayoutEffect(() => {
    // what is typed next belongs here: not a frame later
    if (talking.edit) setEdited(textOf(talking.edit.message))
    if (talking.edit || talking.reply) field.current?.focus()
  }, [talking])
  const editLast = () => {
    const said = lastOwn(desk, c.id)
    if (said) talk({ edit: said })
    return said !== undefined
  }
  useCommands({ focus: (isNote) => turn(isNote), attach: () => document.querySelector<HTMLElement>('.composer .attach')?.click(), editLast, mention: () => (turn(true), queueMicrotask(() => mentionsNow.current.open())) })
  useLayoutEffect(() => grow(field.current!), [text])
  const telling = useTelling(c, note)
  const begin = () => {
    // the first letter in a conversation that nobody has takes it
    if (!note && c.state === 'queued' && text === '') void acts.take(c.id)
  }
  const blocked = note || edit ? '' : c.state === 'closed' ? t('desk_closed_hint') : limits.closed
  const unfilled = !note && hole.exec(text)
  const ready = files.list.filter((f) => f.file)
  const busy = files.list.some((f) => !f.file && !f.wrong)
  const long = limits.most > 0 && text.length > limits.most && !note
  const empty = !text.trim() && !ready.length

  const send = (after?: 'close' | 'next'): boolean => {
    if (unfilled) {
      field.current!.focus()
      field.current!.setSelectionRange(unfilled.index, unfilled.index + unfilled[0].length)
      return false
    }
    if (empty || blocked || busy) return false
    if (edit) {
      void acts.edit(c.id, edit.seq, text.trim())
      talk({})
      return true
    }
    const stack = [
      ...(text.trim() ? [{ type: 'text', payload: { content: text.trim() } }] : []),
      ...ready.map((f) => ({ type: f.kind, payload: { file: f.file, name: f.name } })),
    ]
    const body = ready.length ? { stack } : { text: text.trim() }
    const named = note ? left(text, draft.mentions).map((m) => m.id) : []
    desk.say(c.id, { ...body, ...(talking.reply && !note ? { reply_to: { seq: talking.reply.seq } } : {}), ...(named.length ? { mentions: named } : {}) }, note, after && (() => void acts.close(c.id)))
    files.clear()
    talk({})
    const next = { text: '', note: false }
    setDraft(next)
    desk.drafts.set(c.id, next)
    telling.stop()
    if (after === 'next') step(1)
    return true
  }
  const latest = useLatest(send)
  const key = (e: KeyboardEvent) => {
    if (suggest.key(e)) return
    const mod = e.ctrlKey || e.metaKey
    if (e.key === 'Enter' && !e.isComposing && !e.altKey && (!e.shiftKey || mod)) {
      e.preventDefault()
      latest.current(mod && e.shiftKey ? 'close' : undefined)
    } else if (e.key === 'ArrowUp' && !text && !note && !edit && !mod && !e.shiftKey && !e.altKey) {
      if (editLast()) e.preventDefault()
    } else if (e.key === 'Escape') {
      if (talking.edit || talking.reply) talk({})
      else field.current!.blur()
      e.stopPropagation()
    }
  }
  const about = talking.reply ?? talking.edit
  return (
    <form class={'composer' + (note ? ' note' : '')} aria-label={t('desk_composer')} onSubmit={(e) => (e.preventDefault(), send())}>
      <div class="row composer-head">
        <div class="composer-modes" role="group" aria-label={t('desk_mode')}>
          <Button tight plain pressed={!note} onClick={() => turn(false)}>
            {edit ? t('desk_editing') : t('desk_reply')}
          </Button>
          {!edit && (
            <Button tight plain icon="note" pressed={note} onClick={() => turn(true)}>
              {t('desk_note')}
            </Button>
          )}
        </div>
        <span class="grow" />
        {note && <span class="small composer-hint">{t('desk_note_hint')}</span>}
        {!note && limits.hint && <span class="small soft composer-hint">{limits.hint}</span>}
        {!note && limits.most > 0 && text.length > limits.most * 0.8 && (
          <span class={'small number ' + (long ? 'over' : 'soft')}>
            {text.length}/{limits.most}
          </span>
        )}
      </div>
      {about && !note && (
        <div class="row composer-about">
          <span class="grow cut small">{textOf(about.message)}</span>
          <Button plain tight icon="close" title={t('cancel')} onClick={() => talk({})} />
        </div>
      )}
      {unfilled && (
        <p class="notice warn small" role="status">
          {t('desk_fill_in', { what: unfilled[0].replace(/[{}]/g, '').trim() })}
        </p>
      )}
      {long && <p class="small over" role="status">{t('desk_too_long')}</p>}
      <div class="composer-field">
        <textarea
          ref={field}
          rows={1}
          class="input"
          dir="auto"
          aria-label={note ? t('desk_write_note') : t('desk_write')}
          placeholder={blocked || (note ? t('desk_write_note') : t('desk_write_hint'))}
          value={text}
          disabled={blocked !== ''}
          {...suggest.attributes}
          onInput={(e) => {
            begin()
            change(e.currentTarget.value)
            telling.type()
          }}
          onKeyDown={key}
          onKeyUp={suggest.look}
          onClick={suggest.look}
          onPaste={(e) => {
            const pasted = [...(e.clipboardData?.files ?? [])]
            if (pasted.length) {
              e.preventDefault()
              files.add(pasted)
            }
          }}
        />
        {suggest.list}
      </div>
      <FileList files={files} />
      <div class="row">
        <AttachButton files={files} disabled={note || blocked !== '' || !!edit} />
        {note ? (
          <Button plain title={t('desk_mention')} hotkey="@" onClick={() => mentions.open()}>
            @
          </Button>
        ) : (
          <Button plain title={t('desk_canned')} hotkey="/" disabled={blocked !== '' || !!edit} onClick={() => canned.open()}>
            /
          </Button>
        )}
        <span class="grow" />
        {!edit && !note && (
          <Button type="button" plain icon="check" class="wide-words" disabled={empty || blocked !== ''} title={t('desk_send_close')} hotkey="Ctrl+Shift+↵" onClick={() => send('close')}>
            <span>{t('desk_send_close')}</span>
          </Button>
        )}
        <Button type="submit" main icon="send" turns disabled={empty || blocked !== '' || busy}>
          {edit ? t('save') : note ? t('desk_add_note') : t('desk_send')}
        </Button>
      </div>
    </form>
  )
}

// grow makes the field as high as its words, up to a third of the window.
function grow(el: HTMLTextAreaElement): void {
  el.style.height = 'auto'
  el.style.height = Math.min(el.scrollHeight + 2, innerHeight / 3) + 'px'
}

// useLimits are what the channel allows: known before sending.
function useLimits(c: Conversation): { most: number; closed: string; hint: string } {
  const t = useT()
  const { i18n } = useWorld()
  const channel = useDeskState((s) => s.channels.get(c.channel))
  const now = useNow(30_000)
  const most = channel?.traits.text_limit ?? 0
  const seconds = channel?.traits.reply_window ?? 0
  if (!seconds || !c.last_in_at) return { most, closed: '', hint: '' }
  const left = Date.parse(c.last_in_at) + seconds * 1000 - now.getTime()
  const hours = i18n.span(seconds * 1000)
  if (left <= 0) return { most, closed: t('desk_window_over', { hours }), hint: '' }
  return { most, closed: '', hint: left < seconds * 250 ? t('desk_window_left', { left: i18n.span(left) }) : '' }
}

// useTelling tells the contact and colleagues that one writes, every three seconds at most; a note is told to colleagues alone.
function useTelling(c: Conversation, note: boolean): { type(): void; stop(): void } {
  const { desk } = useDesk()
  const last = useRef(0)
  const quiet = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(quiet.current), [])
  const stop = () => {
    clearTimeout(quiet.current)
    if (last.current) desk.presence(c.id, 'looking')
    last.current = 0
  }
  return {
    stop,
    type() {
      clearTimeout(quiet.current)
      quiet.current = setTimeout(stop, 6000)
      if (Date.now() - last.current < 3000) return
      last.current = Date.now()
      desk.presence(c.id, 'typing')
      if (!note && c.state === 'assigned') desk.typed(c.id)
    },
  }
}

// ComposerActs are what keys do to the composer of the open conversation.
export interface ComposerActs {
  focus(note: boolean): void
  attach(): void
  editLast(): boolean
  mention(): void
}

export const composerActs: { current: ComposerActs | null } = { current: null }

function useCommands(a: ComposerActs): void {
  useLayoutEffect(() => {
    composerActs.current = a
    return () => void (composerActs.current = null)
  })
}
