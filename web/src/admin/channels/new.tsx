import { Button } from '../../parts/controls'
import { Icon, type IconName } from '../../parts/icon'
import { useT, useWorld } from '../../parts/world'
import type { Values } from '../kit/form'
import { Editor } from '../kit/editor'
import { Head } from '../kit/page'
import type { Channel, Connector } from '../kit/types'
import { titleOf, type Setting } from '.'
import { defaults, settingSpecs, whoAnswers } from './fields'
import { Needs, remember, Steps } from './setup'

const pictures: Record<string, IconName> = { telegram: 'send', whatsapp: 'smile', webhook: 'bolt', webchat: 'desk', simulator: 'play' }

// NewChannel begins: which platform, what it needs, its settings.
export function NewChannel({ all, platform, made }: { all: Setting; platform: string | undefined; made(): void }) {
  const t = useT()
  const c = all.connectors.find((x) => x.name === platform)
  const back = c ? { href: '/admin/channels/new', title: t('admin_step_platform') } : { href: '/admin/channels', title: t('admin_nav_channels') }
  return (
    <>
      <Head title={c ? t('admin_channel_connect', { name: c.title }) : t('admin_channel_new')} back={back} />
      <Steps at={c ? 'settings' : 'platform'} />
      {c ? <Settings key={c.name} all={all} connector={c} made={made} /> : <Platforms all={all} />}
    </>
  )
}

function Platforms({ all }: { all: Setting }) {
  const t = useT()
  const { router, i18n } = useWorld()
  return (
    <ul class="platforms" aria-label={t('admin_step_platform')}>
      {all.connectors.map((c) => (
        <li key={c.name}>
          <button type="button" class="platform" style={{ width: '100%', height: '100%' }} onClick={() => router.go('/admin/channels/new/' + c.name)}>
            <strong>
              <Icon name={pictures[c.name] ?? 'link'} /> {c.title}
            </strong>
            {i18n.has('admin_platform_' + c.name) && <span class="soft small">{t('admin_platform_' + c.name)}</span>}
          </button>
        </li>
      ))}
    </ul>
  )
}

function Settings({ all, connector: c, made }: { all: Setting; connector: Connector; made(): void }) {
  const t = useT()
  const { api, router, keep } = useWorld()
  const start: Values = { name: c.title, settings: c.name === 'simulator' ? { ...defaults(c), key: randomKey() } : defaults(c), ...(all.flows.length === 1 ? { flow: all.flows[0]!.name } : {}) }
  let id = ''
  const save = async (v: Values) => {
    const ch = await api.post<Channel>('/v1/channels', { connector: c.name, ...v })
    id = ch.id
    remember(keep, ch.id, 'check')
    made()
  }
  return (
    <>
      <Needs connector={c} />
      <Editor
        stored={null}
        start={start}
        saveTitle={t('admin_next')}
        specs={[{ name: 'name', label: t('name'), hint: t('admin_channel_name_hint'), required: true }, ...settingSpecs(c, t('admin_channel_more')), ...whoAnswers(all, t)]}
        save={save}
        done={() => router.go(`/admin/channels/${id}/setup`, true)}
      />
      <p class="soft small">{t('admin_secret_about', { name: titleOf(all, c.name) })}</p>
    </>
  )
}

function randomKey(): string {
  const b = crypto.getRandomValues(new Uint8Array(24))
  return btoa(String.fromCharCode(...b)).replace(/\+/g, '-').replace(/\//g, '_')
}

// Retry is a button that does something again and says so.
export function Retry({ run, busy }: { run(): void; busy: boolean }) {
  const t = useT()
  return (
    <Button onClick={run} disabled={busy}>
      {busy ? t('admin_checking') : t('admin_check_again')}
    </Button>
  )
}
