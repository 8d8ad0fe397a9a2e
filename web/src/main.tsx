import { Component, render, type ComponentChildren, type ComponentType } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { doorsOf, Frame } from './app/frame'
import { API } from './core/api'
import { I18n, type Loader } from './core/i18n'
import { browserKeep, type Keep } from './core/keep'
import { Keys } from './core/keys'
import { Router } from './core/router'
import { readSession, type Session } from './core/session'
import { readSettings, writeSettings, type Settings } from './core/settings'
import { deskTabs } from './core/tabs'
import { forget, unsent } from './core/unsent'
import { Button, Empty } from './parts/controls'
import { Failed, later } from './parts/later'
import { Tips } from './parts/overlays'
import { ToastArea, Toasts } from './parts/toasts'
import { usePlace, useT, useWorld, WorldContext, type World } from './parts/world'

// pages are loaded when somebody goes there: one chunk per first part of the path.
const pages: Record<string, () => Promise<{ default: ComponentType; catalogues: Loader }>> = {
  desk: () => import('./desk'),
  admin: () => import('./admin'),
  wall: () => import('./wall'),
  playground: () => import('./playground'),
}

const SignIn = later(() => import('./app/signin').then((m) => m.SignIn))
const SignOut = later(() => import('./app/signout').then((m) => m.SignOut))
const Welcome = later(() => import('./app/welcome').then((m) => m.Welcome))

const texts: Loader = {
  en: () => import('./locales/en.json'),
  de: () => import('./locales/de.json'),
  ar: () => import('./locales/ar.json'),
}

