import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { languages, type Language } from '../core/i18n'
import { may, type Session } from '../core/session'
import { Check } from '../parts/controls'
import { Icon, type IconName } from '../parts/icon'
import mark from '../parts/mark.svg'
import { Dialog, Menu } from '../parts/overlays'
import { usePlace, useT, useWorld } from '../parts/world'

interface Door {
  path: string
  title: string
  icon: IconName
  right: string
}

// doors are the pages, with the right that makes each one worth a visit.
const doors: Door[] = [
  { path: '/desk', title: 'nav_desk', icon: 'desk', right: 'conversations.read' },
  { path: '/wall', title: 'nav_wall', icon: 'wall', right: 'reports.read' },
  { path: '/admin', title: 'nav_admin', icon: 'admin', right: 'channels.read' },
  { path: '/playground', title: 'nav_playground', icon: 'play', right: 'channels.write' },
]

export function doorsOf(s: Session): Door[] {
  return doors.filter((d) => may(s, d.right))
}

// Frame is the navigation beside every page.
export function Frame({ children }: { children: ComponentChildren }) {
  const t = useT()
  const { session, signOut } = useWorld()
  const place = usePlace()
  const [settings, show] = useState(false)
  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={(e) => (e.preventDefault(), document.getElementById('main')?.focus())}>
        {t('skip')}
      </a>
      <nav class="frame-nav" aria-label={t('nav')}>
        <a class="frame-mark" href="/" aria-label={t('nav_home')}>
          <img src={mark} alt="" width="30" height="30" />
        </a>
        {doorsOf(session!).map((d) => (
          <a key={d.path} class="frame-link" href={d.path} aria-current={place.path.startsWith(d.path) ? 'page' : undefined}>
            <Icon name={d.icon} />
            {t(d.title)}
          </a>
        ))}
        <div class="frame-foot">
          <Menu
            title={t('me', { name: session!.user.name })}
            icon="person"
            plain
            class="frame-me"
            items={[
              { id: 'settings', title: t('settings'), icon: 'admin', run: () => show(true) },
              { id: 'docs', title: t('nav_docs'), icon: 'file', run: () => location.assign('/docs') },
              { id: 'out', title: t('sign_out'), icon: 'next', line: true, run: signOut },
            ]}
          />
        </div>
      </nav>
      <main class="frame-main" id="main" tabIndex={-1}>
        {children}
      </main>
      {settings && <SettingsDialog onClose={() => show(false)} />}
    </div>
  )
}

function SettingsDialog({ onClose }: { onClose(): void }) {
  const t = useT()
  const { settings, change } = useWorld()
  return (
    <Dialog title={t('settings')} onClose={onClose}>
      <label class="field">
        <span class="label">{t('language')}</span>
        <select class="input" value={settings.language} onChange={(e) => change({ language: e.currentTarget.value as Language })}>
          {Object.entries(languages).map(([id, l]) => (
            <option key={id} value={id} lang={id}>
              {l.name}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span class="label">{t('theme')}</span>
        <select class="input" value={settings.theme} onChange={(e) => change({ theme: e.currentTarget.value as 'auto' })}>
          {(['auto', 'light', 'dark'] as const).map((x) => (
            <option key={x} value={x}>
              {t('theme_' + x)}
            </option>
          ))}
        </select>
      </label>
      <Check label={t('single_keys')} checked={settings.keys.single} onChange={(single) => change({ keys: { ...settings.keys, single } })} />
      <Check label={t('sound')} checked={settings.sound} onChange={(sound) => change({ sound })} />
      <Check
        label={t('notices')}
        checked={settings.notices}
        onChange={(on) => void (on ? askNotices() : Promise.resolve(false)).then((notices) => change({ notices }))}
      />
    </Dialog>
  )
}

async function askNotices(): Promise<boolean> {
  if (typeof Notification === 'undefined') return false
  return (await Notification.requestPermission()) === 'granted'
}
