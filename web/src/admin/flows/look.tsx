import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { readProblem } from '../../core/problem'
import { may } from '../../core/session'
import { Badge, Button, Tabs } from '../../parts/controls'
import { useLoad, usePlace, useT, useWorld } from '../../parts/world'
import { useEvents } from '../kit/feed'
import { Head, Loaded } from '../kit/page'
import { readGraph, type Graph, type Node } from './graph'
import { Remove } from '../kit/editor'
import { freeTestChannel, TestChat } from './talk'
import { draftOf } from '.'

interface Picture {
  svg: string
  graph: Graph
}

// usePicture reads the drawing, and reads it again soon after the flow has taken a step.
function usePicture(name: string) {
  const { settings } = useWorld()
  const [turn, next] = useState(0)
  const theme = settings.theme === 'auto' ? '' : settings.theme
  const load = useLoad<Picture>(
    async (signal) => {
      const res = await fetch(`/v1/flows/${encodeURIComponent(name)}/graph.svg${theme && '?theme=' + theme}`, { signal, credentials: 'same-origin' })
      if (!res.ok) throw await readProblem(res)
      const svg = await res.text()
      return { svg, graph: readGraph(svg) }
    },
    [name, theme, turn],
  )
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const live = useEvents((e) => {
    if (e.kind !== 'flow_step' || timer.current) return
    timer.current = setTimeout(() => {
      timer.current = undefined
      next((n) => n + 1)
    }, 700)
  })
  useEffect(() => () => clearTimeout(timer.current), [])
  return { load, live }
}

// FlowPage shows a flow: as a drawing with what conversations do in it, and the same as a table.
export function FlowPage({ name }: { name: string }) {
  const t = useT()
  const { api, session, router } = useWorld()
  const place = usePlace()
  const { load, live } = usePicture(name)
  const [chat, talk] = useState(false)
  const write = may(session, 'flows.write')
  const picked = place.query.get('state') ?? ''
  const tab = place.query.get('as') === 'table' ? 'table' : 'graph'
  const to = (as: string, state: string) => router.go(`/admin/flows/${encodeURIComponent(name)}?as=${as}${state && '&state=' + encodeURIComponent(state)}`, true)
  const path = '/admin/flows/' + encodeURIComponent(name)
  const remove = async () => {
    talk(false)
    await freeTestChannel(api, [name, draftOf(name)])
    await api.delete('/v1/flows/' + encodeURIComponent(name))
    await api.delete('/v1/flows/' + encodeURIComponent(draftOf(name))).catch(() => undefined) // most flows have none
  }
  return (
    <>
      <Head title={name} back={{ href: '/admin/flows', title: t('admin_nav_flows') }} badge={<Badge kind={live ? 'good' : 'warn'}>{t(live ? 'admin_flow_live' : 'admin_flow_not_live')}</Badge>}>
        {may(session, 'channels.write') && (
          <Button pressed={chat} onClick={() => talk(!chat)}>
            {t('admin_flow_talk')}
          </Button>
        )}
        <a class="button" href={path + '/versions'}>
          {t('admin_flow_versions')}
        </a>
        {write && <Remove title={t('admin_flow_delete')} about={t('admin_flow_delete_about', { name })} run={remove} done={() => router.go('/admin/flows')} />}
        {write && (
          <a class="button main" href={path + '/edit'}>
            {t('admin_flow_edit')}
          </a>
        )}
      </Head>
      <Tabs
        label={t('admin_flow_as')}
        at={tab}
        tabs={[
          { id: 'graph', title: t('admin_flow_as_graph') },
          { id: 'table', title: t('admin_flow_as_table') },
        ]}
        onChange={(as) => to(as, picked)}
      />
      <div class={chat || picked ? 'flow-two' : ''}>
        <Loaded load={load}>
          {(p) => (
            <div class="stack">
              {tab === 'graph' ? <Drawing picture={p} picked={picked} onPick={(s) => to(tab, s)} name={name} /> : <States graph={p.graph} picked={picked} onPick={(s) => to(tab, s)} />}
              <p class="soft small">{p.graph.counted}</p>
            </div>
          )}
        </Loaded>
        {(chat || picked) && (
          <aside class="stack">
            {picked && load.value && <StatePanel graph={load.value.graph} name={picked} onPick={(s) => to(tab, s)} />}
            {chat && <TestChat flow={name} />}
          </aside>
        )}
      </div>
    </>
  )
}