function App({ start }: { start: Pick<World, 'api' | 'i18n' | 'router' | 'keys' | 'keep' | 'settings' | 'session'> }) {
  const [session, setSession] = useState(start.session)
  const [settings, setSettings] = useState(start.settings)
  const toasts = useMemo(() => new Toasts(), [])
  const { api, router, keep, keys } = start
  const change = (c: Partial<Settings>) => {
    const next = { ...settings, ...c }
    writeSettings(keep, next)
    setSettings(next)
    apply(next)
    keys.set(next.keys)
    if (next.language !== start.i18n.language) location.reload()
  }
  const [asked, ask] = useState(false)
  const gone = useRef('') // who has signed out here
  const out = async () => {
    ask(false)
    if (!router.mayLeave()) return
    // before the hub hears of it: another call may find first that nobody is signed in any more
    gone.current = session!.user.id
    if (Object.keys(deskTabs(keep)).length) await leave(api)
    await api.delete('/v1/session').catch(() => {})
    setSession(null)
    router.go('/sign-in')
  }
  const signOut = () => {
    const left = unsent(keep, session!.user.id)
    if (left.drafts + left.waiting > 0) ask(true)
    else void out()
  }
  useLayoutEffect(() => {
    api.onSignedOut = () => {
      setSession(null)
      const { path } = router.place
      if (path !== '/sign-in') router.go('/sign-in?next=' + encodeURIComponent(path), true)
    }
  }, [])
  useLayoutEffect(() => {
    // only now: the page that writes there is gone
    if (!session && gone.current) forget(keep, gone.current)
    gone.current = ''
    return follow(keep, session)
  }, [session?.user.id])
  useLayoutEffect(() => {
    const press = (e: KeyboardEvent) => keys.press(e)
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
  const world: World = { ...start, toasts, settings, session, change, signOut, signedIn: setSession }
  return (
    <WorldContext.Provider value={world}>
      <Guard>
        <Pages session={session} />
      </Guard>
      {asked && session && <SignOut left={unsent(keep, session.user.id)} onOut={() => void out()} onClose={() => ask(false)} />}
      <ToastArea />
      <Tips />
    </WorldContext.Provider>
  )
}

// leave makes an agent whose desk is open here inactive, as when the last tab closes.
async function leave(api: API): Promise<void> {
  try {
    const me = await api.get<{ available: boolean }>('/v1/me/state')
    if (me.available) await api.post('/v1/me/state', { state: 'inactive' })
  } catch {
    // who is no agent is in no state
  }
}

const whoPlace = 'dragoman.who'

// follow begins anew when another tab signs out, or in as somebody else: the cookie is that user's then, and so is all that is read.
// Where nobody has signed in there is nothing to hide, and perhaps a password is being set.
function follow(keep: Keep, session: Session | null): () => void {
  const me = session?.user.id ?? null
  keep.set(whoPlace, me)
  const hear = (e: StorageEvent) => {
    if (me && e.key === whoPlace && e.newValue !== me) location.reload()
  }
  addEventListener('storage', hear)
  return () => removeEventListener('storage', hear)
}

function Pages({ session }: { session: Session | null }) {
  const { router } = useWorld()
  const place = usePlace()
  const first = place.parts[0] ?? ''
  const inside = session !== null && first !== 'sign-in'
  const to = !session && first !== 'sign-in' ? '/sign-in' + (place.path === '/' ? '' : '?next=' + encodeURIComponent(place.path)) : session && first === '' ? (doorsOf(session)[0]?.path ?? '/welcome') : ''
  useLayoutEffect(() => {
    if (to) router.go(to, true)
  }, [to])
  if (to) return null
  if (!inside) return <SignIn />
  return <Frame>{first === 'welcome' ? <Welcome /> : <Lazy name={first} />}</Frame>
}

// Lazy shows a page once its chunk and its texts are there.
function Lazy({ name }: { name: string }) {
  const t = useT()
  const { i18n, toasts } = useWorld()
  const [page, set] = useState<{ name: string; Page: ComponentType } | null>(null)
  const [failed, fail] = useState(false)
  useEffect(() => {
    let here = true
    const load = async () => {
      const m = await pages[name]!()
      await i18n.add(m.catalogues)
      if (here) set({ name, Page: m.default })
    }
    if (name in pages) load().catch((err: unknown) => (toasts.bad(err), fail(true)))
    return () => void (here = false)
  }, [name])
  if (!(name in pages)) return <Empty title={t('no_such_page')} />
  if (failed) return <Failed />
  return page?.name === name ? <page.Page /> : null
}

// Guard keeps a part that fails from taking the whole page away.
class Guard extends Component<{ children: ComponentChildren }, { failed?: Error }> {
  static override getDerivedStateFromError(failed: Error) {
    return { failed }
  }

  override render() {
    if (!this.state.failed) return this.props.children
    return <Broken error={this.state.failed} />
  }
}

function Broken({ error }: { error: Error }) {
  const t = useT()
  return (
    <main class="middle">
      <Empty title={t('broken')}>
        <p>{error.message}</p>
        <Button main onClick={() => location.reload()}>
          {t('reload')}
        </Button>
      </Empty>
    </main>
  )
}

function apply(s: Settings): void {
  if (s.theme === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = s.theme
}

async function main(): Promise<void> {
  const keep = browserKeep()
  const settings = readSettings(keep, navigator.languages)
  apply(settings)
  const api = new API()
  const i18n = new I18n(settings.language)
  const keys = new Keys()
  keys.set(settings.keys)
  document.documentElement.lang = i18n.language
  document.documentElement.dir = i18n.dir
  // the page's chunk comes along while we ask who this is
  void pages[location.pathname.split('/')[1] ?? '']?.().catch(() => {})
  const [session] = await Promise.all([readSession(api), i18n.add(texts)])
  render(<App start={{ api, i18n, keys, keep, settings, session, router: new Router() }} />, document.getElementById('app')!)
}

function unreachable(): void {
  const p = document.createElement('p')
  p.className = 'middle'
  p.textContent = 'The hub cannot be reached. Trying again…'
  document.getElementById('app')!.replaceChildren(p)
  setTimeout(() => location.reload(), 3000)
}

main().catch(unreachable)
