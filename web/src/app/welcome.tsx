import { useState } from 'preact/hooks'
import { Problem } from '../core/problem'
import { may } from '../core/session'
import { Button, Field } from '../parts/controls'
import { Icon } from '../parts/icon'
import { useT, useWorld } from '../parts/world'

// Welcome is the newcomer's first minute: talk to the flow, see it in the desk, answer, connect a real channel.
export function Welcome() {
  const t = useT()
  const { session } = useWorld()
  const steps = [
    { id: 'talk', href: '/try', icon: 'bolt' as const },
    { id: 'desk', href: '/desk', icon: 'desk' as const },
    { id: 'connect', href: '/admin/channels/new', icon: 'link' as const },
    { id: 'learn', href: '/docs', icon: 'file' as const },
  ]
  return (
    <div class="page">
      <header class="stack">
        <h1>{t('welcome_title', { name: session!.user.name })}</h1>
        <p class="soft">{t('welcome_about')}</p>
      </header>
      {session!.user.email.endsWith('@localhost') && <WhoAreYou />}
      <ol class="welcome-steps">
        {steps.map((s, i) => (
          <li key={s.id} class="card stack">
            <span class="row">
              <Icon name={s.icon} />
              <h2>
                {i + 1}. {t(`welcome_${s.id}`)}
              </h2>
            </span>
            <p class="soft grow">{t(`welcome_${s.id}_about`)}</p>
            <span>
              <a class={'button' + (i === 0 ? ' main' : '')} href={s.href} {...(s.id === 'talk' ? { target: '_blank', rel: 'noopener' } : {})}>
                {t(`welcome_${s.id}_do`)}
              </a>
            </span>
          </li>
        ))}
      </ol>
    </div>
  )
}

// WhoAreYou gives the first user, who has a made-up address, her own.
function WhoAreYou() {
  const t = useT()
  const { api, session, signedIn, toasts } = useWorld()
  const [problem, set] = useState<Problem | null>(null)
  if (!may(session, 'users')) return null
  const submit = async (e: SubmitEvent) => {
    e.preventDefault()
    const f = new FormData(e.currentTarget as HTMLFormElement)
    try {
      const user = await api.patch<typeof session extends null ? never : NonNullable<typeof session>['user']>('/v1/users/' + session!.user.id, {
        email: String(f.get('email')),
        name: String(f.get('name')),
      })
      signedIn({ ...session!, user })
      toasts.show(t('saved'))
    } catch (err) {
      if (!(err instanceof Problem)) throw err
      set(err)
    }
  }
  return (
    <form class="card stack" onSubmit={submit}>
      <h2>{t('who_are_you')}</h2>
      <p class="soft">{t('who_are_you_about')}</p>
      {problem && (
        <p class="notice bad" role="alert">
          {problem.detail}
        </p>
      )}
      <div class="row wrap who-fields">
        <Field label={t('name')} name="name" autocomplete="name" required maxLength={200} />
        <Field label={t('email')} name="email" type="email" autocomplete="email" required />
        <Button main type="submit">
          {t('save')}
        </Button>
      </div>
    </form>
  )
}
