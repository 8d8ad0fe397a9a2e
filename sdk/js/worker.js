// Worker connects a flow to a hub: its sockets, registration, calls side by side, connecting again for ever.
import { AILink } from './ai.js'
import { checkFlow, handle, refuseCall, registration } from './flow.js'
import { Knowledge } from './knowledge.js'
import { Socket } from './socket.js'

const mostWaiting = 1024

export class Worker {
  #settings

  // See index.d.ts for the options. Only url, token and flow must be there.
  constructor({ url, token, flow, parsers = {}, logger = console, concurrency = 32, maxFrame = 16 << 20, callTimeout = 600_000,
    aiTimeout = 60_000, pingInterval = 20_000, pongTimeout = pingInterval, backoff = 1000, WebSocket, socketOptions = {} }) {
    checkFlow(flow)
    const base = new URL(url)
    if (!/^(wss?|https?):$/.test(base.protocol)) throw new Error(`url ${url}: want ws, wss, http or https`)
    base.protocol = base.protocol.replace('http', 'ws')
    const connect = WebSocket ? (at) => new WebSocket(at) : (at) => new Socket(at, { maxFrame, ...socketOptions })
    this.#settings = { base, token, flow, parsers, logger, concurrency, callTimeout, aiTimeout, pingInterval, pongTimeout, backoff, connect }
  }

  // run serves until the signal aborts. Running functions then see their own signal abort.
  async run({ signal = new AbortController().signal } = {}) {
    const s = this.#settings
    let wait = s.backoff
    while (!signal.aborted) {
      const session = new Session(s)
      const error = await session.serve(signal)
      if (signal.aborted) return
      if (session.healthy) wait = s.backoff
      const pause = wait / 2 + Math.random() * (wait / 2)
      s.logger.warn(`worker: connection lost, trying again in ${Math.round(pause)} ms: ${redact(error, s.token)}`)
      await sleep(pause, signal)
      wait = Math.min(2 * wait, 30 * s.backoff)
    }
  }
}

function redact(error, token) {
  const text = String(error?.message ?? error)
  return token ? text.replaceAll(encodeURIComponent(token), '***').replaceAll(token, '***') : text
}

function sleep(milliseconds, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    signal.addEventListener('abort', end, { once: true })
  })
}

// Session is one set of sockets, from both being open to one being closed.
class Session {
  healthy = false // the hub has shown life after the registration
  #s
  #rpc
  #link
  #running = 0
  #waiting = []
  #sources = []
  #reading = false
  #lost = new AbortController()

  constructor(settings) {
    this.#s = settings
  }

