import { may } from '../../core/session'
import { Badge } from '../../parts/controls'
import { Icon } from '../../parts/icon'
import { useLoad, useT, useWorld } from '../../parts/world'
import type { SectionProps } from '..'
import { Head, Line, Lines, Loaded, Nothing } from '../kit/page'
import type { Channel, Connector, FlowVersion, Queue } from '../kit/types'
import { ChannelPage } from './edit'
import { NewChannel } from './new'
import { Setup, unfinished } from './setup'

// Setting is everything that the pages of channels want to know.
export interface Setting {
  connectors: Connector[]
  channels: Channel[]
  flows: FlowVersion[]
  queues: Queue[]
}

export default function Channels({ rest }: SectionProps) {
  const { api, session } = useWorld()
  const list = async <T,>(path: string) => (await api.get<{ items: T[] }>(path)).items
  const load = useLoad<Setting>(async () => {
    const [connectors, channels, flows, queues] = await Promise.all([
      list<Connector>('/v1/connectors'),
      list<Channel>('/v1/channels'),
      may(session, 'flows.read') ? list<FlowVersion>('/v1/flows') : [],
      may(session, 'conversations.read') ? list<Queue>('/v1/queues') : [],
    ])
    return { connectors, channels, flows, queues }
  }, [])
  const [first, second] = rest
  return (
    <Loaded load={load}>
      {(all) => {
        if (first === undefined) return <ChannelList all={all} />
        if (first === 'new') return <NewChannel all={all} platform={second} made={load.again} />
        const channel = all.channels.find((c) => c.id === first)
        if (channel && second === 'setup') return <Setup key={first} all={all} channel={channel} again={load.again} />
        return channel ? <ChannelPage key={first} all={all} channel={channel} again={load.again} /> : <Gone busy={load.busy} id={first} />
      }}
    </Loaded>
  )
}

function Gone({ id, busy }: { id: string; busy: boolean }) {
  const t = useT()
  return (
    <>
      <Head title={id} back={{ href: '/admin/channels', title: t('admin_nav_channels') }} />
      {!busy && (
        <div class="card">
          <Nothing title={t('nothing_found')} />
        </div>
      )}
    </>
  )
}

export function titleOf(all: Setting, connector: string): string {
  return all.connectors.find((c) => c.name === connector)?.title ?? connector
}

export function StateBadge({ channel }: { channel: Channel }) {
  const t = useT()
  const kind = { active: 'good', off: '', error: 'bad' }[channel.status] as 'good'
  return <Badge {...(kind ? { kind } : {})}>{t('admin_channel_' + channel.status)}</Badge>
}

function ChannelList({ all }: { all: Setting }) {
  const t = useT()
  const { session, keep } = useWorld()
  const add = may(session, 'channels.write') && (
    <a class="button main" href="/admin/channels/new">
      {t('admin_channel_new')}
    </a>
  )
  return (
    <>
      <Head title={t('admin_nav_channels')} about={t('admin_channels_about')}>
        {add}
      </Head>
      <Lines
        items={all.channels}
        label={t('admin_nav_channels')}
        empty={
          <Nothing title={t('admin_channels_none')} about={t('admin_channels_none_about')}>
            {add}
          </Nothing>
        }
      >
        {(c) => {
          const open = unfinished(keep, c.id)
          return (
            <Line
              key={c.id}
              href={`/admin/channels/${c.id}${open ? '/setup' : ''}`}
              icon={<Icon name="link" />}
              title={c.name}
              about={
                <>
                  {titleOf(all, c.connector)} · {c.flow ? t('admin_channel_flow', { name: c.flow }) : t('admin_channel_queue', { name: c.queue || '—' })}
                  {c.status === 'error' && <div class="is-bad">{c.detail}</div>}
                </>
              }
            >
              {open && <Badge kind="warn">{t('admin_setup_open')}</Badge>}
              <StateBadge channel={c} />
            </Line>
          )
        }}
      </Lines>
    </>
  )
}
