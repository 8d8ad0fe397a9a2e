import { useState } from 'preact/hooks'
import { Problem } from '../core/problem'
import { Avatar, Badge, Button } from '../parts/controls'
import { Copy } from '../parts/copy'
import { Icon } from '../parts/icon'
import { Dialog } from '../parts/overlays'
import { useLoad, useT, useWorld } from '../parts/world'
import type { SectionProps } from '.'
import { Editor, Remove } from './kit/editor'
import { Inputs, type Spec, type Values } from './kit/form'
import { Head, Line, Lines, Loaded, Nothing, Trouble, When } from './kit/page'
import type { User } from './kit/types'

interface Link {
  url: string
  expires_at: string
}

interface Login {
  id: string
  agent?: string
  address?: string
  seen_at: string
}

export default function Users({ rest: [id] }: SectionProps) {
  const { api } = useWorld()
  const load = useLoad(async () => {
    const [users, roles] = await Promise.all([api.all<User>('/v1/users'), api.get<{ items: { name: string }[] }>('/v1/roles').catch(() => ({ items: [] }))])
    const names = roles.items.map((r) => r.name)
    return { users, roles: [...new Set([...(names.length ? names : ['admin', 'supervisor', 'agent']), ...users.map((u) => u.role)])] }
  }, [])
  const [link, show] = useState<{ name: string; link: Link } | null>(null)
  return (
    <Loaded load={load}>
      {({ users, roles }) => {
        const user = users.find((u) => u.id === id)
        return (
          <>
            {user ? <UserPage key={JSON.stringify(user)} user={user} roles={roles} again={load.again} onLink={(l) => show({ name: user.name, link: l })} /> : <UserList users={users} roles={roles} again={load.again} onLink={(name, l) => show({ name, link: l })} />}
            {link && <LinkDialog {...link} onClose={() => show(null)} />}
          </>
        )
      }}
    </Loaded>
  )
}

// LinkDialog shows a link that sets a password. The hub keeps only its hash: nobody sees it again.
function LinkDialog({ name, link, onClose }: { name: string; link: Link; onClose(): void }) {
  const t = useT()
  const { i18n } = useWorld()
  const url = link.url.startsWith('/') ? location.origin + link.url : link.url
  return (
    <Dialog title={t('admin_link_title', { name })} onClose={onClose}>
      <p>{t('admin_link_about', { name })}</p>
      <Copy label={t('admin_link')} text={url} />
      <p class="notice warn">
        <Icon name="warn" /> <span>{t('admin_link_until', { at: i18n.full(new Date(link.expires_at)) })}</span>
      </p>
      <div class="dialog-foot">
        <Button main onClick={onClose}>
          {t('admin_kept_it')}
        </Button>
      </div>
    </Dialog>
  )
}

const specsOf = (t: (k: string) => string, roles: string[]): Spec[] => [
  { name: 'name', label: t('name') },
  { name: 'email', label: t('email'), required: true },
  { name: 'role', label: t('admin_role'), hint: t('admin_role_hint'), type: 'choice', required: true, choices: roles.map((id) => ({ id, title: id })) },
  { name: 'languages', label: t('admin_user_languages'), hint: t('admin_user_languages_hint'), type: 'lines', placeholder: 'en' },
]

function UserList({ users, roles, again, onLink }: { users: User[]; roles: string[]; again(): void; onLink(name: string, l: Link): void }) {
  const t = useT()
  const [inviting, invite] = useState(false)
  const [typed, type] = useState('')
  const shown = users.filter((u) => `${u.name} ${u.email} ${u.role}`.toLocaleLowerCase().includes(typed.toLocaleLowerCase()))
  return (
    <>
      <Head title={t('admin_nav_users')} about={t('admin_users_about')}>
        <Button main onClick={() => invite(true)}>
          {t('admin_user_invite')}
        </Button>
      </Head>
      {users.length > 5 && <input class="input" type="search" aria-label={t('admin_filter', { what: t('admin_nav_users') })} placeholder={t('admin_filter', { what: t('admin_nav_users') })} value={typed} onInput={(e) => type(e.currentTarget.value)} />}
      <Lines items={shown} label={t('admin_nav_users')} empty={<Nothing title={t('nothing_found')} />}>
        {(u) => (
          <Line key={u.id} href={'/admin/users/' + u.id} icon={<Avatar name={u.name} />} title={u.name} about={u.email}>
            {u.status === 'disabled' ? <Badge>{t('admin_user_disabled')}</Badge> : !u.has_password && !u.login_at && <Badge kind="warn">{t('admin_user_invited')}</Badge>}
            {u.totp && <Badge kind="good">{t('admin_user_totp')}</Badge>}
            <Badge kind="calm">{u.role}</Badge>
          </Line>
        )}
      </Lines>
      {inviting && <Invite roles={roles} onClose={() => invite(false)} onMade={(u) => (invite(false), onLink(u.name, u.link), again())} />}
    </>
  )
}