  // serve gives back why it ended.
  async serve(signal) {
    const names = ['rpc', 'ai', ...(Object.keys(this.#s.parsers).length > 0 ? ['parse'] : [])]
    const sockets = names.map((name) => this.#s.connect(this.#address(name)))
    const ended = new Promise((resolve) => this.#lost.signal.addEventListener('abort', resolve, { once: true }))
    const stop = () => this.#lost.abort(new Error('stopped'))
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    const closed = sockets.map((socket) => this.#watch(socket))
    let pings = []
    try {
      await Promise.race([ended, Promise.all(sockets.map(opened))])
      if (!this.#lost.signal.aborted) {
        this.#begin(...sockets)
        pings = sockets.map((socket) => this.#ping(socket))
        await ended
      }
    } catch (error) { // a socket that closes just now
      this.#lost.abort(error)
    } finally {
      for (const stopPings of pings) stopPings()
      signal.removeEventListener('abort', stop)
      for (const socket of sockets) signal.aborted || !socket.terminate ? socket.close() : socket.terminate()
      await Promise.all(closed)
    }
    return this.#lost.signal.reason
  }

  #address(name) {
    const at = new URL(this.#s.base)
    at.pathname = `${at.pathname.replace(/\/+$/, '')}/back/ws/broker/${name}/`
    at.search = `?token=${encodeURIComponent(this.#s.token ?? '')}`
    return at.href
  }

  // watch ends the session with the socket. It gives a promise of the socket's end.
  #watch(socket) {
    let why
    return new Promise((resolve) => {
      const end = (error) => {
        this.#lost.abort(error)
        resolve()
      }
      socket.addEventListener('error', ({ error, message, status }) => {
        why = status === 401 || status === 403 ? new Error(`the hub refuses the token (HTTP ${status})`)
          : error ?? new Error(message || 'socket error')
        if (!this.#rpc) end(why) // Node's own WebSocket tells of a refused connection by an error alone
      })
      socket.addEventListener('close', ({ code, reason }) => end(why ?? new Error(`closed by the hub: ${code} ${reason}`)))
    })
  }

  #begin(rpc, ai, parse) {
    this.#rpc = rpc
    this.#link = new AILink((frame) => ai.send(frame), this.#s.aiTimeout)
    this.#listen(rpc, (frame) => this.#onRPC(frame))
    this.#listen(ai, (frame) => this.#onAI(frame))
    rpc.send(JSON.stringify(registration(this.#s.flow)))
    if (parse) {
      this.#listen(parse, (frame) => this.#onParse(frame, parse))
      parse.send(JSON.stringify({ type: 'register_parsers', data: { parsers: Object.keys(this.#s.parsers) } }))
    }
    this.#s.logger.info?.(`worker: connected, flow ${this.#s.flow.name}`)
  }

  // ping finds out when a connection is dead, and gives what ends the pings. Sockets that cannot ping are left to TCP.
  #ping(socket) {
    if (!socket.ping) return () => {}
    let pong
    const came = () => {
      clearTimeout(pong)
      pong = undefined
    }
    socket.addEventListener('pong', () => {
      came()
      this.healthy = true
    })
    const pings = setInterval(() => {
      if (pong) return
      pong = setTimeout(() => this.#lost.abort(new Error('no pong')), this.#s.pongTimeout)
      socket.ping()
    }, this.#s.pingInterval)
    return () => {
      clearInterval(pings)
      came()
    }
  }

  #listen(socket, take) {
    socket.addEventListener('message', ({ data }) => {
      let frame
      try {
        frame = JSON.parse(data)
        if (typeof frame?.type !== 'string') throw new Error('no type')
      } catch (error) {
        this.#s.logger.error(`worker: bad frame from the hub: ${error.message}`)
        return
      }
      if (frame.type !== 'error') this.healthy = true
      take(frame)
    })
  }

  #onRPC(frame) {
    if (frame.type === 'rpc_request') this.#enqueue(frame.payload ?? {})
    else if (frame.type === 'error') this.#logHubError(frame)
    else this.#s.logger.warn(`worker: unknown frame from the hub: ${frame.type}`)
  }

  #onAI(frame) {
    const { logger } = this.#s
    if (frame.type === 'error') {
      if (!this.#link.fail(frame.payload)) this.#logHubError(frame)
    } else if (!frame.type.endsWith('_request_result')) logger.warn(`worker: unknown frame from the hub: ${frame.type}`)
    else if (!this.#link.deliver(frame)) logger.warn(`worker: ${frame.type} that nobody waits for`)
  }

  #onParse(frame, socket) {
    const { logger, parsers } = this.#s
    if (frame.type === 'error') this.#logHubError(frame)
    else if (!Object.hasOwn(parsers, frame.type)) logger.warn(`worker: a source that nobody can read: ${frame.type}`)
    else if (this.#sources.length >= mostWaiting) logger.error(`worker: too many sources wait: ${frame.type}`)
    else {
      this.#sources.push({ parser: frame.type, ...frame.payload })
      this.#readSources(socket)
    }
  }

  // readSources reads them one after the other. Of one that fails nothing is told, so that it stays unfinished.
  async #readSources(socket) {
    if (this.#reading) return
    this.#reading = true
    const { base, token, parsers, logger } = this.#s
    const to = new Knowledge({ url: base, token })
    const { signal } = this.#lost
    while (this.#sources.length > 0 && !signal.aborted) {
      const { parser, kb_id: kb, ds_id: id, task_id: task, url, csv, pdf } = this.#sources.shift()
      try {
        for await (const item of parsers[parser]({ id, parser, url, csv, pdf }, { signal })) {
          signal.throwIfAborted()
          await to.add({ ...item, knowledge_base: kb, data_source: id })
        }
        socket.send(JSON.stringify({ type: 'parser_finished', data: { task_id: task } }))
      } catch (error) {
        if (!signal.aborted) logger.error(`worker: source ${id} not read: ${redact(error, token)}`)
      }
    }
    this.#reading = false
  }

  #logHubError({ status, payload }) {
    this.#s.logger.error(`worker: the hub reports an error (${status}): ${JSON.stringify(payload?.errors ?? payload)}`)
  }

  #enqueue(request) {
    if (this.#lost.signal.aborted) return
    if (this.#waiting.length >= mostWaiting) {
      this.#s.logger.error(`worker: call of ${request.name} refused: too many calls`)
      if (request.ctx) refuseCall(this.#s.flow, request, (frame) => this.#rpc.send(frame))
      return
    }
    this.#waiting.push(request)
    this.#next()
  }

  #next() {
    while (this.#running < this.#s.concurrency && this.#waiting.length > 0 && !this.#lost.signal.aborted) {
      this.#running++
      this.#call(this.#waiting.shift()).finally(() => {
        this.#running--
        this.#next()
      })
    }
  }

  async #call(request) {
    const { flow, callTimeout, logger, token } = this.#s
    const call = new AbortController()
    const lost = () => call.abort(this.#lost.signal.reason)
    this.#lost.signal.addEventListener('abort', lost, { once: true })
    const timer = setTimeout(() => call.abort(new Error(`no end after ${callTimeout} ms`)), callTimeout)
    try {
      await handle(flow, request, {
        signal: call.signal, ai: (c) => this.#link.bind(c), send: (frame) => this.#rpc.send(frame),
      })
    } catch (error) {
      if (!this.#lost.signal.aborted) {
        logger.error(`worker: ${flow.name}.${request.name} failed: ${redact({ message: error?.stack ?? error }, token)}`)
      }
    } finally {
      clearTimeout(timer)
      this.#lost.signal.removeEventListener('abort', lost)
    }
  }
}

const opened = (socket) => new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }))
