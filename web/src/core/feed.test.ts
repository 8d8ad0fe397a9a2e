import { expect, test } from 'vitest'
import { openFeed } from './feed'
import type { FollowOptions, Frame } from './sse'

// Browser has one lock and one channel for all its tabs.
class Browser {
  tabs: { onmessage: ((e: MessageEvent) => void) | null; closed: boolean }[] = []
  waiting: (() => Promise<void> | undefined)[] = []
  held = false

  channel(): BroadcastChannel {
    const tab = {
      onmessage: null as ((e: MessageEvent) => void) | null,
      closed: false,
      postMessage: (data: unknown) => {
        for (const t of this.tabs) if (t !== tab && !t.closed) t.onmessage?.({ data: structuredClone(data) } as MessageEvent)
      },
      close: () => void (tab.closed = true),
    }
    this.tabs.push(tab)
    return tab as unknown as BroadcastChannel
  }

  locks = {
    request: (_: string, f: () => Promise<void> | undefined) => {
      this.waiting.push(f)
      void this.next()
      return Promise.resolve()
    },
  } as unknown as LockManager

  async next(): Promise<void> {
    if (this.held) return
    const f = this.waiting.shift()
    if (!f) return
    this.held = true
    await f()
    this.held = false
    void this.next()
  }
}

function tab(b: Browser | null, streams: FollowOptions[]) {
  const got: string[] = []
  const feed = openFeed({
    url: '/v1/events',
    onFrame: (f) => got.push(f.data),
    onLine: (l) => got.push('line ' + l.state),
    onReset: () => got.push('reset'),
    onSignedOut: () => got.push('out'),
    follow: (o) => {
      streams.push(o)
      return { stop() {} }
    },
    now: () => 0,
    ...(b ? { locks: b.locks, channel: b.channel() } : {}),
  })
  return { got, feed }
}

const frame = (id: number): Frame => ({ id: String(id), kind: 'message', data: 'event ' + id })

test('one connection for all tabs; when its tab closes, the next one goes on where it was', async () => {
  const b = new Browser()
  const streams: FollowOptions[] = []
  const one = tab(b, streams)
  const two = tab(b, streams)
  expect(streams.length).toBe(1)
  streams[0]!.onLine('live')
  streams[0]!.onFrame(frame(1))
  streams[0]!.onFrame({ id: '5', kind: 'message', data: '' })
  const three = tab(b, streams)
  expect(three.got).toEqual(['line live'])
  streams[0]!.onFrame(frame(6))
  expect(one.got).toEqual(['line live', 'event 1', 'event 6'])
  expect(two.got.filter((x) => x !== 'line connecting')).toEqual(['line live', 'event 1', 'line live', 'event 6'])
  one.feed.stop()
  await Promise.resolve()
  await new Promise((done) => setTimeout(done))
  expect(streams.length).toBe(2)
  expect(streams[1]!.from).toBe('6')
  streams[1]!.onFrame(frame(7))
  expect(two.got.at(-1)).toBe('event 7')
  expect(three.got.at(-1)).toBe('event 7')
  two.feed.stop()
  three.feed.stop()
})

test('a tab that slept through an event loads anew', () => {
  const b = new Browser()
  const streams: FollowOptions[] = []
  const one = tab(b, streams)
  const two = tab(b, streams)
  streams[0]!.onLine('live')
  const asleep = b.tabs[1]!
  asleep.closed = true
  streams[0]!.onFrame(frame(1))
  asleep.closed = false
  streams[0]!.onFrame(frame(2))
  expect(two.got).toContain('reset')
  one.feed.stop()
  two.feed.stop()
})

test('without locks each tab reads for itself', () => {
  const streams: FollowOptions[] = []
  tab(null, streams)
  tab(null, streams)
  expect(streams.length).toBe(2)
})
