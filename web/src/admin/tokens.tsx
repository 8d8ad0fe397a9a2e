import { useState } from 'preact/hooks'
import { Problem } from '../core/problem'
import { may } from '../core/session'
import { Badge, Button } from '../parts/controls'
import { Copy } from '../parts/copy'
import { Icon } from '../parts/icon'
import { Dialog } from '../parts/overlays'
import { useLoad, useT, useWorld } from '../parts/world'
import { Remove } from './kit/editor'
import { Inputs, type Values } from './kit/form'
import { Head, Line, Lines, Loaded, Nothing, Trouble, When } from './kit/page'

interface Token {
  id: string
  name: string
  scopes: string[]
  created_at: string
  expires_at?: string
  revoked_at?: string
  last_used_at?: string
}

const scopes = ['read', 'write', 'channels', 'flows', 'tokens', 'worker', 'admin']

// Tokens are how programs use the API: shown once, with a scope and an end, revoked at once.
export default function Tokens() {
  const t = useT()
  const { api } = useWorld()
  const load = useLoad(async () => (await api.get<{ items: Token[] }>('/v1/tokens')).items.reverse(), [])
  const [making, make] = useState(false)
  const [made, show] = useState<{ name: string; token: string } | null>(null)
  const add = (
    <Button main onClick={() => make(true)}>
      {t('admin_token_new')}
    </Button>
  )
  return (
    <>
      <Head title={t('admin_nav_tokens')} about={t('admin_tokens_about')}>
        {add}
      </Head>
      <Loaded load={load}>
        {(items) => (
          <Lines items={items} label={t('admin_nav_tokens')} empty={<Nothing title={t('admin_tokens_none')}>{add}</Nothing>}>
            {(x) => <TokenLine key={x.id} token={x} again={load.again} />}
          </Lines>
        )}
      </Loaded>
      {making && <NewToken onClose={() => make(false)} onMade={(m) => (make(false), show(m), load.again())} />}
      {made && (
        <Dialog title={t('admin_token_made', { name: made.name })} onClose={() => show(null)}>
          <p class="notice warn">
            <Icon name="warn" /> <span>{t('admin_shown_once')}</span>
          </p>
          <Copy label={t('admin_token')} text={made.token} />
          <pre dir="ltr" tabIndex={0}>{`curl -H "Authorization: Bearer …" ${location.origin}/v1/me`}</pre>
          <div class="dialog-foot">
            <Button main onClick={() => show(null)}>
              {t('admin_kept_it')}
            </Button>
          </div>
        </Dialog>
      )}
    </>
  )
}

function TokenLine({ token: x, again }: { token: Token; again(): void }) {
  const t = useT()
  const { api, i18n, toasts } = useWorld()
  const over = x.expires_at !== undefined && new Date(x.expires_at) < new Date()
  const about = [
    x.scopes.map((s) => t('admin_scope_' + s)).join(', '),
    x.last_used_at ? t('admin_token_used', { at: i18n.full(new Date(x.last_used_at)) }) : t('admin_token_unused'),
    x.expires_at ? t('admin_token_until', { at: i18n.date(new Date(x.expires_at)) }) : t('admin_token_for_ever'),
  ]
  return (
    <Line
      icon={<Icon name="keys" />}
      title={x.name}
      about={
        <>
          {about.filter(Boolean).join(' · ')} · <When at={x.created_at} />
        </>
      }
    >
      {x.revoked_at || over ? (
        <Badge>{t(x.revoked_at ? 'admin_token_revoked' : 'admin_token_over')}</Badge>
      ) : (
        <>
          <Badge kind="good">{t('admin_token_valid')}</Badge>
          <Remove tight title={t('admin_token_revoke')} about={t('admin_token_revoke_about', { name: x.name })} run={() => api.delete('/v1/tokens/' + x.id)} done={() => (toasts.show(t('admin_token_is_revoked', { name: x.name })), again())} />
        </>
      )}
    </Line>
  )
}

function NewToken({ onClose, onMade }: { onClose(): void; onMade(m: { name: string; token: string }): void }) {
  const t = useT()
  const { api, session } = useWorld()
  const [value, set] = useState<Values>({ scopes: ['read'] })
  const [problem, fail] = useState<Problem | null>(null)
  const days = [30, 90, 365]
  const submit = async (e: SubmitEvent) => {
    e.preventDefault()
    const expires = value.days ? { expires_at: new Date(Date.now() + Number(value.days) * 86_400_000).toISOString() } : {}
    try {
      onMade(await api.post<{ name: string; token: string }>('/v1/tokens', { name: value.name, scopes: value.scopes, ...expires }))
    } catch (err) {
      fail(err instanceof Problem ? err : new Problem(0, 'other', String(err)))
    }
  }
  const own = scopes.filter((s) => session?.all || s !== 'admin' || may(session, 'users'))
  return (
    <Dialog title={t('admin_token_new')} onClose={onClose}>
      <form class="stack" onSubmit={(e) => void submit(e)}>
        {problem && <Trouble error={problem} />}
        <Inputs
          value={value}
          onChange={set}
          specs={[
            { name: 'name', label: t('name'), hint: t('admin_token_name_hint'), required: true },
            { name: 'scopes', label: t('admin_token_scopes'), type: 'many', choices: own.map((id) => ({ id, title: t('admin_scope_' + id), hint: t(`admin_scope_${id}_about`) })) },
            { name: 'days', label: t('admin_token_ends'), type: 'choice', placeholder: t('admin_token_for_ever'), choices: days.map((n) => ({ id: String(n), title: t('admin_token_days', { n }) })) },
          ]}
        />
        <div class="dialog-foot">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button main type="submit" disabled={((value.scopes as string[] | undefined) ?? []).length === 0}>
            {t('admin_token_make')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
