import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Loader } from '../core/i18n'
import { may, type Session } from '../core/session'
import { Button, Empty, Skeleton } from '../parts/controls'
import { Icon, type IconName } from '../parts/icon'
import { Menu } from '../parts/overlays'
import { usePlace, useT, useWorld } from '../parts/world'
import './admin.css'

export const catalogues: Loader = {
  en: () => import('./locales/en.json'),
  de: () => import('./locales/de.json'),
  ar: () => import('./locales/ar.json'),
}

// SectionProps is what stands behind the section's name in the address.
export interface SectionProps {
  rest: string[]
}

interface Section {
  id: string
  icon: IconName
  right: string
  group: 'connect' | 'desk' | 'access' | 'run'
  load(): Promise<{ default: ComponentType<SectionProps> }>
}

// sections are loaded when somebody goes there.
const sections: Section[] = [
  { id: 'channels', icon: 'link', right: 'channels.read', group: 'connect', load: () => import('./channels') },
  { id: 'flows', icon: 'bot', right: 'flows.read', group: 'connect', load: () => import('./flows') },
  { id: 'queues', icon: 'inbox', right: 'conversations.read', group: 'desk', load: () => import('./queues') },
  { id: 'agents', icon: 'person', right: 'conversations.read', group: 'desk', load: () => import('./agents') },
  { id: 'teams', icon: 'desk', right: 'conversations.read', group: 'desk', load: () => import('./teams') },
  { id: 'hours', icon: 'clock', right: 'conversations.read', group: 'desk', load: () => import('./hours') },
  { id: 'states', icon: 'moon', right: 'conversations.read', group: 'desk', load: () => import('./states') },
  { id: 'replies', icon: 'reply', right: 'desk.write', group: 'desk', load: () => import('./replies') },
  { id: 'fields', icon: 'tag', right: 'desk.write', group: 'desk', load: () => import('./fields') },
  { id: 'actions', icon: 'bolt', right: 'desk.write', group: 'desk', load: () => import('./actions') },
  { id: 'users', icon: 'person', right: 'users', group: 'access', load: () => import('./users') },
  { id: 'roles', icon: 'checks', right: 'roles', group: 'access', load: () => import('./roles') },
  { id: 'tokens', icon: 'keys', right: 'tokens', group: 'access', load: () => import('./tokens') },
  { id: 'audit', icon: 'eye', right: 'audit.read', group: 'access', load: () => import('./audit') },
  { id: 'letters', icon: 'warn', right: 'dead_letters.read', group: 'run', load: () => import('./letters') },
  { id: 'health', icon: 'wall', right: 'channels.read', group: 'run', load: () => import('./health') },
]

const groups = ['connect', 'desk', 'access', 'run'] as const

const open = (s: Session | null) => sections.filter((x) => may(s, x.right))

export default function Admin() {
  const t = useT()
  const { session, router } = useWorld()
  const place = usePlace()
  const all = open(session)
  const at = place.parts[1] ?? all[0]?.id ?? ''
  const section = all.find((s) => s.id === at)
  useEffect(() => {
    document.title = section ? `${t('admin_nav_' + section.id)} · Dragoman` : 'Dragoman'
    return () => void (document.title = 'Dragoman')
  }, [at])
  return (
    <div class="admin">
      <nav class="admin-nav" aria-label={t('admin_title')}>
        {groups.map((g) => {
          const inside = all.filter((s) => s.group === g)
          return inside.length === 0 ? null : (
            <div key={g}>
              <h2 id={'admin-group-' + g}>{t('admin_group_' + g)}</h2>
              <ul aria-labelledby={'admin-group-' + g}>
                {inside.map((s) => (
                  <li key={s.id}>
                    <a class="admin-door" href={'/admin/' + s.id} aria-current={s.id === at ? 'page' : undefined}>
                      <Icon name={s.icon} /> {t('admin_nav_' + s.id)}
                    </a>
                  </li>
                ))}
              </ul>
            </div>
          )
        })}
      </nav>
      <div class="admin-menu">
        <Menu
          title={t('admin_title')}
          items={all.map((s, i) => ({
            id: s.id,
            title: t('admin_nav_' + s.id),
            icon: s.icon,
            checked: s.id === at,
            line: i > 0 && all[i - 1]!.group !== s.group,
            run: () => router.go('/admin/' + s.id),
          }))}
        >
          <span class="grow">{section ? t('admin_nav_' + section.id) : t('admin_title')}</span>
          <Icon name="down" />
        </Menu>
      </div>
      <div class="admin-page">{section ? <Shown key={at} section={section} rest={place.parts.slice(2)} /> : <Empty title={t('no_such_page')} />}</div>
    </div>
  )
}

// Shown loads the section.
function Shown({ section, rest }: { section: Section; rest: string[] }) {
  const t = useT()
  const [Page, set] = useState<ComponentType<SectionProps> | null>(null)
  const [failed, fail] = useState(false)
  useEffect(() => {
    let here = true
    section.load().then(
      (m) => here && set(() => m.default),
      () => here && fail(true),
    )
    return () => void (here = false)
  }, [])
  if (failed)
    return (
      <Empty title={t('page_failed')}>
        <Button onClick={() => location.reload()}>{t('reload')}</Button>
      </Empty>
    )
  return Page ? <Page rest={rest} /> : <Skeleton lines={5} />
}
