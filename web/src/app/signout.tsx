import { Button } from '../parts/controls'
import { Dialog } from '../parts/overlays'
import { useT } from '../parts/world'

// SignOut warns who has written something that nobody has got: it stays in no browser that others may use after.
export function SignOut({ left, onOut, onClose }: { left: { drafts: number; waiting: number }; onOut(): void; onClose(): void }) {
  const t = useT()
  return (
    <Dialog title={t('sign_out')} onClose={onClose}>
      <p>{t('sign_out_about')}</p>
      <p class="notice warn">{[left.waiting && t('sign_out_waiting', { n: left.waiting }), left.drafts && t('sign_out_drafts', { n: left.drafts })].filter(Boolean).join(' ')}</p>
      <div class="dialog-foot">
        <Button onClick={onClose}>{t('sign_out_stay')}</Button>
        <Button bad onClick={onOut}>
          {t('sign_out_do')}
        </Button>
      </div>
    </Dialog>
  )
}
