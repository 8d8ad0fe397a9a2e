import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Button } from '../parts/controls'
import { csv, save } from '../parts/save'
import { useLoad, useT, useWorld } from '../parts/world'
import { curveOf, lineOf, measures, scale, spanAt, titleOf, week, type Curve, type LiveQueue, type Point } from './model'

const height = 190
const usual = 560 // wide, until it is measured
const pad = { top: 12, end: 10, bottom: 24, start: 40 }

// Charts show the last four hours beside the same hours a week ago.
export function Charts({ queues, paused, now }: { queues: readonly LiveQueue[]; paused: boolean; now: number }) {
  const t = useT()
  const { api, i18n } = useWorld()
  const [queue, set] = useState('')
  const { from, to } = spanAt(now)
  const minute = Math.floor(now / 60_000)
  const [turn, next] = useState(minute)
  useEffect(() => {
    if (!paused) next(minute)
  }, [minute, paused])
  const series = useLoad(
    async (signal) => {
      const read = async (shift: number) => {
        const q = { from: new Date(from - shift).toISOString(), to: new Date(to - shift).toISOString(), step: '15m', queue }
        return (await api.get<{ series: Point[] }>('/v1/reports/history', q, signal)).series
      }
      const [now, before] = await Promise.all([read(0), read(week)])
      return { now, before }
    },
    [turn, queue],
  )
  const curves = series.value && measures.map((m) => curveOf(m, series.value!.now, series.value!.before))
  const table = (list: readonly Curve[]) => {
    const heads = list.flatMap((c) => [t('wall_chart_' + c.measure), `${t('wall_chart_' + c.measure)} (${t('wall_week_ago')})`])
    return csv([[t('wall_from'), ...heads], ...list[0]!.times.map((at, i) => [new Date(at).toISOString(), ...list.flatMap((c) => [c.now[i], c.before[i]])])])
  }
  return (
    <section class="stack" aria-labelledby="wall-charts">
      <div class="page-head">
        <h2 id="wall-charts">{t('wall_charts')}</h2>
        <span class="grow" />
        <select class="input chart-queue" aria-label={t('wall_chart_queue')} value={queue} onChange={(e) => set(e.currentTarget.value)}>
          <option value="">{t('wall_all')}</option>
          {queues.map((q) => (
            <option key={q.name} value={q.name}>
              {titleOf(q)}
            </option>
          ))}
        </select>
        <Button tight icon="file" disabled={!curves} onClick={() => curves && save('dragoman-history.csv', 'text/csv;charset=utf-8', table(curves))}>
          {t('wall_csv')}
        </Button>
      </div>
      <p class="small soft chart-key">
        <span class="key-now" aria-hidden="true" /> {t('wall_last_hours')} <span class="key-before" aria-hidden="true" /> {t('wall_week_ago')} ({i18n.date(new Date(from - week))})
      </p>
      {series.error && <p class="notice bad">{series.error.message}</p>}
      <div class="charts">{curves?.map((c) => <Chart key={c.measure} c={c} />)}</div>
    </section>
  )
}

// useWidth draws at the size that is seen, so that words keep theirs.
function useWidth(): [{ current: SVGSVGElement | null }, number] {
  const el = useRef<SVGSVGElement>(null)
  const [width, set] = useState(usual)
  useLayoutEffect(() => {
    const look = () => set(Math.max(200, Math.round(el.current!.clientWidth)))
    look()
    const size = new ResizeObserver(look)
    size.observe(el.current!)
    return () => size.disconnect()
  }, [])
  return [el, width]
}

// Chart is a picture of a curve, and its table for everybody.
function Chart({ c }: { c: Curve }) {
  const t = useT()
  const { i18n } = useWorld()
  const [at, point] = useState(-1)
  const [picture, width] = useWidth()
  const seconds = c.measure === 'first_reply_p50'
  const word = (v: number | null) => (v === null ? '–' : seconds ? i18n.span(v * 1000) : i18n.number(v))
  const { top, step } = scale([...c.now, ...c.before])
  const x = (i: number) => pad.start + (i * (width - pad.start - pad.end)) / Math.max(1, c.times.length - 1)
  const y = (v: number) => height - pad.bottom - (v * (height - pad.top - pad.bottom)) / top
  const lines = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step)
  const clock = (i: number) => i18n.time(new Date(c.times[i]!))
  const title = t('wall_chart_' + c.measure)
  const shown = at >= 0 ? at : c.times.length - 1
  const follow = (e: PointerEvent) => {
    const box = (e.currentTarget as SVGElement).getBoundingClientRect()
    const i = Math.round((((e.clientX - box.left) / box.width) * width - pad.start) / ((width - pad.start - pad.end) / Math.max(1, c.times.length - 1)))
    point(Math.max(0, Math.min(c.times.length - 1, i)))
  }
  return (
    <figure class="card chart">
      <figcaption>
        <h3>{title}</h3>
        <p class="small soft number">{shown >= 0 && t('wall_point', { at: clock(shown), now: word(c.now[shown]!), before: word(c.before[shown]!) })}</p>
      </figcaption>
      <svg ref={picture} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={t('wall_chart_about', { title })} direction="ltr" onPointerMove={follow} onPointerLeave={() => point(-1)}>
        {lines.map((v) => (
          <g key={v}>
            <line x1={pad.start} x2={width - pad.end} y1={y(v)} y2={y(v)} class="chart-grid" />
            <text x={pad.start - 6} y={y(v) + 4} text-anchor="end">
              {word(v)}
            </text>
          </g>
        ))}
        {c.times.map((_, i) =>
          i % (width < 400 ? 8 : 4) === 0 ? (
            <text key={i} x={x(i)} y={height - 6} text-anchor={i === 0 ? 'start' : 'middle'}>
              {clock(i)}
            </text>
          ) : null,
        )}
        <path d={lineOf(c.before, x, y)} class="chart-before" />
        <path d={lineOf(c.now, x, y)} class="chart-now" />
        {at >= 0 && <line x1={x(at)} x2={x(at)} y1={pad.top} y2={height - pad.bottom} class="chart-at" />}
      </svg>
      <details>
        <summary>{t('wall_table')}</summary>
        <div class="chart-table" tabIndex={0} role="region" aria-label={title}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('wall_from')}</th>
                <th scope="col">{t('wall_today')}</th>
                <th scope="col">{t('wall_week_ago')}</th>
              </tr>
            </thead>
            <tbody>
              {c.times.map((_, i) => (
                <tr key={i}>
                  <th scope="row">{clock(i)}</th>
                  <td class="number">{word(c.now[i]!)}</td>
                  <td class="number">{word(c.before[i]!)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  )
}
