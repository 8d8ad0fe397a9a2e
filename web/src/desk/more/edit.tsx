import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Problem } from '../../core/problem'
import { Button, Field } from '../../parts/controls'
import { useT, useWorld } from '../../parts/world'
import { useDesk } from '../context'
import { useShown } from '../typed'
import type { Contact, Conversation, Typed } from '../types'
import { changed, readTyped, TypedField } from './typed'

interface FormProps {
  fields: readonly Typed[]
  save(values: Record<string, unknown>, form: HTMLFormElement): Promise<void>
  onDone(): void
  at: string // where the fields stand in the body
  values: Record<string, unknown>
  children?(problem: Problem | null): ComponentChildren
}

// Form edits values in place: Escape leaves them as they were, what the hub refuses is said at the field.
function Form({ fields, values, save, onDone, at, children }: FormProps) {
  const t = useT()
  const { toasts } = useWorld()
  const [problem, set] = useState<Problem | null>(null)
  const [busy, wait] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  const before = useRef<Record<string, unknown>>({})
  useLayoutEffect(() => {
    before.current = readTyped(form.current!, fields)
    form.current!.querySelector<HTMLElement>('.input')?.focus()
  }, [])
  useLayoutEffect(() => form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus(), [problem])
  const submit = async (e: SubmitEvent) => {
    e.preventDefault()
    wait(true)
    try {
      await save(changed(before.current, readTyped(form.current!, fields)), form.current!)
      toasts.show(t('saved'))
      onDone()
    } catch (err) {
      wait(false)
      set(err instanceof Problem ? err : new Problem(0, 'broken', String(err)))
    }
  }
  const loose = problem && !fields.some((f) => problem.of(at + f.name)) && !problem.of('name') && !problem.of('language')
  return (
    <form ref={form} class="stack" onSubmit={submit} onKeyDown={(e) => e.key === 'Escape' && (e.stopPropagation(), onDone())}>
      {loose && (
        <p class="notice bad" role="alert">
          {problem.detail}
        </p>
      )}
      {children?.(problem)}
      {fields.map((f) => (
        <TypedField key={f.name} f={f} value={values[f.name]} wrong={problem?.of(at + f.name)} />
      ))}
      <div class="row">
        <Button main tight type="submit" disabled={busy}>
          {t('save')}
        </Button>
        <Button tight onClick={onDone}>
          {t('cancel')}
        </Button>
      </div>
    </form>
  )
}

// FieldsForm edits the fields of a conversation.
export function FieldsForm({ c, onDone }: { c: Conversation; onDone(): void }) {
  const { api } = useWorld()
  const { desk } = useDesk()
  const { fields } = useShown('conversation')
  const save = async (values: Record<string, unknown>) => {
    if (!Object.keys(values).length) return
    const saved = await api.patch<Conversation>('/v1/conversations/' + c.id, { fields: values })
    desk.store.do({ do: 'conversations', list: [saved] })
  }
  return <Form fields={fields} values={c.fields ?? {}} at="fields." save={save} onDone={onDone} />
}

// ContactForm edits what is known of a contact: the fields that there are, and other properties that are texts.
export function ContactForm({ contact, onDone }: { contact: Contact; onDone(): void }) {
  const t = useT()
  const { api } = useWorld()
  const { desk } = useDesk()
  const { fields } = useShown('contact')
  const others = Object.keys(contact.properties).filter((k) => typeof contact.properties[k] === 'string' && !fields.some((f) => f.name === k))
  const all: Typed[] = [...fields, ...others.map((name): Typed => ({ name, type: 'text' }))]
  const save = async (properties: Record<string, unknown>, form: HTMLFormElement) => {
    const f = new FormData(form)
    const saved = await api.patch<Contact>('/v1/contacts/' + contact.id, {
      name: String(f.get('name')),
      language: String(f.get('language')),
      ...(Object.keys(properties).length ? { properties } : {}),
    })
    for (const c of desk.state.conversations.values()) if (c.contact.id === contact.id) desk.store.do({ do: 'conversations', list: [{ ...c, contact: { id: contact.id, name: saved.name } }] })
  }
  return (
    <Form fields={all} values={contact.properties} at="properties." save={save} onDone={onDone}>
      {(problem) => (
        <>
          <Field label={t('name')} name="name" defaultValue={contact.name} maxLength={200} wrong={problem?.of('name')} />
          <Field label={t('language')} name="language" defaultValue={contact.language ?? ''} maxLength={35} wrong={problem?.of('language')} />
        </>
      )}
    </Form>
  )
}
