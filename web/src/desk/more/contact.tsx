import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { List } from '../../core/api'
import { may } from '../../core/session'
import { Avatar, Badge, Button, Skeleton } from '../../parts/controls'
import { useLoad, useT, useWorld } from '../../parts/world'
import { useDesk, useDeskState, useHere } from '../context'
import { TurnBadge } from '../inbox'
import { useShown } from '../typed'
import type { Contact, Conversation } from '../types'
import { ContactForm, FieldsForm } from './edit'

// Known is who this is: on every channel, what is known, and what was before.
export function Known({ c }: { c: Conversation }) {
  const t = useT()
  const { api, session } = useWorld()
  const contact = useLoad((signal) => api.get<Contact>('/v1/contacts/' + c.contact.id, {}, signal), [c.contact.id])
  const channels = useDeskState((s) => s.channels)
  const { edit, ask } = useDesk()
  const { editing } = useHere()
  const on = editing === 'contact'
  const button = useRef<HTMLButtonElement>(null)
  useBack(button, on)
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
        {may(session, 'conversations.write') && <Button plain tight icon="send" turns title={t('desk_start_with')} onClick={() => ask({ what: 'start', contact: who.id })} />}
        {may(session, 'contacts.write') && !on && <Button el={button} plain tight icon="edit" title={t('desk_edit_contact')} onClick={() => edit('contact')} />}
      </div>
      {on && (
        <Form
          what="contact"
          contact={who}
          onDone={() => {
            edit(null)
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
      {!on && <Details contact={who} />}
      <Here c={c} />
      <Before c={c} />
    </>
  )
}

// Facts lists names and values.
function Facts({ list, children }: { list: [string, ComponentChildren][]; children?: ComponentChildren }) {
  return (
    <dl class="facts">
      {children}
      {list.map(([k, v]) => (
        <div key={k}>
          <dt>{k}</dt>
          <dd>
            <bdi>{v}</bdi>
          </dd>
        </div>
      ))}
    </dl>
  )
}

function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames([document.documentElement.lang], { type: 'language' }).of(tag) ?? tag
  } catch {
    return tag
  }
}

// Details are what is known of the contact: the fields that there are, and what else was written down.
function Details({ contact }: { contact: Contact }) {
  const t = useT()
  const shown = useShown('contact')
  const names = [...new Set([...shown.fields.map((f) => f.name).filter((n) => n in contact.properties), ...Object.keys(contact.properties)])]
  if (!names.length) return null
  return (
    <section class="stack">
      <h3>{t('desk_properties')}</h3>
      <Facts list={names.map((n) => [shown.title(n), shown.value(n, contact.properties[n])])} />
    </section>
  )
}

function Here({ c }: { c: Conversation }) {
  const t = useT()
  const { acts, edit } = useDesk()
  const { editing } = useHere()
  const { i18n, session } = useWorld()
  const shown = useShown('conversation')
  const names = [...new Set([...shown.fields.map((f) => f.name), ...Object.keys(c.fields ?? {})])]
  const button = useRef<HTMLButtonElement>(null)
  const on = editing === 'fields'
  useBack(button, on)
  return (
    <section class="stack">
      <div class="row contact-part">
        <h3 class="grow">{t('desk_this_conversation')}</h3>
        {shown.fields.length > 0 && may(session, 'conversations.write') && !on && <Button el={button} plain tight icon="edit" title={t('desk_edit_fields')} hotkey="I" onClick={() => edit('fields')} />}
      </div>
      {on && shown.fields.length > 0 ? (
        <Form what="fields" c={c} onDone={() => edit(null)} />
      ) : (
        <Facts list={names.map((n) => [shown.title(n), shown.value(n, c.fields?.[n])])}>
          <div>
            <dt>{t('desk_opened')}</dt>
            <dd>{i18n.full(new Date(c.opened_at))}</dd>
          </div>
        </Facts>
      )}
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

function Form(p: { onDone(): void } & ({ what: 'contact'; contact: Contact } | { what: 'fields'; c: Conversation })) {
  return p.what === 'contact' ? <ContactForm contact={p.contact} onDone={p.onDone} /> : <FieldsForm c={p.c} onDone={p.onDone} />
}

// useBack gives the focus back to the button that began to edit.
function useBack(button: { current: HTMLButtonElement | null }, editing: boolean): void {
  const was = useRef(editing)
  useLayoutEffect(() => {
    if (was.current && !editing && (document.activeElement ?? document.body) === document.body) button.current?.focus()
    was.current = editing
  }, [editing])
}

// Before lists the contact's other conversations, on all channels.
function Before({ c }: { c: Conversation }) {
  const t = useT()
  const { api, i18n } = useWorld()
  const { query } = useHere()
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
            <a class="option" href={'/desk/c/' + x.id + query}>
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
