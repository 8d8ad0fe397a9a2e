import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Problem } from '../../core/problem'
import { Button } from '../../parts/controls'
import { Changes, changesOf, inWords } from '../../parts/diff'
import { Dialog } from '../../parts/overlays'
import { useT, useWorld } from '../../parts/world'
import { at, Inputs, put, wrongOf, type Spec, type Values } from './form'
import { Trouble } from './page'

interface EditorProps {
  stored: Values | null // null: a new one
  start?: Values // what a new one begins with
  specs: Spec[] | ((value: Values) => Spec[])
  save(value: Values): Promise<unknown>
  done(value: Values): void // where to go when it is saved
  remove?: { title: string; about: string; run(): Promise<unknown>; done(): void } | undefined
  readOnly?: boolean
  saveTitle?: string
  children?(value: Values): ComponentChildren // beside the form: what the values mean
}

// Editor changes one thing with a form. What is not saved yet is seen as a difference, and the browser asks before it is lost.
export function Editor({ stored, start = {}, specs: of, save, done, remove, readOnly, saveTitle, children }: EditorProps) {
  const t = useT()
  const { toasts } = useWorld()
  const [value, set] = useState<Values>(stored ?? start)
  const [problem, fail] = useState<Problem | null>(null)
  const [busy, wait] = useState(false)
  const [turn, next] = useState(0) // inputs that keep their own text begin anew
  const specs = typeof of === 'function' ? of(value) : of
  const changes = changesOf(stored ?? start, value)
  const dirty = changes.length > 0
  const release = useGuard(dirty)
  const submit = async (e: SubmitEvent) => {
    e.preventDefault()
    wait(true)
    fail(null)
    try {
      await save(value)
      toasts.show(t('saved'))
      if (stored) set(masked(value, specs))
      release()
      done(value)
    } catch (err) {
      fail(err instanceof Problem ? err : new Problem(0, 'other', String(err)))
    } finally {
      wait(false)
    }
  }
  const named = specs.some((s) => wrongOf(problem, s.name))
  return (
    <div class={'admin-editor' + (children ? ' two' : '')}>
      <form class="card stack" onSubmit={submit}>
        {problem && !named && <Trouble error={problem} />}
        {problem && named && (
          <p class="notice bad" role="alert">
            {t('admin_look_at_fields')}
          </p>
        )}
        <fieldset class="admin-plain stack" disabled={readOnly ?? false}>
          <Inputs key={turn} specs={specs} value={value} onChange={set} problem={problem} />
        </fieldset>
        {stored && dirty && <Unsaved stored={stored} value={value} specs={specs} />}
        {!readOnly && (
          <div class="row wrap admin-foot">
            <Button main type="submit" disabled={busy || (stored !== null && !dirty)}>
              {busy ? t('admin_saving') : (saveTitle ?? t('save'))}
            </Button>
            {stored && dirty && (
              <Button icon="undo" onClick={() => (set(stored), next(turn + 1))}>
                {t('admin_discard')}
              </Button>
            )}
            <span class="grow" />
            {stored && remove && <Remove {...remove} done={() => (release(), remove.done())} />}
          </div>
        )}
      </form>
      {children && <div class="stack admin-beside">{children(value)}</div>}
    </div>
  )
}

// masked is what the server will say of a value: secrets are stored and not shown.
function masked(value: Values, specs: Spec[]): Values {
  const secrets = specs.filter((s) => s.type === 'secret' && at(value, s.name) !== undefined)
  return secrets.reduce((v, s) => put(v, s.name, '***'), value)
}

function Unsaved({ stored, value, specs }: { stored: Values; value: Values; specs: Spec[] }) {
  const t = useT()
  const spec = (path: string) => specs.find((s) => s.name === path || path.startsWith(s.name + '.'))
  const titleOf = (path: string) => {
    const s = spec(path)
    return s ? s.label + (path === s.name ? '' : ' · ' + path.slice(s.name.length + 1)) : path
  }
  const wordOf = (path: string, v: unknown): string => {
    const s = spec(path)
    if (s?.type === 'secret') return '•••'
    if (Array.isArray(v)) return v.length === 0 ? '—' : v.map((x) => wordOf(path, x)).join(', ')
    if (typeof v === 'boolean') return t(v ? 'admin_yes' : 'admin_no')
    return s?.choices?.find((c) => c.id === v)?.title ?? inWords(v)
  }
  return (
    <section class="stack">
      <h2>{t('admin_unsaved')}</h2>
      <Changes label={t('admin_unsaved')} changes={changesOf(stored, value)} titleOf={titleOf} wordsOf={wordOf} />
    </section>
  )
}

// Leaving is what we look at of a navigation (the Navigation API is not in TypeScript's library yet).
interface Leaving extends Event {
  navigationType: string
  destination: { url: string; sameDocument: boolean }
}

// useGuard asks before something unsaved is lost: the browser when the page is left, we when the reader goes elsewhere in it, by a link, a
// menu, a key or the way back, and before she signs out. The answer lets go: what is saved or deleted may be left at once.
export function useGuard(on: boolean): () => void {
  const t = useT()
  const { router } = useWorld()
  const free = useRef(false)
  if (!on) free.current = false
  useLayoutEffect(() => {
    if (!on) return
    const stays = (to: string) => free.current || new URL(to, location.href).pathname === location.pathname || confirm(t('admin_leave'))
    const gives = () => (free.current ||= confirm(t('admin_leave')))
    const ask = (e: BeforeUnloadEvent) => {
      if (!free.current) e.preventDefault()
    }
    const leave = (e: Event) => {
      const n = e as Leaving
      if (n.cancelable && n.destination.sameDocument && !stays(n.destination.url)) n.preventDefault()
    }
    const click = (e: MouseEvent) => {
      const a = (e.target as Element).closest?.<HTMLAnchorElement>('a[href]')
      if (!a || a.target || stays(a.href)) return
      e.preventDefault()
      e.stopPropagation()
    }
    const navigation = (window as { navigation?: EventTarget }).navigation
    addEventListener('beforeunload', ask)
    router.holds.add(gives)
    if (navigation) navigation.addEventListener('navigate', leave)
    else document.addEventListener('click', click, true) // an older browser: links at least
    return () => {
      removeEventListener('beforeunload', ask)
      router.holds.delete(gives)
      navigation?.removeEventListener('navigate', leave)
      document.removeEventListener('click', click, true)
    }
  }, [on])
  return () => void (free.current = true)
}

interface RemoveProps {
  title: string
  about: string
  run(): Promise<unknown>
  done(): void
  tight?: boolean
}

// Remove asks once more, and says what will be gone.
export function Remove({ title, about, run, done, tight }: RemoveProps) {
  const t = useT()
  const [open, show] = useState(false)
  const [error, fail] = useState<unknown>(null)
  const go = async () => {
    try {
      await run()
      show(false)
      done()
    } catch (err) {
      fail(err)
    }
  }
  return (
    <>
      <Button bad icon="trash" tight={tight ?? false} onClick={() => (fail(null), show(true))}>
        {title}
      </Button>
      {open && (
        <Dialog title={title} onClose={() => show(false)}>
          <p>{about}</p>
          {error !== null && <Trouble error={error} />}
          <div class="dialog-foot">
            <Button onClick={() => show(false)}>{t('cancel')}</Button>
            <Button bad icon="trash" onClick={() => void go()}>
              {title}
            </Button>
          </div>
        </Dialog>
      )}
    </>
  )
}
