import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { Badge, Button } from '../parts/controls'
import { Icon, type IconName } from '../parts/icon'
import { Dialog, Menu, type MenuItem } from '../parts/overlays'
import { useT, useWorld } from '../parts/world'
import { isOwn } from './acts'
import { useDesk, useDeskState } from './context'
import type { Said } from './fold'
import { find } from './state'
import { isMedia, textOf, type Element } from './types'

const emojis = ['👍', '❤️', '😂', '🙏']
const marks: Partial<Record<Said['status'], IconName>> = { pending: 'clock', queued: 'clock', sending: 'clock', sent: 'check', delivered: 'checks', read: 'checks', failed: 'warn', refused: 'warn', unsure: 'warn' }

interface MessageProps {
  id: string
  said: Said
  marked: boolean
  agents: ReadonlyMap<string, string> // their names
  onReply(s: Said): void
  onEdit(s: Said): void
}

// MessageItem is one message or note with what became of it.
export function MessageItem({ id, said, marked, agents, onReply, onEdit }: MessageProps) {
  const t = useT()
  const { i18n } = useWorld()
  const { desk } = useDesk()
  const at = new Date(said.at)
  const who = said.sender.type === 'bot' ? t('desk_bot') : said.sender.type === 'agent' ? (agents.get(said.sender.id ?? '') ?? said.sender.name ?? '') : ''
  const bad = said.status === 'failed' || said.status === 'refused' || said.status === 'unsure'
  const names = (said.mentions ?? []).flatMap((id) => (id === desk.me ? desk.session.user.name : (agents.get(id) ?? [])))
  const kind = said.note ? 'note' : said.out ? 'out' : 'in'
  return (
    <article class={`message ${kind} from-${said.sender.type}${marked ? ' marked' : ''}${bad ? ' bad' : ''}`} id={said.seq ? 'm' + said.seq : undefined} data-status={said.status}>
      {(who || said.note) && (
        <p class="message-who">
          {said.note && (
            <strong>
              <Icon name="note" /> {t('desk_note')}
            </strong>
          )}
          {who}
          {said.mentions?.includes(desk.me) && <Badge kind="warn">{t('desk_mentions_you')}</Badge>}
        </p>
      )}
      {!who && !said.out && <span class="hidden-text">{t('desk_from_contact')}</span>}
      <div class="bubble">
        {said.message.reply_to && <Quote id={id} reply={said.message.reply_to} />}
        {said.deleted ? <em class="soft">{t('desk_taken_back')}</em> : said.message.stack.map((e, i) => <ElementView key={i} e={e} names={names} />)}
        {said.reactions.length > 0 && (
          <p class="reactions">
            {said.reactions.map((r) => (
              <span key={r.emoji + r.mine} class="badge" role="img" aria-label={t(r.mine ? 'desk_reaction_ours' : 'desk_reaction_theirs', { emoji: r.emoji })}>
                {r.emoji}
              </span>
            ))}
          </p>
        )}
      </div>
      <p class={'message-meta' + (bad ? ' bad' : '')}>
        <time dateTime={said.at} title={i18n.full(at)}>
          {i18n.time(at)}
        </time>
        {said.edited && <span>{t('desk_edited')}</span>}
        {said.out && !said.note && (
          <span class="message-status">
            <Icon name={marks[said.status] ?? 'check'} />
            {t('desk_status_' + said.status)}
          </span>
        )}
        {said.note && said.status === 'pending' && <span>{t('desk_status_pending')}</span>}
        {said.error && <span>{said.error}</span>}
        {said.id && said.status === 'refused' && (
          <>
            <Button tight onClick={() => desk.outbox.retry(said.id!)}>
              {t('retry')}
            </Button>
            <Button tight plain onClick={() => desk.outbox.drop(said.id!)}>
              {t('desk_discard')}
            </Button>
          </>
        )}
        {said.status === 'failed' && <Again id={id} said={said} />}
      </p>
      {said.seq > 0 && !said.deleted && <Tools id={id} said={said} onReply={onReply} onEdit={onEdit} />}
    </article>
  )
}

