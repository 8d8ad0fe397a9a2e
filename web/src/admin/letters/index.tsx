import { useEffect, useRef, useState } from 'preact/hooks'
import { may } from '../../core/session'
import { Badge, Button, Field } from '../../parts/controls'
import { useLoad, useT, useWorld } from '../../parts/world'
import './letters.css'
import { Head, Loaded, Nothing, When } from '../kit/page'
import { textOf, type Channel, type DeadLetter } from '../kit/types'
import { Problem } from '../../core/problem'
import { pause, replayAll, type Run } from './pace'

const paces = [1, 2, 5, 10]

type Done = Record<string, { ok: boolean; words: string }>

interface Filter {
  channel: string
  failure: string
  days: string
  text: string
}

const classOf = (l: DeadLetter) => l.failure?.class || l.event.error?.class || '—'

// passes tells whether a letter is one that somebody looks for.
function passes(l: DeadLetter, f: Filter): boolean {
  const age = (Date.now() - new Date(l.created_at).getTime()) / 86_400_000
  const hay = `${textOf(l.event)} ${l.failure?.detail ?? ''} ${l.failure?.code ?? ''}`.toLocaleLowerCase()
  return (!f.channel || l.event.channel === f.channel) && (!f.failure || classOf(l) === f.failure) && (!f.days || age <= Number(f.days)) && hay.includes(f.text.toLocaleLowerCase())
}

// Letters is what could not be done, with the platform's answer. What is tried again stays in the list, with what came of it.
export default function Letters() {
  const t = useT()
  const { api, session } = useWorld()
  const load = useLoad(async () => {
    const [letters, channels] = await Promise.all([api.all<DeadLetter>('/v1/dead-letters', {}, 10), api.get<{ items: Channel[] }>('/v1/channels').then((l) => l.items, () => [])])
    return { letters, channels }
  }, [])
  const [filter, narrow] = useState<Filter>({ channel: '', failure: '', days: '', text: '' })
  const [chosen, choose] = useState<string[]>([])
  const [done, note] = useState<Done>({})
  const [pace, walk] = useState(2)
  const [run, set] = useState<Run | null>(null)
  const stop = useRef<AbortController | null>(null)
  useEffect(() => () => stop.current?.abort(), [])
  const write = may(session, 'dead_letters.replay')
  const replay = async (list: DeadLetter[]) => {
    const leave = (stop.current = new AbortController())
    const one = async (id: string) => {
      try {
        await api.post(`/v1/dead-letters/${encodeURIComponent(id)}/replay`)
        note((d) => ({ ...d, [id]: { ok: true, words: t('admin_letter_again') } }))
        return true
      } catch (err) {
        note((d) => ({ ...d, [id]: { ok: false, words: err instanceof Problem ? err.detail : String(err) } }))
        return false
      }
    }
    choose([])
    await replayAll(list.map((l) => l.id), one, pace, set, leave.signal, pause)
  }
  return (
    <>
      <Head title={t('admin_nav_letters')} about={t('admin_letters_about')}>
        <Button onClick={() => (note({}), load.again())}>{t('reload')}</Button>
      </Head>
      <Loaded load={load}>
        {({ letters, channels }) => {
          const shown = letters.filter((l) => passes(l, filter))
          const open = shown.filter((l) => !done[l.id]?.ok)
          if (letters.length === 0)
            return (
              <div class="card">
                <Nothing title={t('admin_letters_none')} about={t('admin_letters_none_about')} />
              </div>
            )
          return (
            <>
              <Filters letters={letters} channels={channels} filter={filter} onChange={narrow} />
              {write && (
                <div class="row wrap" role="group" aria-label={t('admin_letter_replay')}>
                  <Button main disabled={chosen.length === 0 || run?.going === true} onClick={() => void replay(letters.filter((l) => chosen.includes(l.id)))}>
                    {t('admin_letter_replay_chosen', { n: chosen.length })}
                  </Button>
                  <Button disabled={open.length === 0 || run?.going === true} onClick={() => void replay(open)}>
                    {t('admin_letter_replay_all', { n: open.length })}
                  </Button>
                  <label class="row small">
                    {t('admin_letter_pace')}
                    <select class="input admin-level" value={String(pace)} onChange={(e) => walk(Number(e.currentTarget.value))}>
                      {paces.map((p) => (
                        <option key={p} value={String(p)}>
                          {t('admin_letter_per_second', { n: p })}
                        </option>
                      ))}
                    </select>
                  </label>
                </div>
              )}
              {run && <Progress run={run} onStop={() => stop.current?.abort()} />}
              {shown.length === 0 && (
                <div class="card">
                  <Nothing title={t('nothing_found')} about={t('admin_letters_filtered')} />
                </div>
              )}
              <ul class="admin-lines" aria-label={t('admin_nav_letters')}>
                {shown.map((l) => (
                  <Letter
                    key={l.id}
                    letter={l}
                    channel={channels.find((c) => c.id === l.event.channel)}
                    chosen={chosen.includes(l.id)}
                    onChoose={(on) => choose((c) => (on ? [...c, l.id] : c.filter((x) => x !== l.id)))}
                    done={done[l.id]}
                    {...(write && run?.going !== true ? { onReplay: () => void replay([l]) } : {})}
                  />
                ))}
              </ul>
            </>
          )
        }}
      </Loaded>
    </>
  )
}

