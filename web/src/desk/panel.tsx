import { Button, Skeleton } from '../parts/controls'
import { memo } from '../parts/memo'
import { useT } from '../parts/world'
import { useDeskState } from './context'
import { useMore } from './lazy'
import { seen } from './state'

// ContactPanel is the place for what is known of the contact, which is not loaded with the desk.
export const ContactPanel = memo(({ id, onClose }: { id: string; onClose(): void }) => {
  const t = useT()
  const c = useDeskState((s) => seen(s, id))
  const more = useMore(onClose)
  return (
    <aside class="contact" aria-label={t('desk_panel')}>
      <div class="row contact-head">
        <h2 class="grow">{t('desk_panel')}</h2>
        <Button plain tight icon="close" title={t('close')} onClick={onClose} />
      </div>
      {c && more ? <more.Known key={c.contact.id} c={c} /> : <Skeleton lines={6} />}
    </aside>
  )
})
