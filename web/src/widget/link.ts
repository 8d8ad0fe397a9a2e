// The way to the hub: calls, the outbox, and the stream.
import { changed, kept, load, lose, outbox, save } from './keep'
import type { Config, Fault, Item, Said } from './wire'

const longest = 2e4 // milliseconds between two tries
const silence = 4e4 // a stream that says nothing for so long is dead

export interface Hears {
  came(m: Item): void // a message of theirs that is new
  typing(name: string, on: boolean): void
  line(up: boolean): void
}

const resting = new Set<() => void>()
let base: string
let lang: string
let on: Hears
let ended: AbortController
let current: AbortController | undefined
let sending: boolean
let following: boolean
let asking: Promise<string> | undefined

// begin takes up what was kept, here and by other tabs.
export const begin = (hub: string, channel: string, language: string, hears: Hears): void => {
  load(channel)
  base = `${hub}/visitor/${channel}/`
  lang = 'lang=' + language
  on = hears
  ended = new AbortController()
  sending = following = false
  const { signal } = ended
  addEventListener('online', again, { signal })
  addEventListener('storage', () => {
    const { token } = kept
    load(channel)
    changed()
    if (kept.token !== token) again()
  }, { signal })
}

// end stops every timer and connection.
export const end = (): void => {
  ended.abort()
  again()
}

// again gives up the line, which is most likely dead, and every rest.
const again = (): void => {
  current?.abort()
  resting.forEach((go) => go())
}

// call asks the hub. A token that is no longer good is given up.
export const call = async (method: string, path: string, body?: object, bare?: boolean, { signal } = ended): Promise<Response> => {
  const token = bare ? kept.token : await session()
  const r = await fetch(base + path, {
    method, signal,
    headers: { ...(token && { Authorization: 'Bearer ' + token }), ...(body && { 'Content-Type': 'application/json' }) },
    body: body && JSON.stringify(body),
  })
  if (r.ok) return r
  if (r.status === 401 && token) {
    lose()
    if (!bare) return call(method, path, body, bare, { signal } as AbortController)
  }
  throw { status: r.status } satisfies Fault
}

export const get = async <T>(path: string, bare?: boolean): Promise<T> => (await call('GET', path, undefined, bare)).json()

// post is for what may get lost.
export const post = (path: string, body: object): Promise<unknown> => call('POST', path, body).catch(() => {})

// session asks for a token, once at a time.
const session = (): Promise<string> | string => kept.token || (asking ??= take('sessions', {}).finally(() => (asking = undefined)))

const take = async (path: string, body: object): Promise<string> => {
  const { token } = await (await call('POST', path, body, true)).json()
  save({ token })
  return token
}

// identify goes on as a user of the site, or as nobody.
export const identify = async (identity: string | null): Promise<void> => {
  if (identity) await take('identify', { identity })
  else lose()
  if (following) await sync()
  again()
}

export const configure = async (): Promise<Config> => {
  const config = await get<Config>('config?' + lang, true)
  save({ config })
  return config
}

interface Page {
  pos: number
  messages: Item[]
  older?: string
  session?: { token: string }
}

export const page = (before?: string): Promise<Page> => get(`snapshot?${lang}&before=${before ?? ''}`)

const sync = async (): Promise<void> => {
  const { messages: items, session, ...s } = await page()
  save({ older: undefined, read: 0, ...s, ...session, items })
  outbox((all) => all.filter((m) => !items.some((x) => x.id === m.id)))
}

// name makes an id that nobody makes twice. (randomUUID is not there on pages without TLS.)
export const name = (): string => crypto.getRandomValues(new BigUint64Array(2)).join('-')

export const say = (m: Partial<Said>): void => {
  outbox((all) => [...all, { ...m, id: name() }])
  flush()
}

// mark notes how far a message came; without a way it is sent again.
export const mark = (id: string, way?: Said['way']): void => {
  outbox((all) => all.map((m) => (m.id === id ? { ...m, way } : m)))
  flush()
}

// flush sends what waits, one after the other. It has its own timer: the stream may be up while sending fails.
export const flush = async (): Promise<void> => {
  if (sending) return
  sending = true
  for (let tries = 0, m; !ended.signal.aborted && (m = outbox().find((x) => !x.way)); ) {
    try {
      const { names, ...body } = m
      await call('POST', 'messages', { ...body, about: { page: location.origin + location.pathname } })
      mark(m.id, 'sent')
      tries = 0
      follow()
    } catch (e) {
      const { status } = e as Fault
      if (status! > 401 && status! < 429) mark(m.id, 'failed')
      else await rest(tries++)
    }
  }
  sending = false
}

// rest waits with full jitter; the event online ends it.
const rest = (tries: number): Promise<void> =>
  new Promise((done) => {
    const go = () => {
      clearTimeout(timer)
      resting.delete(go)
      done()
    }
    const timer = setTimeout(go, Math.random() * Math.min(longest, 500 * 2 ** tries))
    resting.add(go)
  })

// follow listens to the stream, and never gives up.
export const follow = async (): Promise<void> => {
  if (following) return
  following = true
  for (let tries = 0, fresh = true; !ended.signal.aborted; tries++) {
    let timer
    current = new AbortController()
    try {
      if (fresh || !kept.pos) await sync()
      fresh = false
      const { body } = await call('GET', `stream?${lang}&after=${kept.pos}`, undefined, false, current)
      on.line(true)
      flush()
      const reader = body!.pipeThrough(new TextDecoderStream()).getReader()
      for (let text = '', chunk; ; ) {
        clearTimeout(timer)
        timer = setTimeout(() => current!.abort(), silence)
        if ((chunk = await reader.read()).done) break
        tries = 0
        const frames = (text + chunk.value).split('\n\n')
        text = frames.pop()!
        frames.map(hear)
      }
    } catch {
      // again, after a rest
    }
    clearTimeout(timer)
    if (tries) on.line(false)
    await rest(tries)
  }
}

// hear brings what is kept up to date. Everything may come twice.
const hear = (frame: string): void => {
  const [, pos, kind, data] = frame.match(/^(?:id: (.*)\n)?event: (.*)\ndata: (.*)/) ?? []
  if (!kind) return
  const d = JSON.parse(data!)
  const { items } = kept
  const had = items.find((x) => x.key === d.key)
  if (kind === 'typing') return on.typing(d.name, d.on)
  if (kind === 'reset') sync().catch(again)
  if (kind === 'read') kept.read = d.pos
  if (kind === 'state') kept.state = d
  if (had) Object.assign(had, { parts: d.parts, gone: d.gone })
  else if (kind === 'message') {
    items.push(d)
    if (d.id) outbox((all) => all.filter((x) => x.id !== d.id))
    if (d.from !== 'me') {
      kept.read = d.pos // an answer shows it
      on.came(d)
    }
  }
  save({ pos: Math.max(kept.pos!, +pos! || 0) })
}

// upload sends the bytes of a file and tells how far it is.
export const upload = async (file: File, progress: (part: number) => void): Promise<string> => {
  const token = await session()
  return new Promise((done, fail) => {
    const x = new XMLHttpRequest()
    x.open('POST', base + 'files?name=' + encodeURIComponent(file.name))
    x.setRequestHeader('Authorization', 'Bearer ' + token)
    x.upload.onprogress = (e) => progress(e.loaded / e.total)
    x.onloadend = () => (x.status === 201 ? done(JSON.parse(x.response).file) : fail())
    ended.signal.onabort = () => x.abort()
    x.send(file) // its type goes with it
  })
}
