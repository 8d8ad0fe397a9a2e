import { useLayoutEffect, useMemo, useReducer, useState } from 'preact/hooks'
import { Badge, Button, Empty } from '../parts/controls'
import { Icon } from '../parts/icon'
import { Menu } from '../parts/overlays'
import { save } from '../parts/save'
import { WindowList } from '../parts/window'
import { useKeys, useT, useWorld } from '../parts/world'
import { curl, everything, exported, kinds, shows, type Entry, type Filter, type Recorder } from './record'

const rowHeight = 46

// Inspector shows all that went over the wire, in order.
export function Inspector({ rec, onReplay }: { rec: Recorder; onReplay(n: number, same: boolean): Promise<void> }) {
  const t = useT()
  const [, again] = useReducer((n: number, _: void) => n + 1, 0)
  useLayoutEffect(() => rec.on(() => again()), [rec])
  const [filter, set] = useState<Filter>(everything)
  const [chosen, choose] = useState(0)
  const [stay, follow] = useState(true)
  const all = rec.entries
  const shown = useMemo(() => all.filter((e) => shows(filter, e)), [all, filter])
  const entry = rec.find(chosen)
  const at = entry ? shown.findIndex((e) => e.n === chosen) : stay ? shown.length - 1 : -1
  const step = (by: number) => {
    const next = shown[Math.max(0, Math.min(shown.length - 1, (entry ? at : shown.length) + by))]
    if (next) choose(next.n)
  }
  useKeys([
    { id: 'lab.next', keys: 'j', title: t('playground_next'), group: t('playground_inspector'), run: () => step(1) },
    { id: 'lab.previous', keys: 'k', title: t('playground_previous'), group: t('playground_inspector'), run: () => step(-1) },
    { id: 'lab.pause', keys: 'p', title: t(rec.paused ? 'playground_resume' : 'playground_pause'), group: t('playground_inspector'), run: () => rec.pause(!rec.paused) },
  ])
  return (
    <section class="lab-pane lab-inspector" aria-labelledby="lab-inspector">
      <h2 id="lab-inspector" class="lab-head">
        <Icon name="eye" /> {t('playground_inspector')}
        <span class="grow" />
        <Button tight pressed={rec.paused} onClick={() => rec.pause(!rec.paused)}>
          {t(rec.paused ? 'playground_resume' : 'playground_pause')}
        </Button>
        <Button tight icon="trash" title={t('playground_clear')} onClick={() => (rec.clear(), choose(0))} />
        <Button tight icon="file" title={t('playground_export')} disabled={all.length === 0} onClick={() => save('dragoman-playground.json', 'application/json', exported(all, location.origin, new Date()))} />
      </h2>
      <Filters filter={filter} onChange={set} />
      <p class="small soft lab-count" role="status">
        {t('playground_count', { n: shown.length, all: all.length })}
        {rec.paused && ` · ${t('playground_missed', { n: rec.missed })}`}
        {rec.dropped > 0 && ` · ${t('playground_dropped', { n: rec.dropped })}`}
      </p>
      <div class={'lab-split' + (entry ? ' open' : '')}>
        <div class="lab-list" onWheel={() => follow(false)}>
          {shown.length === 0 ? (
            <Empty title={t(all.length ? 'playground_no_match' : 'playground_empty')} />
          ) : (
            <WindowList items={shown} height={rowHeight} keyOf={(e) => String(e.n)} label={t('playground_inspector')} {...(at >= 0 ? { at } : {})} row={(e) => <Row e={e} tint={rec.tint(e.action)} chosen={entry} onChoose={() => choose(e.n === chosen ? 0 : e.n)} />} />
          )}
        </div>
        {entry && <Details e={entry} rec={rec} onShow={choose} onOnly={(action) => set({ ...filter, action })} only={filter.action !== ''} onReplay={onReplay} onClose={() => choose(0)} />}
      </div>
    </section>
  )
}

function Filters({ filter, onChange }: { filter: Filter; onChange(f: Filter): void }) {
  const t = useT()
  const flip = (k: Filter['kinds'] extends ReadonlySet<infer K> ? K : never) => {
    const next = new Set(filter.kinds)
    if (!next.delete(k)) next.add(k)
    onChange({ ...filter, kinds: next })
  }
  return (
    <div class="lab-filters">
      <div class="row wrap" role="group" aria-label={t('playground_kinds')}>
        {kinds.map((k) => (
          <Button key={k} tight pressed={filter.kinds.has(k)} onClick={() => flip(k)}>
            {t('playground_kind_' + k)}
          </Button>
        ))}
      </div>
      <div class="lab-fields">
        <input class="input" type="search" aria-label={t('playground_filter_text')} placeholder={t('playground_filter_text')} value={filter.text} onInput={(e) => onChange({ ...filter, text: e.currentTarget.value })} />
        <input class="input lab-seq" aria-label={t('playground_filter_seq')} placeholder={t('playground_seq')} value={filter.seq} inputMode="numeric" onInput={(e) => onChange({ ...filter, seq: e.currentTarget.value })} />
        <select class="input lab-side" aria-label={t('playground_filter_side')} value={filter.side} onChange={(e) => onChange({ ...filter, side: e.currentTarget.value as Filter['side'] })}>
          <option value="">{t('playground_both')}</option>
          <option value="consumer">{t('playground_consumer')}</option>
          <option value="agent">{t('playground_agent')}</option>
        </select>
      </div>
      {filter.action && (
        <p class="notice small">
          <span class="grow cut">{t('playground_only_action', { action: filter.action.slice(-8) })}</span>
          <Button tight plain icon="close" title={t('playground_all_again')} onClick={() => onChange({ ...filter, action: '' })} />
        </p>
      )}
    </div>
  )
}

