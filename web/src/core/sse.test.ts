import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { backOff, bodyOf, follow, Parser, type FollowOptions, type Frame } from './sse'

const text = ': hello\n\nid: 7\nevent: message\ndata: {"a":1}\n\n: here\nid: 9\n\nevent: typing\r\ndata: x\r\ndata: y\r\n\r\n'
const frames: Frame[] = [
  { id: '7', kind: 'message', data: '{"a":1}' },
  { id: '9', kind: 'message', data: '' },
  { id: '', kind: 'typing', data: 'x\ny' },
]

test('the parser gives the same frames however the bytes are cut', () => {
  for (let size = 1; size <= text.length; size++) {
    const p = new Parser()
    const got: Frame[] = []
    for (let i = 0; i < text.length; i += size) got.push(...p.feed(text.slice(i, i + size)))
    expect(got, `pieces of ${size}`).toEqual(frames)
  }
})

test('the wait grows, is never longer than the longest, and differs', () => {
  for (let n = 0; n < 30; n++) {
    expect(backOff(n, 20_000, () => 1)).toBeLessThanOrEqual(20_050)
    expect(backOff(n, 20_000, () => 0)).toBe(50)
  }
  expect(backOff(3, 20_000, () => 1)).toBeGreaterThan(backOff(1, 20_000, () => 1))
})

// Line is a server whose answers the test writes.
class Lines {
  asked: (string | undefined)[] = []
  answers: (() => Response)[] = []
  streams: ReadableStreamDefaultController<Uint8Array>[] = []

  stream = () =>
    new Response(
      new ReadableStream<Uint8Array>({
        start: (c) => void this.streams.push(c),
      }),
    )

  fetcher = ((_: string, init: RequestInit) => {
    this.asked.push((init.headers as Record<string, string>)['Last-Event-ID'])
    const answer = this.answers.shift()
    if (!answer) return Promise.reject(new TypeError('nobody there'))
    const res = answer()
    const stream = this.streams.at(-1)
    init.signal!.addEventListener('abort', () => {
      try {
        stream?.error(new DOMException('aborted', 'AbortError'))
      } catch {
        // it has ended already
      }
    })
    return Promise.resolve(res)
  }) as typeof fetch

  write(s: string): void {
    this.streams.at(-1)!.enqueue(new TextEncoder().encode(s))
  }
}

function client(lines: Lines, o: Partial<FollowOptions> = {}) {
  const got: string[] = []
  const run = follow({
    url: '/v1/events',
    fetcher: lines.fetcher,
    random: () => 0,
    onFrame: (f) => got.push(f.id + ':' + f.data),
    onLine: (s) => got.push(s),
    onReset: () => got.push('reset'),
    onSignedOut: () => got.push('out'),
    ...o,
  })
  return { got, run }
}

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())
const turn = () => vi.advanceTimersByTimeAsync(1)

test('a line that breaks is taken up where it was', async () => {
  const lines = new Lines()
  lines.answers = [lines.stream, lines.stream]
  const { got, run } = client(lines)
  await turn()
  lines.write('id: 4\ndata: one\n\nid: 5\n\n')
  await turn()
  lines.streams[0]!.close()
  await vi.advanceTimersByTimeAsync(60)
  lines.write('id: 6\ndata: two\n\n')
  await turn()
  run.stop()
  expect(lines.asked).toEqual([undefined, '5'])
  expect(got).toEqual(['live', '4:one', '5:', 'connecting', 'live', '6:two'])
})

test('a line that says nothing for 40 seconds is dead', async () => {
  const lines = new Lines()
  lines.answers = [lines.stream, lines.stream]
  const { run } = client(lines)
  await vi.advanceTimersByTimeAsync(39_000)
  expect(lines.asked.length).toBe(1)
  await vi.advanceTimersByTimeAsync(1_100)
  expect(lines.asked.length).toBe(2)
  run.stop()
})

test('it never gives up, says so, and comes back at once when the net does', async () => {
  const lines = new Lines()
  const wake = new EventTarget()
  const { got, run } = client(lines, { wake, random: () => 1 })
  await vi.advanceTimersByTimeAsync(20 * 60_000)
  const tries = lines.asked.length
  expect(tries).toBeGreaterThan(60)
  expect(got.at(-1)).toBe('offline')
  lines.answers = [lines.stream]
  wake.dispatchEvent(new Event('online'))
  await turn()
  expect(lines.asked.length).toBe(tries + 1)
  expect(got.at(-1)).toBe('live')
  run.stop()
})

test('401 ends it, 409 begins anew', async () => {
  const lines = new Lines()
  lines.answers = [() => new Response('', { status: 409 }), lines.stream, () => new Response('', { status: 401 })]
  const { got } = client(lines, { from: '99' })
  await vi.advanceTimersByTimeAsync(100)
  lines.streams[0]!.close()
  await vi.advanceTimersByTimeAsync(100_000)
  expect(lines.asked).toEqual(['99', undefined, undefined])
  expect(got).toEqual(['reset', 'connecting', 'live', 'connecting', 'out'])
})

test('what is not JSON is nothing, and throws nothing', () => {
  expect(['{"a":1}', '', '{"a":', 'null'].map((data) => bodyOf({ id: '1', kind: 'message', data }))).toEqual([{ a: 1 }, undefined, undefined, null])
})
