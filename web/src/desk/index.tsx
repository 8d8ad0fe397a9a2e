import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Loader } from '../core/i18n'
import type { Place } from '../core/router'
import { Empty } from '../parts/controls'
import { memo } from '../parts/memo'
import { usePlace, useStore, useT, useWorld } from '../parts/world'
import { Acts } from './acts'
import { Commands } from './commands'
import { DeskContext, HereContext, useDesk as useDeskWorld, type Asked, type DeskWorld, type Editing, type Here } from './context'
import { Desk } from './desk'
import './desk.css'
import { Dialogs } from './dialogs'
import { Inbox } from './inbox'
import { loadMore } from './lazy'
import { useLeaving, useNotices } from './notices'
import { ContactPanel } from './panel'
import { ThreadPane } from './thread'
import { counts, readView, writeView } from './views'
import { Walk } from './walk'

export const catalogues: Loader = {
  en: () => import('./locales/en.json'),
  de: () => import('./locales/de.json'),
  ar: () => import('./locales/ar.json'),
}

// Page is the agent's desk: the list, the conversation, the contact.
export default function Page() {
  const world = useWorld()
  const { api, session, keep, keys, router } = world
  const [desk] = useState(() => new Desk(api, session!, keep))
  const [acts] = useState(() => new Acts(desk, world))
  useLayoutEffect(() => () => desk.stop(), [desk]) // not after the paint: who has signed out leaves nothing behind
  const place = usePlace()
  const id = idOf(place)
  const search = place.query.toString()
  const view = useMemo(() => readView(place.query), [search])
  const [asked, ask] = useState<Asked>(null)
  const { open, panel } = usePanel()
  const [edited, setEdited] = useState<{ id: string; what: Editing }>({ id: '', what: null })
  const editing = edited.id === id ? edited.what : null
  useLater()
  const value = useMemo<DeskWorld>(() => {
    const show = (to: string, seq?: number) => router.go((to ? '/desk/c/' + encodeURIComponent(to) : '/desk') + writeView(readView(router.place.query)) + (seq ? '#' + seq : ''))
    return {
      desk, acts, ask, show,
      walk: new Walk(show),
      edit: (what) => setEdited({ id: idOf(router.place), what }),
      setView: (v) => router.go(router.place.path + writeView(v)),
    }
  }, [desk, acts, router])
  const { walk } = value
  useLayoutEffect(() => walk.watch(keys), [walk, keys])
  useLayoutEffect(() => () => walk.stop(), [walk, id]) // opened by a link, or left
  const here = useMemo<Here>(() => ({ view, query: writeView(view), id, editing }), [view, id, editing])
  return (
    <DeskContext.Provider value={value}>
      <HereContext.Provider value={here}>
        <h1 class="hidden-text">{world.i18n.t('desk_title')}</h1>
        <div class={'desk' + (id ? ' has-chat' : '') + (open ? ' has-panel' : '')}>
          <Inbox />
          {id ? <ThreadPane key={id} id={id} seq={Number(place.hash) || 0} panel={panel} /> : <Nothing />}
          {id && open && <ContactPanel key={'contact' + id} id={id} onClose={panel.toggle} />}
        </div>
        <Commands asked={asked !== null} panel={panel} />
        <Dialogs asked={asked} onClose={() => ask(null)} />
        <Notices />
      </HereContext.Provider>
    </DeskContext.Provider>
  )
}

const idOf = (p: Place): string => (p.parts[1] === 'c' ? (p.parts[2] ?? '') : '')

// usePanel opens the contact's panel by itself where there is room for it.
function usePanel() {
  const [open, set] = useState(() => innerWidth >= 1180)
  const latest = useRef(open)
  latest.current = open
  return { open, panel: useMemo(() => ({ get open() { return latest.current }, toggle: () => set((x) => !x) }), []) }
}

// useLater reads what is not needed at once a little later, so that it is there before somebody asks for it.
function useLater(): void {
  const { i18n } = useWorld()
  useEffect(() => {
    const timer = setTimeout(() => loadMore(i18n).catch(() => {}), 1000)
    return () => clearTimeout(timer)
  }, [])
}

const Nothing = memo(() => {
  const t = useT()
  return (
    <section class="thread" aria-label={t('desk_conversation')}>
      <Empty title={t('desk_nothing_open')}>
        <p>{t('desk_nothing_open_about')}</p>
      </Empty>
    </section>
  )
})

const Notices = memo(() => {
  const said = useNotices()
  useLeaving()
  useTitle()
  return (
    <div class="hidden-text" role="status" aria-live="polite">
      {said}
    </div>
  )
})

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