function Invite({ roles, onClose, onMade }: { roles: string[]; onClose(): void; onMade(u: User & { link: Link }): void }) {
  const t = useT()
  const { api } = useWorld()
  const [value, set] = useState<Values>({ role: 'agent' })
  const [problem, fail] = useState<Problem | null>(null)
  const submit = (e: SubmitEvent) => {
    e.preventDefault()
    api.post<User & { link: Link }>('/v1/users', value).then(onMade, (err: unknown) => fail(err instanceof Problem ? err : new Problem(0, 'other', String(err))))
  }
  return (
    <Dialog title={t('admin_user_invite')} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        {problem && <Trouble error={problem} />}
        <Inputs value={value} onChange={set} problem={problem} specs={specsOf(t, roles).slice(0, 3)} />
        <div class="dialog-foot">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button main type="submit">
            {t('admin_user_invite_do')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

function UserPage({ user: u, roles, again, onLink }: { user: User; roles: string[]; again(): void; onLink(l: Link): void }) {
  const t = useT()
  const { api } = useWorld()
  const path = '/v1/users/' + u.id
  const stored: Values = { name: u.name, email: u.email, role: u.role, ...(u.languages?.length ? { languages: u.languages } : {}) }
  return (
    <>
      <Head title={u.name} about={u.email} back={{ href: '/admin/users', title: t('admin_nav_users') }} badge={u.status === 'disabled' && <Badge>{t('admin_user_disabled')}</Badge>} />
      <Editor stored={stored} specs={specsOf(t, roles)} save={(v) => api.patch(path, { ...v, languages: v.languages ?? [] })} done={again}>
        {() => <Access user={u} again={again} onLink={onLink} />}
      </Editor>
    </>
  )
}

// Access is how a user gets in: links, codes, sessions, and whether at all.
function Access({ user: u, again, onLink }: { user: User; again(): void; onLink(l: Link): void }) {
  const t = useT()
  const { api, session } = useWorld()
  const [error, fail] = useState<unknown>(null)
  const path = '/v1/users/' + u.id
  const sessions = useLoad(async () => (await api.get<{ items: Login[] }>(path + '/sessions')).items, [path])
  const act = (run: Promise<unknown>) => run.then(again, fail)
  const self = u.id === session?.user.id
  return (
    <section class="card stack" aria-labelledby="user-access">
      <h2 id="user-access">{t('admin_user_access')}</h2>
      {error !== null && <Trouble error={error} />}
      <dl class="facts">
        <dt>{t('admin_user_last')}</dt>
        <dd>{u.login_at ? <When at={u.login_at} /> : t('admin_user_never')}</dd>
        <dt>{t('admin_user_totp')}</dt>
        <dd>{t(u.totp ? 'admin_yes' : 'admin_no')}</dd>
      </dl>
      <div class="row wrap">
        <Button icon="link" onClick={() => void api.post<Link>(path + '/link').then(onLink, fail)}>
          {t('admin_user_new_link')}
        </Button>
        {u.totp && <Remove title={t('admin_user_no_totp')} about={t('admin_user_no_totp_about', { name: u.name })} run={() => api.delete(path + '/totp')} done={again} />}
        {!self &&
          (u.status === 'active' ? (
            <Remove title={t('admin_user_disable')} about={t('admin_user_disable_about', { name: u.name })} run={() => api.patch(path, { status: 'disabled' })} done={again} />
          ) : (
            <Button onClick={() => void act(api.patch(path, { status: 'active' }))}>{t('admin_user_enable')}</Button>
          ))}
      </div>
      <h3>{t('admin_user_sessions')}</h3>
      {sessions.value?.length === 0 && <p class="soft small">{t('admin_user_no_sessions')}</p>}
      <ul class="stack">
        {(sessions.value ?? []).map((s) => (
          <li key={s.id} class="row">
            <span class="grow small">
              {s.agent || '—'}
              <br />
              <span class="soft">
                {s.address} · <When at={s.seen_at} />
              </span>
            </span>
            <Button tight onClick={() => void api.delete(`${path}/sessions/${s.id}`).then(sessions.again, fail)}>
              {t('admin_user_sign_out')}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  )
}
