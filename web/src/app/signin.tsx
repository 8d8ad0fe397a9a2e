import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Problem } from '../core/problem'
import { readLink, readSession, type Session } from '../core/session'
import { Button, Field } from '../parts/controls'
import mark from '../parts/mark.svg'
import { useT, useWorld } from '../parts/world'

// SignIn takes a password and, where one is set up, a one-time code; or sets the password with the token of a link.
export function SignIn() {
  const t = useT()
  const { router } = useWorld()
  // kept in memory alone: the token leaves the address, and so the history, at once
  const [link] = useState(() => readLink(router.place.hash))
  useEffect(() => {
    if (router.place.hash) router.go(router.place.path + (router.place.query.size ? '?' + router.place.query : ''), true)
  }, [])
  return (
    <main class="middle" id="main">
      <div class="brand">
        <img src={mark} alt="" width="34" height="34" /> Dragoman
      </div>
      <div class="card stack">
        <h1>{link ? t('set_password') : t('sign_in')}</h1>
        {link ? <SetPassword token={link} /> : <Password />}
      </div>
    </main>
  )
}

// enter signs in and goes where somebody wanted to.
function useEnter() {
  const { api, router, signedIn } = useWorld()
  return async (body: { email: string; password: string; code?: string }, to = '') => {
    const s = await api.post<Session>('/login', body)
    api.csrf = s.csrf_token
    signedIn(s)
    const next = router.place.query.get('next') ?? ''
    router.go(to || (/^\/[a-z]/.test(next) ? next : '/'), true)
  }
}

function Password() {
  const t = useT()
  const enter = useEnter()
  const { router } = useWorld()
  const [code, askCode] = useState(false)
  const [problem, set] = useState<Problem | null>(null)
  const [busy, wait] = useState(false)
  const codeField = useRef<HTMLInputElement>(null)
  useLayoutEffect(() => codeField.current?.focus(), [code])
  const oidc = useOIDC()
  const submit = async (e: SubmitEvent) => {
    e.preventDefault()
    const f = new FormData(e.currentTarget as HTMLFormElement)
    const body = { email: String(f.get('email')), password: String(f.get('password')), ...(code ? { code: String(f.get('code')) } : {}) }
    wait(true)
    try {
      await enter(body)
    } catch (err) {
      const p = err instanceof Problem ? err : new Problem(0, 'offline', String(err))
      if (p.code === 'totp_required') askCode(true)
      set(p.code === 'totp_required' && !code ? null : p)
      wait(false)
    }
  }
  return (
    <form class="stack" onSubmit={submit}>
      {problem && <Wrong problem={problem} />}
      <Field label={t('email')} name="email" type="email" autocomplete="username" required autoFocus defaultValue={router.place.query.get('email') ?? ''} />
      <Field label={t('password')} name="password" type="password" autocomplete="current-password" required />
      {code && (
        <Field label={t('code')} hint={t('code_hint')}>
          {(a) => <input class="input" {...a} ref={codeField} name="code" autocomplete="one-time-code" inputMode="numeric" required />}
        </Field>
      )}
      <Button main type="submit" disabled={busy}>
        {t('sign_in')}
      </Button>
      {oidc && (
        <a class="button" href="/login/oidc">
          {t('sign_in_oidc')}
        </a>
      )}
    </form>
  )
}

// useOIDC asks the server whether another provider signs people in.
function useOIDC(): boolean {
  const [has, set] = useState(false)
  const { api } = useWorld()
  useEffect(() => {
    api.get<{ oidc: boolean }>('/login/ways').then((w) => set(w.oidc), () => {})
  }, [])
  return has
}

function SetPassword({ token }: { token: string }) {
  const t = useT()
  const enter = useEnter()
  const { api, router } = useWorld()
  const [problem, set] = useState<Problem | null>(null)
  const [busy, wait] = useState(false)
  const submit = async (e: SubmitEvent) => {
    e.preventDefault()
    const password = String(new FormData(e.currentTarget as HTMLFormElement).get('password'))
    wait(true)
    let email = ''
    try {
      email = (await api.post<{ email: string }>('/login/link', { token, password })).email
      await enter({ email, password }, '/welcome')
      await readSession(api)
    } catch (err) {
      if (err instanceof Problem && err.code === 'totp_required') router.go('/sign-in?email=' + encodeURIComponent(email), true)
      set(err instanceof Problem ? err : new Problem(0, 'offline', String(err)))
      wait(false)
    }
  }
  return (
    <form class="stack" onSubmit={submit}>
      {problem && <Wrong problem={problem} />}
      <p class="soft">{t('set_password_about')}</p>
      <Field
        label={t('new_password')}
        hint={t('password_hint')}
        wrong={problem?.of('password')}
        name="password"
        type="password"
        autocomplete="new-password"
        minLength={10}
        required
        autoFocus
      />
      <Button main type="submit" disabled={busy}>
        {t('set_password_do')}
      </Button>
    </form>
  )
}

function Wrong({ problem }: { problem: Problem }) {
  const t = useT()
  const { i18n } = useWorld()
  const key = 'problem_' + problem.code
  return (
    <p class="notice bad" role="alert">
      {i18n.has(key) ? t(key, { n: problem.retryAfter }) : problem.detail}
    </p>
  )
}
