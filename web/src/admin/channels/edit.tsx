import { may } from '../../core/session'
import { Button } from '../../parts/controls'
import { Copy } from '../../parts/copy'
import { Icon } from '../../parts/icon'
import { useT, useWorld } from '../../parts/world'
import { Editor } from '../kit/editor'
import type { Values } from '../kit/form'
import { Head, Trouble, When } from '../kit/page'
import type { Channel } from '../kit/types'
import { StateBadge, titleOf, type Setting } from '.'
import { settingSpecs, whoAnswers } from './fields'
import { addressOf, unfinished, useAsk, useCheck } from './setup'

// ChannelPage changes a channel, asks its platform and switches it on and off.
export function ChannelPage({ all, channel, again }: { all: Setting; channel: Channel; again(): void }) {
  const t = useT()
  const { api, router, session, keep, toasts } = useWorld()
  const connector = all.connectors.find((c) => c.name === channel.connector)
  const write = may(session, 'channels.write')
  const path = '/v1/channels/' + channel.id
  const turn = async (status: 'active' | 'off') => {
    try {
      await api.patch(path, { status })
      toasts.show(t('admin_channel_now_' + status))
    } catch (err) {
      toasts.bad(err)
    }
    again()
  }
  const stored: Values = { name: channel.name, settings: channel.settings, ...(channel.flow ? { flow: channel.flow } : {}), ...(channel.queue ? { queue: channel.queue } : {}) }
  const save = (v: Values) => api.patch(path, { name: v.name, flow: v.flow ?? '', queue: v.queue ?? '', settings: patchOf(channel.settings, (v.settings ?? {}) as Values) })
  return (
    <>
      <Head title={channel.name} about={titleOf(all, channel.connector)} back={{ href: '/admin/channels', title: t('admin_nav_channels') }} badge={<StateBadge channel={channel} />}>
        {write && unfinished(keep, channel.id) && (
          <a class="button main" href={`/admin/channels/${channel.id}/setup`}>
            {t('admin_setup_go_on')}
          </a>
        )}
        {write && (channel.status === 'off' ? <Button onClick={() => void turn('active')}>{t('admin_channel_turn_on')}</Button> : <Button onClick={() => void turn('off')}>{t('admin_channel_turn_off')}</Button>)}
      </Head>
      {channel.status === 'error' && (
        <div class="notice bad" role="alert">
          <Icon name="warn" />
          <span>
            {channel.detail} {t('admin_channel_error_do')}
          </span>
        </div>
      )}
      <Editor
        key={JSON.stringify(stored)}
        stored={stored}
        readOnly={!write}
        specs={[{ name: 'name', label: t('name'), required: true }, ...(connector ? settingSpecs(connector, t('admin_channel_more')) : []), ...whoAnswers(all, t)]}
        save={save}
        done={again}
        remove={{
          title: t('admin_channel_delete'),
          about: t('admin_channel_delete_about', { name: channel.name }),
          run: () => api.delete(path),
          done: () => (again(), router.go('/admin/channels')),
        }}
      >
        {() => <Beside channel={channel} write={write} again={again} />}
      </Editor>
    </>
  )
}

// patchOf says what has changed: null takes a member out.
function patchOf(before: Values, after: Values): Values {
  const out: Values = {}
  for (const k of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (!(k in after)) out[k] = null
    else if (JSON.stringify(before[k]) !== JSON.stringify(after[k])) out[k] = after[k]
  }
  return out
}

function Beside({ channel, write, again }: { channel: Channel; write: boolean; again(): void }) {
  const t = useT()
  const { api } = useWorld()
  const check = useCheck(channel)
  const register = useAsk(async () => {
    await api.post(`/v1/channels/${channel.id}/register`)
    return 'ok'
  })
  const { url, here } = addressOf(channel)
  return (
    <>
      {write && (
        <section class="card stack">
          <h2>{t('admin_step_check')}</h2>
          <div aria-live="polite" class="stack">
            {check.answer !== undefined && (
              <p class="arrived">
                <Icon name="check" /> <span>{t('admin_check_good', { answer: check.answer })}</span>
              </p>
            )}
            {register.answer && (
              <p class="arrived">
                <Icon name="check" /> <span>{t('admin_registered')}</span>
              </p>
            )}
          </div>
          {check.error !== undefined && <Trouble error={check.error} title={t('admin_check_bad')} />}
          {register.error !== undefined && <Trouble error={register.error} title={t('admin_register_bad')} />}
          <div class="row wrap">
            <Button disabled={check.busy} onClick={() => (check.go(), again())}>
              {check.busy ? t('admin_checking') : t('admin_check_now')}
            </Button>
            {channel.abilities.includes('register') && (
              <Button disabled={register.busy} onClick={register.go}>
                {t('admin_register')}
              </Button>
            )}
            <a class="button" href={`/admin/channels/${channel.id}/setup`}>
              {t('admin_channel_try')}
            </a>
          </div>
        </section>
      )}
      <section class="card stack">
        <h2>{t('admin_channel_facts')}</h2>
        {channel.abilities.includes('receive') && (
          <>
            <span class="label">{t('admin_webhook_address')}</span>
            <Copy label={t('admin_webhook_address')} text={url} />
            {here && <p class="soft small">{t('admin_no_public')}</p>}
          </>
        )}
        <dl class="facts">
          <dt>{t('admin_id')}</dt>
          <dd>
            <code>{channel.id}</code>
          </dd>
          <dt>{t('admin_created')}</dt>
          <dd>
            <When at={channel.created_at} />
          </dd>
          <dt>{t('admin_channel_can')}</dt>
          <dd>{channel.abilities.join(', ') || '—'}</dd>
        </dl>
      </section>
    </>
  )
}