const time = (at: number) => new Date(at).toISOString().slice(11, 23)

function Row({ e, tint, chosen, onChoose }: { e: Entry; tint: number; chosen: Entry | undefined; onChoose(): void }) {
  const t = useT()
  const kin = chosen !== undefined && chosen.action !== '' && chosen.action === e.action
  const bad = e.kind === 'reply' && (e.status === 0 || e.status! >= 400)
  return (
    <button type="button" class={'wire-row ' + e.side + (kin ? ' kin' : '')} aria-pressed={chosen?.n === e.n} onClick={onChoose}>
      <span class={'wire-mark m' + tint} title={e.action} aria-hidden="true" />
      <span class="wire-kind">
        <span class="wire-arrow" aria-hidden="true">
          {e.kind === 'request' ? '→' : e.kind === 'reply' ? '←' : '↓'}
        </span>
        <span class="hidden-text">{t('playground_' + e.side)} </span>
        {t('playground_kind_' + e.kind)}
      </span>
      <span class={'wire-title' + (bad ? ' bad' : '')} dir="ltr">
        {e.title}
      </span>
      <span class="wire-side small" aria-hidden="true">
        {t('playground_' + e.side)}
      </span>
      <span class="wire-more number small" dir="ltr">
        {e.seq !== undefined && `#${e.seq} `}
        {e.ms !== undefined && `${Math.round(e.ms)} ms `}
        {time(e.at)}
      </span>
    </button>
  )
}

interface DetailsProps {
  e: Entry
  rec: Recorder
  only: boolean
  onShow(n: number): void
  onOnly(action: string): void
  onReplay(n: number, same: boolean): Promise<void>
  onClose(): void
}

function Details({ e, rec, only, onShow, onOnly, onReplay, onClose }: DetailsProps) {
  const t = useT()
  const { toasts } = useWorld()
  const request = e.kind === 'request' ? e : e.request ? rec.find(e.request) : undefined
  const kin = e.action ? rec.entries.filter((x) => x.action === e.action && x.n !== e.n) : []
  const cause = kin.find((x) => x.kind === 'request')
  const copy = async (text: string) => {
    try {
      await navigator.clipboard.writeText(text)
      toasts.show(t('playground_copied'))
    } catch {
      toasts.show(t('playground_not_copied'), { bad: true })
    }
  }
  return (
    <div class="wire-details" role="region" aria-label={t('playground_details')} onKeyDown={(k) => k.key === 'Escape' && onClose()}>
      <div class="row">
        <strong class="grow wire-name" dir="ltr">
          {e.title}
        </strong>
        <Button tight plain icon="close" title={t('close')} onClick={onClose} />
      </div>
      <div class="row wrap">
        {request && (
          <Button tight icon="file" onClick={() => void copy(curl(request, location.origin))}>
            {t('playground_curl')}
          </Button>
        )}
        {request && rec.again(request.n, true) && (
          <Menu
            title={t('playground_replay')}
            tight
            items={[
              { id: 'new', title: t('playground_replay_new'), run: () => void onReplay(request.n, false) },
              { id: 'same', title: t('playground_replay_same'), disabled: !request.headers.some(([k]) => k === 'Idempotency-Key'), run: () => void onReplay(request.n, true) },
            ]}
          >
            {t('playground_replay')}
          </Menu>
        )}
        {e.action && !only && (
          <Button tight onClick={() => onOnly(e.action)}>
            {t('playground_only')}
          </Button>
        )}
      </div>
      {kin.length > 0 && (
        <div class="stack wire-kin">
          <h3>{t(cause && e.kind !== 'request' ? 'playground_cause' : 'playground_effects')}</h3>
          <ul>
            {kin.map((x) => (
              <li key={x.n}>
                <button type="button" class="option" onClick={() => onShow(x.n)}>
                  <span class={'wire-mark m' + rec.tint(x.action)} aria-hidden="true" />
                  <Badge>{t('playground_kind_' + x.kind)}</Badge>
                  <span class="cut grow" dir="ltr">
                    {x.title}
                  </span>
                  <span class="small soft number">
                    {x.at >= e.at ? '+' : '−'}
                    {Math.abs(x.at - e.at)} ms
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
      <dl class="wire-facts">
        <Fact name={t('playground_fact_side')} value={t('playground_' + e.side)} />
        {e.action && <Fact name={t('playground_fact_action')} value={e.action} />}
        {e.pos !== undefined && <Fact name={t('playground_fact_pos')} value={String(e.pos)} />}
        {e.seq !== undefined && <Fact name={t('playground_fact_seq')} value={String(e.seq)} />}
      </dl>
      {e.headers.length > 0 && (
        <>
          <h3>{t('playground_headers')}</h3>
          <pre dir="ltr" tabIndex={0} aria-label={t('playground_headers')}>
            {e.headers.map(([k, v]) => `${k}: ${v}`).join('\n')}
          </pre>
        </>
      )}
      {e.body && (
        <>
          <h3>{t('playground_body')}</h3>
          <pre dir="ltr" tabIndex={0} aria-label={t('playground_body')}>
            {e.body}
          </pre>
          {e.cut > 0 && <p class="small soft">{t('playground_cut', { n: e.cut })}</p>}
        </>
      )}
    </div>
  )
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt class="soft">{name}</dt>
      <dd class="wire-name" dir="ltr">
        {value}
      </dd>
    </>
  )
}
