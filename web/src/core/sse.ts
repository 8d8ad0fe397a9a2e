// Frame is one server-sent event. Without data it only moves the position.
export interface Frame {
  id: string
  kind: string
  data: string
}

// bodyOf reads what a frame tells; undefined: it is not JSON, and takes nothing with it.
export function bodyOf<T>(f: Frame): T | undefined {
  try {
    return JSON.parse(f.data) as T
  } catch {
    return undefined
  }
}

// Parser takes the bytes of a stream as they come and gives whole frames (WHATWG HTML, section 9.2).
export class Parser {
  private rest = ''
  private frame: Frame = { id: '', kind: 'message', data: '' }
  private touched = false

  feed(chunk: string): Frame[] {
    const lines = (this.rest + chunk).split(/\r\n|\n|\r(?!$)/)
    this.rest = lines.pop()!
    const out: Frame[] = []
    for (const line of lines) {
      if (line === '') {
        if (this.touched) out.push(this.frame)
        this.frame = { id: '', kind: 'message', data: '' }
        this.touched = false
      } else this.line(line)
    }
    return out
  }

  private line(line: string): void {
    if (line.startsWith(':')) return
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1))
    if (name === 'id') this.frame.id = value
    else if (name === 'event') this.frame.kind = value
    else if (name === 'data') this.frame.data += (this.frame.data && '\n') + value
    else return
    this.touched = true
  }
}

// Line is how the stream stands. Since is when it became so (milliseconds).
export type Line = { state: 'live' | 'connecting' | 'offline'; since: number }

export interface FollowOptions {
  url: string
  from?: string // the position to resume after; '' begins now
  onFrame(f: Frame): void
  onLine(state: Line['state']): void
  onReset(): void // the position is of another log: load everything anew
  onSignedOut(): void
  fetcher?: typeof fetch
  silence?: number // a line that says nothing for so long is dead; 40 s
  longest?: number // between two tries; 20 s
  random?: () => number
  wake?: EventTarget // its event online ends a wait
}

// follow reads the stream until stop is called: it resumes where it was, and never gives up.
export function follow(o: FollowOptions): { stop(): void } {
  const fetcher = o.fetcher ?? ((...a: Parameters<typeof fetch>) => fetch(...a))
  const random = o.random ?? Math.random
  let position = o.from ?? ''
  let stopped = false
  let current: AbortController | undefined
  let wakeUp: () => void = () => {}

  const rest = (ms: number) =>
    new Promise<void>((done) => {
      const timer = setTimeout(done, ms)
      wakeUp = () => {
        clearTimeout(timer)
        done()
      }
    })
  const online = () => {
    wakeUp()
    current?.abort() // a line from before the cut is most likely dead
  }
  o.wake?.addEventListener('online', online)

  // one connection; answers whether it was live
  const connect = async (): Promise<boolean> => {
    const stop = (current = new AbortController())
    let watchdog = setTimeout(() => stop.abort(), o.silence ?? 40_000)
    const heard = () => {
      clearTimeout(watchdog)
      watchdog = setTimeout(() => stop.abort(), o.silence ?? 40_000)
    }
    try {
      const headers: Record<string, string> = { Accept: 'text/event-stream' }
      if (position) headers['Last-Event-ID'] = position
      const res = await fetcher(o.url, { headers, signal: stop.signal, credentials: 'same-origin', cache: 'no-store' })
      if (res.status === 401) {
        stopped = true
        o.onSignedOut()
        return false
      }
      if (res.status === 409) {
        position = ''
        o.onReset()
        return true
      }
      if (!res.ok || !res.body) return false
      const parser = new Parser()
      const reader = res.body.pipeThrough(new TextDecoderStream()).getReader()
      heard()
      o.onLine('live')
      for (;;) {
        const { done, value } = await reader.read()
        if (done || stopped) return true
        heard()
        for (const f of parser.feed(value)) {
          if (f.id) position = f.id
          o.onFrame(f)
        }
      }
    } catch {
      return false
    } finally {
      clearTimeout(watchdog)
      stop.abort()
    }
  }

  const run = async () => {
    for (let failures = 0; !stopped; ) {
      const began = Date.now()
      const wasLive = await connect()
      if (stopped) return
      failures = wasLive || Date.now() - began > 10_000 ? 0 : failures + 1
      o.onLine(failures > 1 ? 'offline' : 'connecting')
      await rest(backOff(failures, o.longest ?? 20_000, random))
    }
  }
  void run()
  return {
    stop() {
      stopped = true
      o.wake?.removeEventListener('online', online)
      current?.abort()
      wakeUp()
    },
  }
}

// backOff has full jitter: all browsers of a hub that was restarted do not come back in the same instant.
export function backOff(failures: number, longest: number, random: () => number): number {
  return 50 + random() * Math.min(longest, 250 * 2 ** Math.min(failures, 12))
}
