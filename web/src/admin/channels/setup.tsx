import { useEffect, useState } from 'preact/hooks'
import type { Keep } from '../../core/keep'
import { Button } from '../../parts/controls'
import { Copy } from '../../parts/copy'
import { Icon } from '../../parts/icon'
import { useT, useWorld } from '../../parts/world'
import { Head, Trouble } from '../kit/page'
import type { Channel, Connector } from '../kit/types'
import { type Setting } from '.'
import { FirstMessage } from './first'
import { Retry } from './new'

const steps = ['platform', 'settings', 'check', 'webhook', 'message', 'done'] as const
type Step = (typeof steps)[number]

// remember keeps how far somebody came, so that the way can be taken up later, in this browser.
export function remember(keep: Keep, channel: string, step: Step): void {
  keep.set('dragoman.setup.' + channel, step === 'done' ? null : step)
}

// unfinished is the step at which connecting a channel was left.
export function unfinished(keep: Keep, channel: string): Step | null {
  const step = keep.get('dragoman.setup.' + channel) as Step | null
  return step && steps.includes(step) ? step : null
}

export function Steps({ at }: { at: Step }) {
  const t = useT()
  const now = steps.indexOf(at)
  return (
    <ol class="steps" aria-label={t('admin_steps')}>
      {steps.map((s, i) => (
        <li key={s} class={i < now ? 'done' : ''} aria-current={i === now ? 'step' : undefined}>
          <span class="dot">{i < now ? <Icon name="check" /> : i + 1}</span>
          {t('admin_step_' + s)}
        </li>
      ))}
    </ol>
  )
}

// Needs says in words what somebody has to get at the platform first.
export function Needs({ connector: c }: { connector: Connector }) {
  const t = useT()
  const { i18n } = useWorld()
  const list = []
  for (let i = 1; i18n.has(`admin_need_${c.name}_${i}`); i++) list.push(t(`admin_need_${c.name}_${i}`))
  if (list.length === 0) for (const n of c.settings.required ?? []) list.push(c.settings.properties[n]?.title ?? n)
  if (list.length === 0) return null
  return (
    <section class="card stack wizard" aria-labelledby="needs">
      <h2 id="needs">{t('admin_needs')}</h2>
      <ol class="needs">
        {list.map((x) => (
          <li key={x}>{x}</li>
        ))}
      </ol>
    </section>
  )
}

// Setup takes a channel from its settings to its first message. It can be left and taken up again at any step.
export function Setup({ all, channel, again }: { all: Setting; channel: Channel; again(): void }) {
  const t = useT()
  const { keep } = useWorld()
  const [step, set] = useState<Step>(unfinished(keep, channel.id) ?? 'check')
  const connector = all.connectors.find((c) => c.name === channel.connector)
  const go = (s: Step) => {
    remember(keep, channel.id, s)
    set(s)
    document.getElementById('main')?.scrollTo(0, 0)
  }
  return (
    <>
      <Head title={t('admin_channel_connect', { name: channel.name })} back={{ href: '/admin/channels', title: t('admin_nav_channels') }} />
      <Steps at={step} />
      <div class="wizard">
        {step === 'check' && <CheckStep channel={channel} next={() => go('webhook')} again={again} />}
        {step === 'webhook' && <WebhookStep channel={channel} connector={connector} back={() => go('check')} next={() => go('message')} />}
        {step === 'message' && <FirstMessage channel={channel} back={() => go('webhook')} next={() => go('done')} />}
        {step === 'done' && <DoneStep channel={channel} />}
      </div>
    </>
  )
}

interface AskState {
  busy: boolean
  answer?: string
  error?: unknown
}

// useAsk asks the platform something and keeps what came of it.
export function useAsk(run: () => Promise<string>): AskState & { go(): void } {
  const [state, set] = useState<AskState>({ busy: false })
  const go = () => {
    set({ busy: true })
    run().then(
      (answer) => set({ busy: false, answer }),
      (error: unknown) => set({ busy: false, error }),
    )
  }
  return { ...state, go }
}

