import { useEffect, useState } from 'preact/hooks'
import { Dialog } from '../../parts/overlays'
import { Pick } from '../../parts/pick'
import { useT, useWorld } from '../../parts/world'
import { useDesk, useDeskState } from '../context'

// Tag sets and removes tags of one or many.
export function Tag({ ids, onClose }: { ids: string[]; onClose(): void }) {
  const t = useT()
  const { acts, desk } = useDesk()
  const { api } = useWorld()
  const [known, set] = useState<string[]>([])
  const [typed, type] = useState('')
  const has = useDeskState((s) => s.conversations.get(ids[0]!)?.tags)
  useEffect(() => {
    api.get<{ items: { name?: string; tag?: string }[] }>('/v1/tags').then((l) => set(l.items.map((x) => (typeof x === 'string' ? x : (x.name ?? x.tag ?? ''))).filter(Boolean)), () => {})
  }, [])
  const one = ids.length === 1
  const all = [...new Set([...(has ?? []), ...known])].filter((x) => x.includes(typed.trim()))
  const fresh = typed.trim() && !all.includes(typed.trim()) ? [typed.trim()] : []
  const pick = (tag: string) => {
    onClose()
    if (one) void acts.tag(ids[0]!, tag, !has?.includes(tag))
    else void acts.many(ids, { act: 'tag', tags: { add: [tag] } }, {}, t('desk_tagged_n', { n: ids.length, tag })).then(() => ids.forEach((x) => desk.again(x)))
  }
  return (
    <Dialog title={t('desk_tag')} onClose={onClose}>
      <Pick
        label={t('desk_tag')}
        empty={t('desk_tag_type')}
        onText={type}
        choices={[...all, ...fresh].map((x) => ({ id: x, title: fresh.includes(x) ? t('desk_new_tag', { tag: x }) : x, icon: one && has?.includes(x) ? 'check' : 'tag' }))}
        onPick={(c) => pick(c.id)}
      />
    </Dialog>
  )
}
