import { useEffect, useRef, useState } from 'preact/hooks'
import type { List } from '../core/api'
import { Problem } from '../core/problem'
import { may } from '../core/session'
import { Avatar, Badge, Button, Field, Skeleton } from '../parts/controls'
import { useLoad, useT, useWorld } from '../parts/world'
import { useDesk, useDeskState } from './context'
import { TurnBadge } from './inbox'
import { seen } from './state'
import type { Contact, Conversation } from './types'
import { writeView } from './views'

// ContactPanel is who this is: on every channel, what is known, and what was before.
export function ContactPanel({ id, onClose }: { id: string; onClose(): void }) {
  const t = useT()
  const c = useDeskState((s) => seen(s, id))
  return (
    <aside class="contact" aria-label={t('desk_panel')}>
      <div class="row contact-head">
        <h2 class="grow">{t('desk_panel')}</h2>
        <Button plain tight icon="close" title={t('close')} onClick={onClose} />
      </div>
      {c ? <Known key={c.contact.id} c={c} /> : <Skeleton />}
    </aside>
  )
}

function Known({ c }: { c: Conversation }) {
  const t = useT()
  const { api, session } = useWorld()
  const contact = useLoad((signal) => api.get<Contact>('/v1/contacts/' + c.contact.id, {}, signal), [c.contact.id])
  const channels = useDeskState((s) => s.channels)
  const [editing, edit] = useState(false)
  const who = contact.value
  if (!who) return contact.error ? <p class="soft">{t('desk_contact_hidden')}</p> : <Skeleton lines={6} />
  return (
    <>
      <div class="contact-who">
        <Avatar name={who.name || c.thread.address} />
        <div class="grow">
          <h3 class="cut">{who.name || c.thread.address}</h3>
          {who.language && <p class="soft small">{languageName(who.language)}</p>}
        </div>
        {may(session, 'contacts.write') && !editing && <Button plain tight icon="edit" title={t('desk_edit_contact')} onClick={() => edit(true)} />}
      </div>
      {editing && (
        <Edit
          contact={who}
          onDone={() => {
            edit(false)
            contact.again()
          }}
        />
      )}
      <section class="stack">
        <h3>{t('desk_identities')}</h3>
        <dl class="facts">
          {who.identities.map((x) => (
            <div key={x.channel + x.address}>
              <dt>{channels.get(x.channel)?.name ?? t('desk_channel')}</dt>
              <dd class="cut" title={x.address}>
                {x.address} {x.blocked && <Badge kind="bad">{t('desk_blocked')}</Badge>}
              </dd>
            </div>
          ))}
        </dl>
      </section>
      <Properties contact={who} />
      <Here c={c} />
      <Before c={c} />
    </>
  )
}

function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames([document.documentElement.lang], { type: 'language' }).of(tag) ?? tag
  } catch {
    return tag
  }
}

function Edit({ contact, onDone }: { contact: Contact; onDone(): void }) {
  const t = useT()
  const { api, toasts } = useWorld()
  const { desk } = useDesk()
  const [problem, set] = useState<Problem | null>(null)
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => form.current?.querySelector('input')?.focus(), [])
  const submit = async (e: SubmitEvent) => {
    e.preventDefault()
    const f = new FormData(form.current!)
    const properties = Object.fromEntries(Object.keys(contact.properties).filter((k) => typeof contact.properties[k] === 'string').map((k) => [k, String(f.get('p.' + k) ?? '')]))
    try {
      const saved = await api.patch<Contact>('/v1/contacts/' + contact.id, { name: String(f.get('name')), language: String(f.get('language')), ...(Object.keys(properties).length ? { properties } : {}) })
      for (const c of desk.state.conversations.values()) if (c.contact.id === contact.id) desk.store.do({ do: 'conversations', list: [{ ...c, contact: { id: contact.id, name: saved.name } }] })
      toasts.show(t('saved'))
      onDone()
    } catch (err) {
      if (!(err instanceof Problem)) throw err
      set(err)
    }
  }
  return (
    <form ref={form} class="stack" onSubmit={submit}>
      {problem && (
        <p class="notice bad" role="alert">
          {problem.detail}
        </p>
      )}
      <Field label={t('name')} name="name" defaultValue={contact.name} maxLength={200} wrong={problem?.of('name')} />
      <Field label={t('language')} name="language" defaultValue={contact.language ?? ''} maxLength={35} wrong={problem?.of('language')} />
      {Object.entries(contact.properties).map(([k, v]) => (typeof v === 'string' ? <Field key={k} label={k} name={'p.' + k} defaultValue={v} /> : null))}
      <div class="row">
        <Button main tight type="submit">
          {t('save')}
        </Button>
        <Button tight onClick={onDone}>
          {t('cancel')}
        </Button>
      </div>
    </form>
  )
}

function Properties({ contact }: { contact: Contact }) {
  const t = useT()
  const all = Object.entries(contact.properties)
  if (!all.length) return null
  return (
    <section class="stack">
      <h3>{t('desk_properties')}</h3>
      <dl class="facts">
        {all.map(([k, v]) => (
          <div key={k}>
            <dt>{k}</dt>
            <dd>{typeof v === 'string' ? v : JSON.stringify(v)}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

function Here({ c }: { c: Conversation }) {
  const t = useT()
  const { acts } = useDesk()
  const { i18n } = useWorld()
  const fields = Object.entries(c.fields ?? {})
  return (
    <section class="stack">
      <h3>{t('desk_this_conversation')}</h3>
      <dl class="facts">
        <div>
          <dt>{t('desk_opened')}</dt>
          <dd>{i18n.full(new Date(c.opened_at))}</dd>
        </div>
        {fields.map(([k, v]) => (
          <div key={k}>
            <dt>{k}</dt>
            <dd>{typeof v === 'string' ? v : JSON.stringify(v)}</dd>
          </div>
        ))}
      </dl>
      {(c.tags ?? []).length > 0 && (
        <ul class="row wrap" aria-label={t('desk_tags')}>
          {c.tags!.map((x) => (
            <li key={x} class="badge tag">
              {x}
              <button type="button" class="tag-off" aria-label={t('desk_untag', { tag: x })} onClick={() => void acts.tag(c.id, x, false)}>
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

// Before lists the contact's other conversations, on all channels.
function Before({ c }: { c: Conversation }) {
  const t = useT()
  const { api, i18n } = useWorld()
  const { view } = useDesk()
  const channels = useDeskState((s) => s.channels)
  const found = useLoad((signal) => api.get<List<Conversation>>('/v1/conversations', { contact: c.contact.id, limit: 20 }, signal), [c.contact.id, c.state])
  const others = found.value?.items.filter((x) => x.id !== c.id) ?? []
  return (
    <section class="stack">
      <h3>{t('desk_before')}</h3>
      {found.value && !others.length && <p class="soft small">{t('desk_no_before')}</p>}
      <ul class="before">
        {others.map((x) => (
          <li key={x.id}>
            <a class="option" href={'/desk/c/' + x.id + writeView(view)}>
              <span class="grow">
                <span class="cut before-words">{x.preview || '…'}</span>
                <span class="soft small">{[i18n.date(new Date(x.opened_at)), channels.get(x.channel)?.name].filter(Boolean).join(' · ')}</span>
              </span>
              <TurnBadge c={x} />
            </a>
          </li>
        ))}
      </ul>
    </section>
  )
}