function Drawing({ picture, picked, onPick, name }: { picture: Picture; picked: string; onPick(s: string): void; name: string }) {
  const t = useT()
  const url = useMemo(() => URL.createObjectURL(new Blob([picture.svg], { type: 'image/svg+xml' })), [picture.svg])
  useEffect(() => () => URL.revokeObjectURL(url), [url])
  const { width, height, nodes } = picture.graph
  return (
    <div class="graph-box" role="group" aria-label={t('admin_flow_graph_of', { name })} tabIndex={0}>
      <div class="graph" dir="ltr" style={{ width: `${width}px`, height: `${height}px` }}>
        <img src={url} width={width} height={height} alt="" />
        {nodes.filter((n) => !n.beside).map((n) => (
          <button
            key={n.name}
            type="button"
            aria-pressed={n.name === picked}
            aria-label={t('admin_flow_state_label', { name: n.name, n: n.count })}
            style={{ left: `${n.x}px`, top: `${n.y}px`, width: `${n.width}px`, height: `${n.height}px` }}
            onClick={() => onPick(n.name === picked ? '' : n.name)}
          />
        ))}
      </div>
    </div>
  )
}

const arrowsOf = (g: Graph, name: string) => ({ out: g.arrows.filter((a) => a.from === name || a.from === 'any state'), into: g.arrows.filter((a) => a.to === name) })

function States({ graph, picked, onPick }: { graph: Graph; picked: string; onPick(s: string): void }) {
  const t = useT()
  return (
    <div class="table-box" role="region" aria-label={t('admin_flow_as_table')} tabIndex={0}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t('admin_flow_state')}</th>
            <th scope="col">{t('admin_flow_does')}</th>
            <th scope="col" class="number">
              {t('admin_flow_entered')}
            </th>
            <th scope="col">{t('admin_flow_leads_to')}</th>
          </tr>
        </thead>
        <tbody>
          {graph.nodes.map((n) => (
            <tr key={n.name}>
              <th scope="row">
                {n.beside ? (
                  n.name
                ) : (
                  <Button tight plain pressed={n.name === picked} onClick={() => onPick(n.name === picked ? '' : n.name)}>
                    {n.name}
                  </Button>
                )}
                {n.initial && <Badge kind="calm">{t('admin_flow_initial')}</Badge>}
              </th>
              <td>{n.what.join('; ') || '—'}</td>
              <td class="number">{n.count}</td>
              <td>{[...new Set(graph.arrows.filter((a) => a.from === n.name || (n.beside && n.name.includes('any state') && a.from === 'any state')).map((a) => a.to))].join(', ') || '—'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

// StatePanel tells of one state: what it does, and which transitions lead from it and to it.
function StatePanel({ graph, name, onPick }: { graph: Graph; name: string; onPick(s: string): void }) {
  const t = useT()
  const n: Node | undefined = graph.nodes.find((x) => x.name === name)
  if (!n) return null
  const { out, into } = arrowsOf(graph, name)
  const list = (title: string, arrows: typeof out, other: 'from' | 'to') => (
    <>
      <h3>{title}</h3>
      {arrows.length === 0 && <p class="soft small">{t(other === 'to' ? 'admin_flow_no_way_out' : 'admin_flow_no_way_in')}</p>}
      <ul class="stack">
        {arrows.map((a, i) => (
          <li key={i}>
            <div class="row">
              <Button tight disabled={!graph.nodes.some((x) => x.name === a[other])} onClick={() => onPick(a[other])}>
                {a[other] === 'any state' ? t('admin_flow_any') : a[other]}
              </Button>
              <span class="soft small number">{t('admin_times', { n: a.count })}</span>
            </div>
            {a.why && (
              <code class="small" dir="ltr">
                {a.why}
              </code>
            )}
          </li>
        ))}
      </ul>
    </>
  )
  return (
    <section class="card stack" aria-label={t('admin_flow_state_label', { name, n: n.count })}>
      <div class="row">
        <h2 class="grow">{name}</h2>
        <Button plain tight icon="close" title={t('close')} onClick={() => onPick('')} />
      </div>
      <p class="small">{n.what.join('; ') || '—'}</p>
      {list(t('admin_flow_out'), out, 'to')}
      {list(t('admin_flow_in'), into, 'from')}
    </section>
  )
}
