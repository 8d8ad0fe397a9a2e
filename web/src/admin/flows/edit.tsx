import { useRef, useState } from 'preact/hooks'
import { Problem } from '../../core/problem'
import { Button, Field } from '../../parts/controls'
import { LineDiff } from '../../parts/diff'
import { useLoad, useT, useWorld } from '../../parts/world'
import { useGuard } from '../kit/editor'
import { Head, Loaded, Trouble } from '../kit/page'
import { draftOf } from '.'
import { lineOf, locate } from './locate'
import { TestChat } from './talk'

// A flow to begin with: it greets, and hands over on request.
const sample = {
  states: [
    { name: 'Welcome', initial: true, events: [{ say: { text: 'Hello {{contact.name}}!', buttons: ['Talk to a person'] } }] },
    { name: 'Person', events: [{ say: 'I am calling somebody.' }, { hand_over: { queue: 'support' } }] },
  ],
  transitions: [{ dest: 'Person', conditions: [{ expr: "lower(message.text) contains 'person'" }] }],
  fallback: [{ say: 'Press the button for a person.' }],
}

// EditFlow changes a definition as text. It is checked whole by the server; a draft can be talked to before anything goes live.
export function EditFlow({ name }: { name: string }) {
  const { api } = useWorld()
  const load = useLoad(async () => (name ? (await api.get<{ definition: unknown }>('/v1/flows/' + encodeURIComponent(name))).definition : sample), [name])
  return <Loaded load={load}>{(definition) => <Text name={name} stored={JSON.stringify(definition, null, 2)} />}</Loaded>
}

interface Fault {
  path: string
  detail: string
  line: number
  from: number
  to: number
}

// faultsIn says where in the text the server found what is wrong.
function faultsIn(text: string, err: unknown): Fault[] {
  if (!(err instanceof Problem)) return []
  return err.errors.map((e) => {
    const path = e.path.replace(/^body\.?/, '')
    const at = locate(text, path)
    return { path, detail: e.detail, line: lineOf(text, at.from), ...at }
  })
}

function readText(text: string): { value?: unknown; wrong?: string } {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch (err) {
    return { wrong: (err as Error).message }
  }
}

function Text({ name, stored }: { name: string; stored: string }) {
  const t = useT()
  const { api, router, toasts } = useWorld()
  const [as, call] = useState(name)
  const [text, write] = useState(stored)
  const [faults, blame] = useState<Fault[]>([])
  const [error, fail] = useState<unknown>(null)
  const [busy, wait] = useState(false)
  const [good, praise] = useState('')
  const area = useRef<HTMLTextAreaElement>(null)
  const dirty = text !== stored || (!name && as !== '')
  const release = useGuard(dirty)
  const put = async (to: string): Promise<{ version: number } | null> => {
    const { value, wrong } = readText(text)
    blame([])
    fail(wrong ? new Error(t('admin_flow_not_json', { what: wrong })) : null)
    praise('')
    if (wrong) return null
    wait(true)
    try {
      return await api.put<{ version: number }>('/v1/flows/' + encodeURIComponent(to), value)
    } catch (err) {
      const found = faultsIn(text, err)
      blame(found)
      fail(found.length ? null : err)
      return null
    } finally {
      wait(false)
    }
  }
  const check = async () => {
    const ok = await put(draftOf(as || 'new'))
    if (ok) praise(t('admin_flow_good'))
    return ok !== null
  }
  const publish = async () => {
    const done = await put(as)
    if (!done) return
    toasts.show(t('admin_flow_is_live', { n: done.version }))
    release()
    router.go('/admin/flows/' + encodeURIComponent(as), true)
  }
  const show = (f: Fault) => {
    const el = area.current!
    el.focus()
    el.setSelectionRange(f.from, f.to)
    el.scrollTop = Math.max(0, (f.line - 4) * (el.scrollHeight / (text.split('\n').length || 1)))
  }
  return (
    <>
      <Head title={name ? t('admin_flow_edit_of', { name }) : t('admin_flow_new')} back={name ? { href: '/admin/flows/' + encodeURIComponent(name), title: name } : { href: '/admin/flows', title: t('admin_nav_flows') }} />
      <div class="flow-two">
        <form class="card stack" onSubmit={(e) => (e.preventDefault(), void publish())}>
          {!name && <Field label={t('name')} hint={t('admin_flow_name_hint')} required maxLength={92} pattern="[A-Za-z0-9_.\-]+" value={as} onInput={(e) => call(e.currentTarget.value)} />}
          <Field label={t('admin_flow_definition')} hint={<a href="/docs">{t('admin_flow_help')}</a>}>
            {(a) => <textarea {...a} ref={area} class="input code flow-edit" dir="ltr" spellcheck={false} wrap="off" value={text} onInput={(e) => write(e.currentTarget.value)} />}
          </Field>
          <div aria-live="polite" class="stack">
            {good && <p class="arrived">{good}</p>}
            {faults.length > 0 && (
              <div class="notice bad" role="alert">
                <div class="stack grow">
                  <strong>{t('admin_flow_faults', { n: faults.length })}</strong>
                  <ul class="flow-faults">
                    {faults.map((f) => (
                      <li key={f.path + f.detail}>
                        <Button tight onClick={() => show(f)}>
                          {t('admin_flow_line', { n: f.line })} <code dir="ltr">{f.path}</code> {f.detail}
                        </Button>
                      </li>
                    ))}
                  </ul>
                </div>
              </div>
            )}
            {error !== null && <Trouble error={error} />}
          </div>
          {name && dirty && (
            <details>
              <summary>{t('admin_unsaved')}</summary>
              <LineDiff before={stored} after={text} label={t('admin_unsaved')} />
            </details>
          )}
          <div class="row wrap admin-foot">
            <Button main type="submit" disabled={busy || !dirty || !as}>
              {t('admin_flow_publish')}
            </Button>
            <Button disabled={busy} onClick={() => void check()}>
              {t('admin_flow_check')}
            </Button>
            {dirty && (
              <Button icon="undo" onClick={() => write(stored)}>
                {t('admin_discard')}
              </Button>
            )}
          </div>
        </form>
        <aside class="stack">
          <TestChat key={as} flow={draftOf(as || 'new')} prepare={check} />
          <p class="soft small">{t('admin_flow_draft_about')}</p>
        </aside>
      </div>
    </>
  )
}
