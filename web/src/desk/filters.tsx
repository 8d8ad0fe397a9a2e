import { Menu } from '../parts/overlays'
import { Icon } from '../parts/icon'
import { useT } from '../parts/world'
import { useDesk, useDeskState, useHere } from './context'
import type { Sort } from './views'

// Filters narrow the view; they stand in the address, so that a view can be passed on.
export function Filters() {
  const t = useT()
  const { setView } = useDesk()
  const { view } = useHere()
  const queues = useDeskState((s) => s.queues)
  const channels = useDeskState((s) => s.channels)
  const queueTitle = (name: string) => queues.find((q) => q.name === name)?.title || name
  return (
    <div class="filters">
      <Menu title={t('desk_sort')} tight plain items={(['updated', 'waiting', 'due'] as Sort[]).map((x) => ({ id: x, title: t('desk_sort_' + x), checked: view.sort === x, run: () => setView({ ...view, sort: x }) }))}>
        {t('desk_sort_' + view.sort)} <Icon name="down" />
      </Menu>
      {queues.length > 1 && (
        <Menu
          title={t('desk_queue')}
          tight
          plain
          items={[{ name: '', title: t('desk_all_queues') }, ...queues].map((q) => ({ id: 'q' + q.name, title: q.title || q.name, checked: view.queue === q.name, run: () => setView({ ...view, queue: q.name }) }))}
        >
          {view.queue ? queueTitle(view.queue) : t('desk_queue')} <Icon name="down" />
        </Menu>
      )}
      {channels.size > 1 && (
        <Menu
          title={t('desk_channel')}
          tight
          plain
          items={[{ id: '', name: t('desk_all_channels') }, ...channels.values()].map((c) => ({ id: 'c' + c.id, title: c.name, checked: view.channel === c.id, run: () => setView({ ...view, channel: c.id }) }))}
        >
          {view.channel ? (channels.get(view.channel)?.name ?? view.channel) : t('desk_channel')} <Icon name="down" />
        </Menu>
      )}
      {view.name === 'all' && (
        <Menu
          title={t('desk_state')}
          tight
          plain
          items={['', 'bot', 'queued', 'assigned', 'closed'].map((x) => ({ id: 's' + x, title: t(x ? 'desk_state_' + x : 'desk_all_states'), checked: view.state === x, run: () => setView({ ...view, state: x }) }))}
        >
          {t(view.state ? 'desk_state_' + view.state : 'desk_state')} <Icon name="down" />
        </Menu>
      )}
    </div>
  )
}