export function useCheck(channel: Channel) {
  const { api } = useWorld()
  return useAsk(async () => (await api.post<{ answer: string }>(`/v1/channels/${channel.id}/check`)).answer)
}

function CheckStep({ channel, next, again }: { channel: Channel; next(): void; again(): void }) {
  const t = useT()
  const check = useCheck(channel)
  useEffect(check.go, [])
  useEffect(() => {
    if (check.answer) again()
  }, [check.answer])
  return (
    <section class="card stack">
      <h2>{t('admin_step_check')}</h2>
      <p class="soft">{t('admin_check_about')}</p>
      <div aria-live="polite">
        {check.busy && (
          <p class="waits">
            <span class="pulse" /> {t('admin_checking')}
          </p>
        )}
        {check.answer !== undefined && (
          <p class="arrived">
            <Icon name="check" /> <span>{t('admin_check_good', { answer: check.answer })}</span>
          </p>
        )}
      </div>
      {check.error !== undefined && <Trouble error={check.error} title={t('admin_check_bad')} />}
      <div class="row wrap admin-foot">
        <Button main disabled={check.answer === undefined} onClick={next}>
          {t('admin_next')}
        </Button>
        {check.error !== undefined && (
          <>
            <a class="button" href={`/admin/channels/${channel.id}`}>
              {t('admin_change_settings')}
            </a>
            <Button onClick={next}>{t('admin_skip')}</Button>
          </>
        )}
        <Retry run={check.go} busy={check.busy} />
      </div>
    </section>
  )
}

// addressOf is where the platform posts to. Without a public address it works on this machine alone.
export function addressOf(channel: Channel): { url: string; here: boolean } {
  return channel.webhook_url ? { url: channel.webhook_url, here: false } : { url: `${location.origin}/in/${channel.id}`, here: true }
}

function WebhookStep({ channel, connector, back, next }: { channel: Channel; connector: Connector | undefined; back(): void; next(): void }) {
  const t = useT()
  const { api } = useWorld()
  const can = channel.abilities.includes('register')
  const takes = channel.abilities.includes('receive')
  const register = useAsk(async () => {
    await api.post(`/v1/channels/${channel.id}/register`)
    return 'ok'
  })
  const { url, here } = addressOf(channel)
  return (
    <section class="card stack">
      <h2>{t('admin_step_webhook')}</h2>
      <p class="soft">{takes ? t('admin_webhook_about', { name: connector?.title ?? channel.connector }) : t('admin_webhook_none')}</p>
      {takes && <Copy label={t('admin_webhook_address')} text={url} />}
      {takes && here && channel.connector !== 'simulator' && (
        <p class="notice warn">
          <Icon name="warn" /> <span>{t('admin_no_public')}</span>
        </p>
      )}
      <div aria-live="polite">
        {register.busy && (
          <p class="waits">
            <span class="pulse" /> {t('admin_registering')}
          </p>
        )}
        {register.answer && (
          <p class="arrived">
            <Icon name="check" /> <span>{t('admin_registered')}</span>
          </p>
        )}
      </div>
      {register.error !== undefined && <Trouble error={register.error} title={t('admin_register_bad')} />}
      <div class="row wrap admin-foot">
        {can && (
          <Button main={!register.answer} onClick={register.go} disabled={register.busy}>
            {t('admin_register')}
          </Button>
        )}
        <Button main={!can || register.answer !== undefined} onClick={next}>
          {t('admin_next')}
        </Button>
        <Button onClick={back}>{t('admin_back')}</Button>
      </div>
    </section>
  )
}

function DoneStep({ channel }: { channel: Channel }) {
  const t = useT()
  return (
    <section class="card stack">
      <h2>{t('admin_done_title', { name: channel.name })}</h2>
      <p class="soft">{t('admin_done_about')}</p>
      <div class="row wrap">
        <a class="button main" href="/desk">
          {t('admin_done_desk')}
        </a>
        <a class="button" href={`/admin/channels/${channel.id}`}>
          {t('admin_done_channel')}
        </a>
        <a class="button" href="/admin/channels/new">
          {t('admin_done_another')}
        </a>
      </div>
    </section>
  )
}
