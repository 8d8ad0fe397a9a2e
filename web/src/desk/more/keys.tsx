import { useState } from 'preact/hooks'
import { isSingle, nameOf, type Binding } from '../../core/keys'
import { Button, Check } from '../../parts/controls'
import { Dialog } from '../../parts/overlays'
import { useT, useWorld } from '../../parts/world'
import { keyWords } from '../dialogs'

// KeyList lists the keys; each can be changed, and single ones switched off.
export function KeyList({ onClose }: { onClose(): void }) {
  const t = useT()
  const { keys, settings, change } = useWorld()
  const [taking, take] = useState('')
  const set = (own: Record<string, string>) => change({ keys: { ...settings.keys, own } })
  const press = (b: Binding, e: KeyboardEvent) => {
    if (['Shift', 'Control', 'Alt', 'Meta', 'Tab'].includes(e.key)) return
    e.preventDefault()
    e.stopPropagation()
    take('')
    if (e.key !== 'Escape') set({ ...settings.keys.own, [b.id]: e.key === 'Backspace' ? '' : nameOf(e) })
  }
  return (
    <Dialog title={t('desk_keys')} onClose={onClose} wide>
      <Check label={t('single_keys')} checked={settings.keys.single} onChange={(single) => change({ keys: { ...settings.keys, single } })} />
      <table class="keys">
        <thead>
          <tr>
            <th scope="col">{t('desk_command')}</th>
            <th scope="col">{t('desk_key')}</th>
            <th scope="col">
              <span class="hidden-text">{t('desk_change_key')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.list.map((b) => {
            const now = settings.keys.own[b.id] ?? b.keys
            return (
              <tr key={b.id} class={!settings.keys.single && isSingle(now) ? 'off' : ''}>
                <td>{b.title}</td>
                <td>{now ? <kbd>{keyWords(now)}</kbd> : <span class="soft">{t('desk_no_key')}</span>}</td>
                <td class="keys-change">
                  {taking === b.id ? (
                    <button type="button" class="button tight" autoFocus onKeyDown={(e) => press(b, e)} onBlur={() => take('')}>
                      {t('desk_press_key')}
                    </button>
                  ) : (
                    <button type="button" class="button tight plain" aria-label={t('desk_change_key_of', { command: b.title })} onClick={() => take(b.id)}>
                      {t('desk_change')}
                    </button>
                  )}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
      <div class="dialog-foot">
        <Button onClick={() => set({})}>{t('desk_keys_back')}</Button>
      </div>
    </Dialog>
  )
}
