import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Loader } from '../core/i18n'
import { Button, Empty, Skeleton } from '../parts/controls'
import { LineState } from '../parts/line'
import { csv, save } from '../parts/save'
import { useKeys, useNow, usePlace, useT, useWorld } from '../parts/world'
import { Behind, BehindStaff } from './behind'
import { Agents, Head, Queues, Totals } from './board'
import { Charts } from './charts'
import { useLive } from './live'
import { byOldest, figures, inOrder, nameOf, staff, titleOf, type Figure, type Live, type LiveQueue, type Staff } from './model'
import './wall.css'
import { Watch } from './watch'

export const catalogues: Loader = {
  en: () => import('./locales/en.json'),
  de: () => import('./locales/de.json'),
  ar: () => import('./locales/ar.json'),
}

// Wall shows a supervisor how it stands, and lets her step in.
export default function Wall() {
  const t = useT()
  const { router } = useWorld()
  const place = usePlace()
  const [paused, pause] = useState(false)
  const reading = useLive(paused)
  const ticking = useNow().getTime()
  const stopped = useRef(ticking)
  if (!paused) stopped.current = ticking
  const now = stopped.current
  const full = place.query.get('full') === '1'
  const board = useRef<HTMLDivElement>(null)
  const queues = useOrder(reading.live?.queues ?? [], board)
  const home = full ? '/wall?full=1' : '/wall'
  useFullScreen(full, () => router.go('/wall', true))
  const fill = () => {
    router.go('/wall?full=1')
    void document.documentElement.requestFullscreen?.().catch(() => {}) // the page fills the window all the same
  }
  useKeys([
    { id: 'wall.pause', keys: 'p', title: t(paused ? 'wall_resume' : 'wall_pause'), group: t('wall_title'), run: () => pause(!paused) },
    { id: 'wall.full', keys: 'f', title: t('wall_full'), group: t('wall_title'), run: () => (full ? leave() : fill()) },
    { id: 'wall.leave', keys: 'Escape', title: t('wall_leave'), group: t('wall_title'), when: () => full, run: () => leave() },
  ])
  const leave = () => {
    if (document.fullscreenElement) void document.exitFullscreen()
    router.go('/wall', true)
  }
  const { live, at } = reading
  if (!live && reading.error) return <Empty title={reading.error.message}><Button onClick={reading.again}>{t('retry')}</Button></Empty>
  if (!live) return <div class="page"><Skeleton lines={6} /></div>
  const agents = [...live.agents].sort((a, b) => Number(b.available) - Number(a.available) || nameOf(a).localeCompare(nameOf(b)))
  const parts = { now, readAt: at, full }
  return (
    <div class={'wall' + (full ? ' full' : ' page')}>
      {full ? (
        <header class="row wall-top">
          <h1 class="grow">{t('wall_title')}</h1>
          <LineState line={reading.line} />
          <Clock now={now} />
          <Button tight onClick={leave}>
            {t('wall_leave')}
          </Button>
        </header>
      ) : (
        <Head paused={paused} onPause={() => pause(!paused)} onFull={fill}>
          <LineState line={reading.line} />
          <Button tight icon="file" onClick={() => save('dragoman-wall.csv', 'text/csv;charset=utf-8', table(live, t))}>
            {t('wall_csv')}
          </Button>
        </Head>
      )}
      {paused && <p class="notice warn">{t('wall_is_paused')}</p>}
      <div ref={board} class="stack wall-board">
        <Totals queues={queues} agents={live.agents} bot={live.bot} {...parts} />
        <h2 class={full ? 'hidden-text' : ''}>{t('wall_queues')}</h2>
        {queues.length === 0 ? <Empty title={t('wall_no_queues')} /> : <Queues queues={full ? queues.slice(0, 9) : queues} {...parts} />}
        {full && queues.length > 9 && <p class="soft">{t('wall_more_queues', { n: queues.length - 9 })}</p>}
      </div>
      {!full && (
        <>
          <section class="stack" aria-labelledby="wall-agents">
            <h2 id="wall-agents">{t('wall_agents')}</h2>
            <Agents agents={agents} now={now} onChanged={reading.again} label={t('wall_agents')} />
          </section>
          <Charts queues={live.queues} paused={paused} now={now} />
        </>
      )}
      <Opened live={live} now={ticking} ear={reading.ear} onChanged={reading.again} home={home} />
    </div>
  )
}