function Progress({ run, onStop }: { run: Run; onStop(): void }) {
  const t = useT()
  return (
    <div class="card progress">
      <div class="row">
        <span class="grow" role="status">
          {t(run.going ? 'admin_letter_running' : 'admin_letter_ran', { n: run.done, of: run.of, bad: run.failed })}
        </span>
        {run.going && (
          <Button tight onClick={onStop}>
            {t('admin_letter_stop')}
          </Button>
        )}
      </div>
      <progress max={run.of} value={run.done} aria-label={t('admin_letter_replay')} />
    </div>
  )
}

function Filters({ letters, channels, filter, onChange }: { letters: DeadLetter[]; channels: Channel[]; filter: Filter; onChange(f: Filter): void }) {
  const t = useT()
  const classes = [...new Set(letters.map(classOf))]
  const select = (name: 'channel' | 'failure' | 'days', all: string, options: { id: string; title: string }[]) => (
    <Field label={t('admin_letter_' + name)}>
      {(a) => (
        <select {...a} class="input" value={filter[name]} onChange={(e) => onChange({ ...filter, [name]: e.currentTarget.value })}>
          <option value="">{all}</option>
          {options.map((o) => (
            <option key={o.id} value={o.id}>
              {o.title}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
  const used = channels.filter((c) => letters.some((l) => l.event.channel === c.id))
  return (
    <div class="filters">
      {select('channel', t('admin_all'), used.map((c) => ({ id: c.id, title: c.name })))}
      {select('failure', t('admin_all'), classes.map((id) => ({ id, title: id })))}
      {select('days', t('admin_all'), [1, 7, 30].map((n) => ({ id: String(n), title: t('admin_try_days', { n }) })))}
      <Field label={t('admin_letter_text')} type="search" value={filter.text} onInput={(e) => onChange({ ...filter, text: e.currentTarget.value })} />
    </div>
  )
}

interface LetterProps {
  letter: DeadLetter
  channel: Channel | undefined
  chosen: boolean
  onChoose(on: boolean): void
  done: { ok: boolean; words: string } | undefined
  onReplay?: () => void
}

function Letter({ letter: l, channel, chosen, onChoose, done, onReplay }: LetterProps) {
  const t = useT()
  const [open, show] = useState(false)
  const failure = l.failure ?? l.event.error
  const words = textOf(l.event) || l.event.kind
  const { i18n } = useWorld()
  const todo = 'admin_letter_do_' + (failure?.class ?? '')
  return (
    <li class="admin-line letter">
      <input type="checkbox" aria-label={t('admin_letter_choose', { what: words.slice(0, 60) })} checked={chosen} disabled={done?.ok ?? false} onChange={(e) => onChoose(e.currentTarget.checked)} />
      <div class="grow">
        <strong class="letter-words">{words}</strong>
        <div class="soft small">
          {channel?.name ?? l.event.channel} · {l.work} · {t('admin_letter_attempts', { n: l.attempts })} · <When at={l.created_at} />
          {l.event.conversation && (
            <>
              {' · '}
              <a href={'/desk/c/' + l.event.conversation}>{t('admin_letter_conversation')}</a>
            </>
          )}
        </div>
        <p class="letter-why">
          <Badge kind="bad">{failure?.class ?? '—'}</Badge> {[failure?.code, failure?.detail].filter(Boolean).join(': ')}
        </p>
        {i18n.has(todo) && <p class="small">{t(todo)}</p>}
        {open && (
          <pre class="payload" dir="ltr" tabIndex={0} aria-label={t('admin_letter_payload')}>
            {JSON.stringify(l, null, 2)}
          </pre>
        )}
      </div>
      <div class="row wrap">
        {done && <Badge kind={done.ok ? 'good' : 'bad'}>{done.words}</Badge>}
        <Button tight aria-expanded={open} onClick={() => show(!open)}>
          {t('admin_letter_payload')}
        </Button>
        {onReplay && !done?.ok && (
          <Button tight onClick={onReplay}>
            {t('admin_letter_replay')}
          </Button>
        )}
      </div>
    </li>
  )
}
