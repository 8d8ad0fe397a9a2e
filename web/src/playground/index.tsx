import { useEffect, useMemo, useState } from 'preact/hooks'
import { API, type List } from '../core/api'
import type { Loader } from '../core/i18n'
import { may } from '../core/session'
import { Button, Empty, Skeleton, Tabs } from '../parts/controls'
import { Menu } from '../parts/overlays'
import { useLoad, useStore, useT, useWorld } from '../parts/world'
import { AgentSide } from './agent'
import { Inspector } from './inspector'
import { Lab, type Channel } from './lab'
import { Phone } from './phone'
import './playground.css'
import { Recorder } from './record'
import { recording } from './wire'

export const catalogues: Loader = {
  en: () => import('./locales/en.json'),
  de: () => import('./locales/de.json'),
  ar: () => import('./locales/ar.json'),
}

const lastChannel = 'dragoman.playground'

type Pane = 'consumer' | 'agent' | 'inspector'

// Playground: a consumer, an agent, and everything that goes over the wire between them and the hub.
export default function Playground() {
  const t = useT()
  const { api, keep, session, toasts } = useWorld()
  const [pane, show] = useState<Pane>('consumer')
  const { rec, lab, calls } = useMemo(() => {
    const rec = new Recorder()
    const agent = new API(recording(rec, 'agent'))
    const person = new API(recording(rec, 'consumer'))
    for (const x of [agent, person]) {
      x.csrf = api.csrf
      x.onSignedOut = () => api.onSignedOut()
    }
    const widget = new API(recording(rec, 'consumer'))
    return { rec, lab: new Lab(agent, person, widget, rec, keep), calls: { agent: recording(rec, 'agent'), consumer: recording(rec, 'consumer') } }
  }, [])
  useEffect(() => () => lab.stop(), [])
  const channels = useLoad(async (signal) => (await api.get<List<Channel>>('/v1/channels', {}, signal)).items.filter((c) => ['simulator', 'webchat'].includes(c.connector) && c.status === 'active'), [])
  const current = useStore(lab.store, (s) => s.channel)
  const choose = (c: Channel, fresh = false) => {
    keep.set(lastChannel, c.id)
    return lab.choose(c, fresh).catch((err: unknown) => toasts.bad(err))
  }
  useEffect(() => {
    const last = current?.id ?? keep.get(lastChannel)
    const first = channels.value?.find((c) => c.id === last) ?? channels.value?.find((c) => c.connector === 'simulator' && c.flow) ?? channels.value?.[0]
    if (first && first.id !== current?.id) void choose(first)
  }, [channels.value])
  const make = async (connector: 'simulator' | 'webchat') => {
    try {
      const c = await api.post<Channel>('/v1/channels', { connector, name: t('playground_made_' + connector), ...(current?.flow ? { flow: current.flow } : current?.queue ? { queue: current.queue } : {}) })
      channels.again()
      await choose(c)
    } catch (err) {
      toasts.bad(err)
    }
  }
  const replay = async (n: number, same: boolean) => {
    const a = rec.again(n, same)
    if (!a) return
    const headers = { ...a.headers, ...(a.headers['X-CSRF-Token'] ? { 'X-CSRF-Token': api.csrf } : {}) }
    await calls[a.side](a.url, { method: a.method, headers, credentials: 'same-origin', ...(a.body ? { body: a.body } : {}) }).catch((err: unknown) => toasts.bad(err))
  }
  const maker = may(session, 'channels.write') && (
    <Menu
      title={t('playground_new_channel')}
      tight
      icon="plus"
      items={[
        { id: 'simulator', title: t('playground_made_simulator'), run: () => void make('simulator') },
        { id: 'webchat', title: t('playground_made_webchat'), run: () => void make('webchat') },
      ]}
    />
  )
  if (channels.error) return <Empty title={channels.error.message} />
  if (!channels.value) return <Skeleton />
  return (
    <div class="lab" data-pane={pane}>
      <header class="lab-title">
        <h1>{t('playground_title')}</h1>
        <p class="soft small lab-about">{t('playground_about')}</p>
        <div class="row lab-choice">
          <select class="input" aria-label={t('playground_channel')} value={current?.id ?? ''} onChange={(e) => void choose(channels.value!.find((c) => c.id === e.currentTarget.value)!)}>
            {channels.value.map((c) => (
              <option key={c.id} value={c.id}>
                {c.name} ({t(c.connector === 'webchat' ? 'playground_widget' : 'playground_simulator')})
              </option>
            ))}
          </select>
          {maker}
          <Button tight icon="person" disabled={!current} onClick={() => current && void choose(current, true)}>
            {t('playground_new_person')}
          </Button>
        </div>
      </header>
      <div class="lab-tabs">
        <Tabs<Pane>
          label={t('playground_panes')}
          tabs={(['consumer', 'agent', 'inspector'] as const).map((id) => ({ id, title: t('playground_' + id) }))}
          at={pane}
          onChange={show}
        />
      </div>
      {channels.value.length === 0 ? (
        <Empty title={t('playground_no_channel')}>{maker}</Empty>
      ) : (
        <div class="lab-panes">
          <Phone lab={lab} />
          <AgentSide lab={lab} />
          <Inspector rec={rec} onReplay={replay} />
        </div>
      )}
    </div>
  )
}
