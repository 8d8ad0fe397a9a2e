import './extra.css'
import { useT } from './world'

export interface DiffLine {
  kind: 'same' | 'added' | 'gone'
  text: string
}

// diffLines compares two texts by lines. What is too much to compare in detail is shown as a block that went and a block that came.
export function diffLines(before: string, after: string, limit = 4_000_000): DiffLine[] {
  const a = before.split('\n')
  const b = after.split('\n')
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  const same = (text: string): DiffLine => ({ kind: 'same', text })
  return [...a.slice(0, head).map(same), ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail), limit), ...a.slice(a.length - tail).map(same)]
}

// middle finds the longest common sequence of lines by the table of its lengths.
function middle(a: string[], b: string[], limit: number): DiffLine[] {
  const gone = (text: string): DiffLine => ({ kind: 'gone', text })
  const added = (text: string): DiffLine => ({ kind: 'added', text })
  if (a.length * b.length > limit) return [...a.map(gone), ...b.map(added)]
  const w = b.length + 1
  const table = new Uint32Array((a.length + 1) * w)
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      table[i * w + j] = a[i] === b[j] ? table[(i + 1) * w + j + 1]! + 1 : Math.max(table[(i + 1) * w + j]!, table[i * w + j + 1]!)
  const out: DiffLine[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) out.push({ kind: 'same', text: a[i]! }), i++, j++
    else if (i < a.length && (j === b.length || table[(i + 1) * w + j]! >= table[i * w + j + 1]!)) out.push(gone(a[i++]!))
    else out.push(added(b[j++]!))
  }
  return out
}

// folded leaves out what is far from any change; a number stands for so many lines.
export function folded(lines: DiffLine[], around = 3): (DiffLine | number)[] {
  const near = lines.map(() => false)
  lines.forEach((l, i) => {
    if (l.kind !== 'same') near.fill(true, Math.max(0, i - around), i + around + 1)
  })
  const out: (DiffLine | number)[] = []
  lines.forEach((l, i) => {
    const last = out.at(-1)
    if (near[i]) out.push(l)
    else if (typeof last === 'number') out[out.length - 1] = last + 1
    else out.push(1)
  })
  return out
}

// LineDiff shows how a text became another one.
export function LineDiff({ before, after, label }: { before: string; after: string; label: string }) {
  const t = useT()
  if (before === after) return <p class="soft">{t('diff_same')}</p>
  const sign = { same: ' ', added: '+', gone: '−' }
  return (
    <div class="diff" role="region" aria-label={label} tabIndex={0} dir="ltr">
      <ol>
        {folded(diffLines(before, after)).map((l, i) =>
          typeof l === 'number' ? (
            <li key={i} class="skipped">
              <span class="sign" aria-hidden="true">
                ⋯
              </span>
              {t('diff_skipped', { n: l })}
            </li>
          ) : (
            <li key={i} class={l.kind}>
              <span class="sign" aria-hidden="true">
                {sign[l.kind]}
              </span>
              {l.kind !== 'same' && <span class="hidden-text">{t('diff_' + l.kind)} </span>}
              {l.text || ' '}
            </li>
          ),
        )}
      </ol>
    </div>
  )
}

export interface Change {
  path: string
  before?: unknown
  after?: unknown
}

// changesOf lists what differs between two JSON values, each at its path.
export function changesOf(before: unknown, after: unknown, path = ''): Change[] {
  if (same(before, after)) return []
  if ((isObject(before) || before === undefined) && (isObject(after) || after === undefined)) {
    const keys = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])]
    return keys.flatMap((k) => changesOf(before?.[k], after?.[k], path ? path + '.' + k : k))
  }
  return [{ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }]
}

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v)

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((x, i) => same(x, b[i]))
  if (!isObject(a) || !isObject(b)) return false
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].every((k) => same(a[k], b[k]))
}

// inWords writes a value for people.
export function inWords(v: unknown): string {
  if (v === undefined || v === null || v === '') return '—'
  if (Array.isArray(v)) return v.length === 0 ? '—' : v.map(inWords).join(', ')
  return typeof v === 'object' ? JSON.stringify(v) : String(v)
}

// Changes is a difference as a table: what, before, afterwards.
export function Changes({ changes, titleOf = (path) => path, wordsOf = (_path, v) => inWords(v), label }: { changes: Change[]; titleOf?(path: string): string; wordsOf?(path: string, v: unknown): string; label: string }) {
  const t = useT()
  return (
    <div class="table-box" role="region" aria-label={label} tabIndex={0}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t('diff_what')}</th>
            <th scope="col">{t('diff_before')}</th>
            <th scope="col">{t('diff_after')}</th>
          </tr>
        </thead>
        <tbody>
          {changes.map((c) => (
            <tr key={c.path}>
              <th scope="row">{titleOf(c.path)}</th>
              <td>{c.before === undefined ? '—' : <del class="was">{wordsOf(c.path, c.before)}</del>}</td>
              <td>{c.after === undefined ? '—' : <ins class="is">{wordsOf(c.path, c.after)}</ins>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
