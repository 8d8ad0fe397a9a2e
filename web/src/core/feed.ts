import { follow, type FollowOptions, type Frame, type Line } from './sse'

// What the tabs of one browser say to each other.
type Word =
  | { say: 'frame'; n: number; frame: Frame }
  | { say: 'line'; n: number; state: Line['state']; position: string }
  | { say: 'reset' }
  | { say: 'who' } // a tab that came asks how things are
  | { say: 'out' }

export interface FeedOptions {
  url: string
  onFrame(f: Frame): void
  onLine(l: Line): void
  onReset(): void
  onSignedOut(): void
  follow?: (o: FollowOptions) => { stop(): void }
  locks?: LockManager | undefined
  channel?: BroadcastChannel | undefined
  now?: () => number
  wake?: EventTarget
}

// openFeed gives the live events to this tab. All tabs of a browser share one connection: the one with the lock reads and tells the
// others, and when it goes, the next takes over where it was. Without locks (an insecure origin) each tab reads for itself.
export function openFeed(o: FeedOptions): { stop(): void } {
  const now = o.now ?? Date.now
  const start = o.follow ?? follow
  let position = ''
  let line: Line = { state: 'connecting', since: now() }
  let heard = -1 // the leader's counter
  let count = 0 // ours, as leader
  let leading = false
  let stopped = false
  let reader: { stop(): void } | undefined
  let giveUpLock: () => void = () => {}
  const tell = (w: Word) => o.channel?.postMessage(w)
  const setLine = (state: Line['state']) => {
    if (state !== line.state) line = { state, since: now() }
    o.onLine(line)
  }
  const take = (f: Frame) => {
    if (f.id) position = f.id
    if (f.data) o.onFrame(f)
  }

  const lead = () => {
    leading = true
    reader = start({
      url: o.url,
      from: position,
      ...(o.wake ? { wake: o.wake } : {}),
      onFrame(f) {
        tell({ say: 'frame', n: ++count, frame: f })
        take(f)
      },
      onLine(state) {
        setLine(state)
        tell({ say: 'line', n: count, state, position })
      },
      onReset() {
        tell({ say: 'reset' })
        o.onReset()
      },
      onSignedOut() {
        tell({ say: 'out' })
        o.onSignedOut()
      },
    })
  }

  const hear = (w: Word) => {
    if (w.say === 'who') {
      if (leading) tell({ say: 'line', n: count, state: line.state, position })
      return
    }
    if (leading) return
    if (w.say === 'reset') o.onReset()
    else if (w.say === 'out') o.onSignedOut()
    else {
      // a number that was skipped is an event that this tab slept through
      const gap = heard >= 0 && w.n > heard + (w.say === 'frame' ? 1 : 0)
      heard = w.n
      if (w.say === 'frame') take(w.frame)
      else {
        if (w.position) position = w.position
        setLine(w.state)
      }
      if (gap) o.onReset()
    }
  }

  if (o.channel) o.channel.onmessage = (e: MessageEvent<Word>) => !stopped && hear(e.data)
  if (o.locks && o.channel) {
    tell({ say: 'who' })
    void o.locks.request('dragoman-feed', () => {
      if (stopped) return undefined
      heard = -1
      lead()
      return new Promise<void>((done) => (giveUpLock = done))
    })
  } else lead()

  return {
    stop() {
      stopped = true
      reader?.stop()
      o.channel?.close()
      giveUpLock()
    },
  }
}

// shared finds what the browser offers for sharing; nothing on an insecure origin.
export function shared(): Pick<FeedOptions, 'locks' | 'channel' | 'wake'> {
  const locks = typeof navigator !== 'undefined' ? (navigator as Partial<Navigator>).locks : undefined
  const channel = locks && typeof BroadcastChannel !== 'undefined' ? new BroadcastChannel('dragoman-feed') : undefined
  return { locks, channel, wake: window }
}
