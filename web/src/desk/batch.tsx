import { Button } from '../parts/controls'
import { useT } from '../parts/world'
import { useDesk, useDeskState } from './context'
import { useList } from './inbox'

// Many acts once on all that are picked, with a count and one undo.
export function Many() {
  const picked = useDeskState((s) => s.picked)
  return picked.size ? <Picked ids={[...picked]} /> : null
}

function Picked({ ids }: { ids: string[] }) {
  const t = useT()
  const { desk, acts, ask } = useDesk()
  const list = useList()
  const n = ids.length
  return (
    <div class="many" role="toolbar" aria-label={t('desk_many')}>
      <strong class="number" role="status">
        {t('desk_picked', { n })}
      </strong>
      <span class="grow" />
      <Button tight onClick={() => void acts.many(ids, { act: 'close' }, { state: 'closed' }, t('desk_closed_n', { n }))}>
        {t('desk_close')}
      </Button>
      <Button tight onClick={() => void acts.many(ids, { act: 'assign', assignee: desk.me }, { state: 'assigned', assignee: desk.me }, t('desk_taken_n', { n }))}>
        {t('desk_take')}
      </Button>
      <Button tight onClick={() => ask({ what: 'tag', ids })}>
        {t('desk_tag')}
      </Button>
      {list.length > n && (
        <Button tight plain onClick={() => desk.store.do({ do: 'pick', ids: list.map((c) => c.id).slice(0, 200), on: true })}>
          {t('desk_pick_all')}
        </Button>
      )}
      <Button tight plain icon="close" title={t('desk_pick_none')} onClick={() => desk.store.do({ do: 'pick', ids, on: false })} />
    </div>
  )
}
