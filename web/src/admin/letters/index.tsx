import { useEffect, useRef, useState } from 'preact/hooks'
import { may } from '../../core/session'
import { Badge, Button } from '../../parts/controls'
import { useLoad, useT, useWorld } from '../../parts/world'
import './letters.css'
import { Head, Loaded, Nothing, When } from '../kit/page'
import { textOf, type Channel, type DeadLetter } from '../kit/types'
import { Problem } from '../../core/problem'
import { canEdit, EditLetter } from './edit'
import { Filters, isOn, noFilter, queryOf, type Filter } from './filter'
import { pause, replayAll, type Run } from './pace'

const paces = [1, 2, 5, 10]
const page = 50
const typing = 300 // ms without a key before it is looked for

type Done = Record<string, { ok: boolean; words: string; letter: DeadLetter }>

interface Page {
  items: DeadLetter[]
  next?: string
}

// useLetters reads what the filter finds, a page at a time.
function useLetters(filter: Filter) {
  const { api } = useWorld()
  const [wanted, want] = useState(filter)
  useEffect(() => {
    const timer = setTimeout(() => want(filter), filter.text === wanted.text ? 0 : typing)
    return () => clearTimeout(timer)
  }, [filter])
  const read = (cursor: string | undefined, limit: number, signal?: AbortSignal) => api.get<Page>('/v1/dead-letters', { ...queryOf(wanted, Date.now()), limit, cursor }, signal)
  const key = JSON.stringify(wanted)
  const first = useLoad((signal) => read(undefined, page, signal), [key])
  const [more, add] = useState<Page & { of?: Page }>({ items: [] })
  const mine = first.value && more.of === first.value ? more : null
  const items = [...(first.value?.items ?? []), ...(mine?.items ?? [])]
  const next = mine ? mine.next : first.value?.next
  const further = async () => {
    const p = await read(next, page)
    add({ of: first.value!, items: [...(mine?.items ?? []), ...p.items], ...(p.next ? { next: p.next } : {}) })
  }
  // rest reads all that is not shown yet
  const rest = async () => {
    const out: DeadLetter[] = []
    for (let at = next; at; ) {
      const p = await read(at, 200)
      out.push(...p.items)
      at = p.next
    }
    return out
  }
  return { first, items, next, further, rest, narrowed: isOn(wanted) }
}

const posOf = (l: DeadLetter) => Number(l.id.slice(l.id.lastIndexOf('-') + 1))

// Letters is what could not be done, with the platform's answer. What is tried again stays in the list, with what came of it.
export default function Letters() {
  const t = useT()
  const { api, session } = useWorld()
  const channels = useLoad(() => api.get<{ items: Channel[] }>('/v1/channels').then((l) => l.items, () => []), []).value ?? []
  const [filter, narrow] = useState(noFilter)
  const { first, items, next, further, rest, narrowed } = useLetters(filter)
  const [chosen, choose] = useState<string[]>([])
  const [done, note] = useState<Done>({})
  const [reason, explain] = useState('')
  const [pace, walk] = useState(2)
  const [run, set] = useState<Run | null>(null)
  const [edited, edit] = useState<DeadLetter | null>(null)
  const stop = useRef<AbortController | null>(null)
  useEffect(() => () => stop.current?.abort(), [])
  const write = may(session, 'dead_letters.replay')
  const busy = run?.going === true
  const tell = (l: DeadLetter, ok: boolean, words: string) => note((d) => ({ ...d, [l.id]: { ok, words, letter: l } }))
  const replay = async (list: DeadLetter[]) => {
    const leave = (stop.current = new AbortController())
    const of = new Map(list.map((l) => [l.id, l]))
    const one = async (id: string) => {
      try {
        await api.post(`/v1/dead-letters/${encodeURIComponent(id)}/replay`, reason.trim() ? { reason: reason.trim() } : {}, 'replay-' + id)
        tell(of.get(id)!, true, t('admin_letter_again'))
        return true
      } catch (err) {
        tell(of.get(id)!, false, err instanceof Problem ? err.detail : String(err))
        return false
      }
    }
    choose([])
    await replayAll([...of.keys()], one, pace, set, leave.signal, pause)
  }
  const gone = Object.values(done).filter((d) => d.ok && !items.some((l) => l.id === d.letter.id)).map((d) => d.letter)
  const shown = [...items, ...(narrowed ? [] : gone)].sort((a, b) => posOf(b) - posOf(a))
  const open = shown.filter((l) => !done[l.id]?.ok)
  return (
    <>
      <Head title={t('admin_nav_letters')} about={t('admin_letters_about')}>
        <Button onClick={() => (note({}), first.again())}>{t('reload')}</Button>
      </Head>
      <Loaded load={first}>
        {() =>
          shown.length === 0 && !narrowed && !isOn(filter) ? (
            <div class="card">
              <Nothing title={t('admin_letters_none')} about={t('admin_letters_none_about')} />
            </div>
          ) : (
            <>
              <Filters channels={channels} filter={filter} onChange={narrow} />
              {write && (
                <div class="row wrap" role="group" aria-label={t('admin_letter_replay')}>
                  <Button main disabled={chosen.length === 0 || busy} onClick={() => void replay(shown.filter((l) => chosen.includes(l.id)))}>
                    {t('admin_letter_replay_chosen', { n: chosen.length })}
                  </Button>
                  <Button disabled={open.length === 0 || busy} onClick={() => void rest().then((more) => replay([...open, ...more]))}>
                    {t('admin_letter_replay_all', { n: open.length + (next ? '+' : '') })}
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
                  <label class="row small letter-reason">
                    {t('admin_letter_reason')}
                    <input class="input" dir="auto" maxLength={1000} value={reason} onInput={(e) => explain(e.currentTarget.value)} />
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
                    {...(write && !busy ? { onReplay: () => void replay([l]) } : {})}
                    {...(write && !busy && may(session, 'conversations.write') && canEdit(l) ? { onEdit: () => edit(l) } : {})}
                  />
                ))}
              </ul>
              {next && (
                <div>
                  <Button onClick={() => void further()}>{t('admin_more')}</Button>
                </div>
              )}
            </>
          )
        }
      </Loaded>
      {edited && <EditLetter letter={edited} reason={reason} onClose={() => edit(null)} onSent={() => (tell(edited, true, t('admin_letter_sent')), edit(null))} />}
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

interface LetterProps {
  letter: DeadLetter
  channel: Channel | undefined
  chosen: boolean
  onChoose(on: boolean): void
  done: { ok: boolean; words: string } | undefined
  onReplay?: () => void
  onEdit?: () => void
}

function Letter({ letter: l, channel, chosen, onChoose, done, onReplay, onEdit }: LetterProps) {
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
        {onEdit && !done?.ok && (
          <Button tight onClick={onEdit}>
            {t('admin_letter_edit')}
          </Button>
        )}
        {onReplay && !done?.ok && (
          <Button tight onClick={onReplay}>
            {t('admin_letter_replay')}
          </Button>
        )}
      </div>
    </li>
  )
}