// Opened is what stands behind the number of the address.
function Opened({ live, now, ear, onChanged, home }: { live: Live; now: number; ear: ReturnType<typeof useLive>['ear']; onChanged(): void; home: string }) {
  const { router } = useWorld()
  const { query } = usePlace()
  const show = query.get('show') ?? ''
  const queue = query.get('queue') ?? ''
  const agent = query.get('agent') ?? ''
  const watch = query.get('watch') ?? ''
  const close = () => router.go(home)
  if (watch) {
    const back = new URLSearchParams(query)
    back.delete('watch')
    return <Watch key={watch} id={watch} live={live} ear={ear} onChanged={onChanged} onClose={() => router.go('/wall' + (back.size ? '?' + back : ''))} />
  }
  if ((staff as readonly string[]).includes(show)) return <BehindStaff key={show + queue} show={show as Staff} queue={queue} live={live} now={now} onChanged={onChanged} onClose={close} />
  if (!([...figures, 'bot', 'load'] as string[]).includes(show)) return null
  const go = (id: string) => {
    const to = new URLSearchParams(query)
    to.set('watch', id)
    router.go('/wall?' + to)
  }
  return <Behind key={show + queue + agent} show={show as Figure} queue={queue} agent={agent} live={live} now={now} ear={ear} onWatch={(c) => go(c.id)} onChanged={onChanged} onClose={close} />
}

// useOrder sorts by the oldest wait, but never while somebody's focus or pointer is among the rows: nothing may slip away from under a finger.
function useOrder(queues: readonly LiveQueue[], board: { current: HTMLElement | null }): LiveQueue[] {
  const order = useRef<string[]>([])
  const busy = board.current?.querySelector('.queues:hover, .queues:focus-within') != null
  const sorted = busy ? inOrder(queues, order.current) : byOldest(queues)
  useLayoutEffect(() => void (order.current = sorted.map((q) => q.name)))
  return sorted
}

// useFullScreen hides what is not the wall, keeps the screen awake, and hears when the browser leaves by itself.
function useFullScreen(on: boolean, onLeft: () => void): void {
  const left = useRef(onLeft)
  left.current = onLeft
  useEffect(() => {
    if (!on) return
    const nav = document.querySelector<HTMLElement>('.frame-nav')
    if (nav) nav.inert = true
    let filled = document.fullscreenElement !== null
    const change = () => {
      if (filled && !document.fullscreenElement) left.current()
      filled = document.fullscreenElement !== null
    }
    document.addEventListener('fullscreenchange', change)
    const lock = navigator.wakeLock?.request('screen').catch(() => undefined) // the screen may go dark then
    return () => {
      document.removeEventListener('fullscreenchange', change)
      if (nav) nav.inert = false
      void lock?.then((l) => l?.release())
    }
  }, [on])
}

function Clock({ now }: { now: number }) {
  const { i18n } = useWorld()
  return <span class="number wall-clock">{i18n.time(new Date(now))}</span>
}

// table is the board for a spreadsheet.
function table(live: Live, t: (key: string) => string): string {
  const heads = [t('wall_queue'), t('wall_oldest_seconds'), ...figures.map((f) => t('wall_' + f)), ...staff.map((s) => t('wall_' + s))]
  const queues = live.queues.map((q) => [titleOf(q), Math.round(q.oldest_wait_seconds), ...figures.map((f) => q[f]), ...staff.map((s) => q.agents[s])])
  const agents = live.agents.map((a) => [nameOf(a), a.state, a.since, a.load, a.capacity, a.offered])
  return csv([heads, ...queues, [], [t('wall_agent'), t('wall_state'), t('wall_since_when'), t('wall_has'), t('wall_capacity'), t('wall_offered')], ...agents])
}