// Again sends what the platform did not take as a new message.
function Again({ id, said }: { id: string; said: Said }) {
  const t = useT()
  const { desk } = useDesk()
  return (
    <Button tight onClick={() => desk.say(id, { stack: said.message.stack })}>
      {t('desk_send_again')}
    </Button>
  )
}

function Tools({ id, said, onReply, onEdit }: Omit<MessageProps, 'marked' | 'agents'>) {
  const t = useT()
  const { desk, acts } = useDesk()
  const { toasts } = useWorld()
  const path = `/v1/conversations/${id}/messages/${said.seq}`
  const ours = isOwn(said)
  const mine = said.reactions.filter((r) => r.mine).map((r) => r.emoji)
  const react = (emoji: string) => desk.api.post(path + '/reactions', { emoji: mine.includes(emoji) ? '' : emoji }).catch((e: unknown) => toasts.bad(e))
  const copy = () => void navigator.clipboard?.writeText(`${location.origin}/desk/c/${id}#${said.seq}`).then(() => toasts.show(t('desk_link_copied')))
  const items = (): MenuItem[] => {
    const channel = desk.state.channels.get(desk.state.conversations.get(id)?.channel ?? '')
    const can = (ability: string) => channel === undefined || channel.abilities.includes(ability)
    return [
      ...(said.note ? [] : emojis.map((e) => ({ id: e, title: e, checked: mine.includes(e), run: () => void react(e) }))),
      { id: 'copy', title: t('desk_copy_text'), icon: 'file', line: true, run: () => void navigator.clipboard?.writeText(textOf(said.message)) },
      { id: 'link', title: t('desk_copy_link'), icon: 'link', run: copy },
      ...(ours
        ? [
            { id: 'edit', title: t('desk_edit'), icon: 'edit' as const, disabled: !can('edit') || said.message.stack[0]?.type !== 'text', run: () => onEdit(said) },
            { id: 'back', title: t('desk_take_back'), icon: 'trash' as const, bad: true, disabled: !can('delete') && !can('edit'), run: () => void acts.takeBack(id, said.seq) },
          ]
        : []),
    ]
  }
  return (
    <div class="message-tools">
      {!said.note && <Button plain tight icon="reply" turns title={t('desk_reply_to')} onClick={() => onReply(said)} />}
      <Menu title={t('desk_message_more')} icon="more" plain tight items={items} />
    </div>
  )
}

function Quote({ id, reply }: { id: string; reply: { seq?: number; quote?: string } }) {
  const t = useT()
  const quoted = useDeskState((s) => {
    const events = s.threads.get(id)?.events ?? []
    return reply.quote || textOf(events[find(events, reply.seq ?? 0)]?.message)
  })
  const { show } = useDesk()
  return (
    <button type="button" class="quote cut" disabled={!reply.seq} onClick={() => reply.seq && show(id, reply.seq)}>
      <span class="hidden-text">{t('desk_answers')}</span> {quoted || t('desk_a_message')}
    </button>
  )
}

const words = (v: unknown): string => (typeof v === 'string' ? v : '')

// Words makes links of web addresses, and nothing else of strangers' text. In a note, the names of those whom it is for stand out.
export function Words({ text, names = [] }: { text: string; names?: string[] }) {
  const parts = text.split(/(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)])/g)
  return (
    <p class="words" dir="auto">
      {parts.map((p, i) => (i % 2 ? <a key={i} href={p} target="_blank" rel="noopener noreferrer nofollow">{p}</a> : named(p, names)))}
    </p>
  )
}

function named(text: string, [name, ...others]: string[]): ComponentChildren {
  if (!name) return text
  return text.split('@' + name).map((p, i) => [i > 0 && <strong class="mention">@{name}</strong>, named(p, others)])
}

