import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Loader } from '../core/i18n'
import { Empty } from '../parts/controls'
import { usePlace, useStore, useT, useWorld } from '../parts/world'
import { Acts } from './acts'
import { Commands } from './commands'
import { ContactPanel } from './contact'
import { DeskContext, useDesk as useDeskWorld, type Asked, type DeskWorld, type Editing } from './context'
import { Desk } from './desk'
import './desk.css'
import { Dialogs } from './dialogs'
import { Inbox } from './inbox'
import { loadMore } from './lazy'
import { useLeaving, useNotices } from './notices'
import { ThreadPane } from './thread'
import { counts, readView, writeView } from './views'

export const catalogues: Loader = {
  en: () => import('./locales/en.json'),
  de: () => import('./locales/de.json'),
  ar: () => import('./locales/ar.json'),
}

// Page is the agent's desk: the list, the conversation, the contact.
export default function Page() {
  const world = useWorld()
  const { api, session, keep, router } = world
  const [desk] = useState(() => new Desk(api, session!, keep))
  const [acts] = useState(() => new Acts(desk, world))
  useEffect(() => () => desk.stop(), [desk])
  const place = usePlace()
  const id = place.parts[1] === 'c' ? (place.parts[2] ?? '') : ''
  const search = place.query.toString()
  const view = useMemo(() => readView(place.query), [search])
  const [asked, ask] = useState<Asked>(null)
  const panel = usePanel()
  const [edited, setEdited] = useState<{ id: string; what: Editing }>({ id: '', what: null })
  const editing = edited.id === id ? edited.what : null
  useLater()
  const value = useMemo<DeskWorld>(
    () => ({
      desk, acts, view, id, ask, editing,
      edit: (what) => setEdited({ id, what }),
      show: (to, seq) => router.go((to ? '/desk/c/' + encodeURIComponent(to) : '/desk') + writeView(view) + (seq ? '#' + seq : '')),
      setView: (v) => router.go(router.place.path + writeView(v)),
    }),
    [desk, acts, view, id, editing],
  )
  return (
    <DeskContext.Provider value={value}>
      <h1 class="hidden-text">{world.i18n.t('desk_title')}</h1>
      <div class={'desk' + (id ? ' has-chat' : '') + (panel.open ? ' has-panel' : '')}>
        <Inbox />
        {id ? <ThreadPane key={id} id={id} seq={Number(place.hash) || 0} panel={panel} /> : <Nothing />}
        {id && panel.open && <ContactPanel key={'contact' + id} id={id} onClose={panel.toggle} />}
      </div>
      <Commands asked={asked !== null} panel={panel} />
      <Dialogs asked={asked} onClose={() => ask(null)} />
      <Notices />
    </DeskContext.Provider>
  )
}

// usePanel opens the contact's panel by itself where there is room for it.
function usePanel() {
  const [open, set] = useState(() => innerWidth >= 1180)
  const latest = useRef(open)
  latest.current = open
  return useMemo(() => ({ get open() { return latest.current }, toggle: () => set((x) => !x) }), [open])
}

// useLater reads what is not needed at once a little later, so that it is there before somebody asks for it.
function useLater(): void {
  const { i18n } = useWorld()
  useEffect(() => {
    const timer = setTimeout(() => loadMore(i18n).catch(() => {}), 1000)
    return () => clearTimeout(timer)
  }, [])
}

function Nothing() {
  const t = useT()
  return (
    <section class="thread" aria-label={t('desk_conversation')}>
      <Empty title={t('desk_nothing_open')}>
        <p>{t('desk_nothing_open_about')}</p>
      </Empty>
    </section>
  )
}

function Notices() {
  const said = useNotices()
  useLeaving()
  useTitle()
  return (
    <div class="hidden-text" role="status" aria-live="polite">
      {said}
    </div>
  )
}

// useTitle shows in the tab how many conversations want something.
function useTitle(): void {
  const { desk } = useDeskWorld()
  const n = useStore(desk.store, (s) => {
    const offers = s.offers.size ? [...s.offers.values()].filter((o) => o.agents.includes(s.me.id)).length : 0
    return offers + counts(s).unread
  })
  useLayoutEffect(() => {
    document.title = (n ? `(${n}) ` : '') + 'Dragoman'
    return () => void (document.title = 'Dragoman')
  }, [n])
}