// local is the path of a file of ours: pictures may come from here alone.
export function local(url: string): string {
  try {
    const u = new URL(url, location.origin)
    return u.pathname.startsWith('/files/') ? u.pathname + u.search : ''
  } catch {
    return ''
  }
}

function ElementView({ e, names }: { e: Element; names: string[] }) {
  const t = useT()
  const p = e.payload ?? {}
  if (isMedia(e.type)) return <Media type={e.type} p={p} />
  switch (e.type) {
    case 'text':
      return <Words text={words(p.content)} names={names} />
    case 'html':
      return <Words text={words(p.content).replace(/<[^>]*>/g, ' ')} />
    case 'buttons':
    case 'quick_replies':
      return (
        <>
          {words(p.content) && <Words text={words(p.content)} />}
          <ul class="choices" aria-label={t('desk_choices')}>
            {(Array.isArray(p.buttons) ? (p.buttons as Record<string, unknown>[]) : []).map((b, i) => (
              <li key={i}>{words(b.title)}</li>
            ))}
          </ul>
        </>
      )
    case 'choice':
      return (
        <p class="words">
          <Icon name="check" /> {words(p.title) || words(p.payload)}
        </p>
      )
    case 'location':
      return <Words text={[words(p.name), words(p.address), `${String(p.latitude)}, ${String(p.longitude)}`].filter(Boolean).join('\n')} />
    case 'contact':
      return <Words text={[words(p.name), ...(Array.isArray(p.phones) ? (p.phones as string[]) : []), ...(Array.isArray(p.emails) ? (p.emails as string[]) : [])].join('\n')} />
    case 'rating':
    case 'feedback':
      return <Words text={[p.value ? `${String(p.value)}/${String(p.max ?? 5)}` : '', words(p.comment), words(p.content)].filter(Boolean).join(' · ')} />
    default: {
      const own = textOf({ stack: [e] })
      return own ? <Words text={own} /> : <p class="soft">{t('desk_element', { type: e.type })}</p>
    }
  }
}

function Media({ type, p }: { type: string; p: Record<string, unknown> }) {
  const t = useT()
  const { i18n } = useWorld()
  const [zoom, set] = useState(false)
  const src = local(words(p.url))
  const name = words(p.name) || t('desk_media_' + type)
  const size = typeof p.size === 'number' && p.size > 0 ? i18n.number(p.size / 1024, { maximumFractionDigits: 0, style: 'unit', unit: 'kilobyte' }) : ''
  const far = !src && /^https?:/.test(words(p.url)) ? words(p.url) : ''
  const picture = src && (type === 'image' || type === 'sticker')
  return (
    <figure class={'media ' + type}>
      {picture ? (
        <button type="button" class="media-open" aria-label={t('desk_zoom', { name })} onClick={() => set(true)}>
          <img src={src} alt={words(p.caption) || name} loading="lazy" />
        </button>
      ) : src && (type === 'audio' || type === 'voice') ? (
        <audio controls preload="none" src={src} aria-label={name} />
      ) : src && type === 'video' ? (
        <video controls preload="metadata" src={src} aria-label={name} />
      ) : src || far ? (
        <a class="button" href={src || far} target="_blank" rel="noopener noreferrer" {...(src ? { download: words(p.name) || true } : {})}>
          <Icon name="file" /> <span class="cut">{name}</span> {size && <span class="soft">{size}</span>}
        </a>
      ) : (
        <p class="soft">
          <Icon name="file" /> {name} · {t('desk_media_coming')}
        </p>
      )}
      {words(p.caption) && <figcaption>{<Words text={words(p.caption)} />}</figcaption>}
      {zoom && (
        <Dialog title={name} wide onClose={() => set(false)}>
          <img class="zoomed" src={src} alt={words(p.caption) || name} />
          <a class="button" href={src} target="_blank" rel="noopener">
            {t('desk_open_file')}
          </a>
        </Dialog>
      )}
    </figure>
  )
}
