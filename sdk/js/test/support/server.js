// A small WebSocket server, so that the tests use real sockets: it knows nothing of the client's code.
import { createHash } from 'node:crypto'
import http from 'node:http'
import { once } from 'node:events'

const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

// Mailbox gives what is put in, in its order, to who waits for it.
export class Mailbox {
  #things = []
  #takers = []

  put(thing) {
    const taker = this.#takers.shift()
    if (taker) taker(thing)
    else this.#things.push(thing)
  }

  get size() {
    return this.#things.length
  }

  take(what = 'thing', patience = 60_000) {
    if (this.#things.length > 0) return Promise.resolve(this.#things.shift())
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${what}`)), patience)
      this.#takers.push((thing) => {
        clearTimeout(timer)
        resolve(thing)
      })
    })
  }
}

// frame is one from a server: not masked.
export function frame(opcode, data, last = true) {
  const bytes = Buffer.from(data)
  const { length } = bytes
  const head = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10)
  head[0] = (last ? 0x80 : 0) | opcode
  head[1] = length < 126 ? length : length < 65536 ? 126 : 127
  if (head.length === 4) head.writeUInt16BE(length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, bytes])
}

export class Peer {
  frames = new Mailbox() // texts
  closed = new Mailbox() // { code } when the client says good-bye or goes
  pings = 0
  deaf = false // no pongs
  closing = false
  #buffer = Buffer.alloc(0)

  constructor(tcp, url) {
    this.tcp = tcp
    this.url = url
    tcp.on('data', (bytes) => {
      this.#buffer = Buffer.concat([this.#buffer, bytes])
      while (this.#frame());
    })
    tcp.on('error', () => {})
    tcp.on('end', () => tcp.end())
    tcp.on('close', () => this.closed.put({ code: 1006 }))
  }

  #frame() {
    const b = this.#buffer
    if (b.length < 2) return false
    if (!(b[1] & 0x80)) throw new Error('a client must mask')
    const short = b[1] & 0x7f
    const start = { 126: 4, 127: 10 }[short] ?? 2
    if (b.length < start + 4) return false
    const length = short < 126 ? short : short === 126 ? b.readUInt16BE(2) : Number(b.readBigUInt64BE(2))
    if (b.length < start + 4 + length) return false
    const mask = b.subarray(start, start + 4)
    const data = Buffer.from(b.subarray(start + 4, start + 4 + length))
    for (let i = 0; i < length; i++) data[i] ^= mask[i & 3]
    this.#buffer = b.subarray(start + 4 + length)
    this.#take(b[0] & 0x0f, data)
    return true
  }

  #take(opcode, data) {
    if (opcode === 1) this.frames.put(data.toString())
    if (opcode === 8) {
      this.closed.put({ code: data.length < 2 ? 1005 : data.readUInt16BE(0) })
      this.tcp.end(this.closing ? '' : frame(8, data))
    }
    if (opcode === 9) {
      this.pings++
      if (!this.deaf) this.tcp.write(frame(10, data))
    }
  }

  send(value) {
    this.tcp.write(frame(1, typeof value === 'string' ? value : JSON.stringify(value)))
  }

  close(code, reason = '') {
    this.closing = true
    const data = Buffer.alloc(2)
    data.writeUInt16BE(code)
    this.tcp.write(frame(8, Buffer.concat([data, Buffer.from(reason)])))
  }

  async next(what) {
    return JSON.parse(await this.frames.take(what ?? 'frame'))
  }
}

// listen starts a server until the test ends. accept gets each handshake's URL and gives false, an HTTP status, or
// the mailbox that wants the peer; answer is for plain HTTP.
export async function listen(t, accept, answer = (_, response) => response.writeHead(404).end()) {
  const server = http.createServer(answer)
  const sockets = new Set()
  server.on('connection', (tcp) => {
    sockets.add(tcp)
    tcp.on('close', () => sockets.delete(tcp))
  })
  server.on('upgrade', (request, tcp) => {
    const to = accept(request.url)
    if (!(to instanceof Mailbox)) {
      tcp.end(`HTTP/1.1 ${to || 404} No\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    const proof = createHash('sha1').update(request.headers['sec-websocket-key'] + magic).digest('base64')
    tcp.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${proof}\r\n\r\n`)
    to.put(new Peer(tcp, request.url))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const tcp of sockets) tcp.destroy()
    server.close()
  })
  return `127.0.0.1:${server.address().port}`
}

// startHub plays the hub's side for workers and runs one worker of the flow until the test ends.
export async function startHub(t, Worker, flow, options = {}) {
  const hub = { rpc: new Mailbox(), ai: new Mailbox(), log: [] }
  const host = await listen(t, (url) => {
    const { pathname, searchParams } = new URL(url, 'http://hub')
    if (searchParams.get('token') !== 's3cret/+') return 403
    return { '/hub/back/ws/broker/rpc/': hub.rpc, '/hub/back/ws/broker/ai/': hub.ai }[pathname]
  })
  const log = (line) => hub.log.push(line)
  const worker = new Worker({
    url: `http://${host}/hub`, token: 's3cret/+', flow, backoff: 10, logger: { info: log, warn: log, error: log }, ...options,
  })
  const stop = new AbortController()
  const ended = worker.run({ signal: stop.signal })
  hub.stop = async () => {
    stop.abort()
    await ended
    if (hub.log.join('\n').includes('s3cret')) throw new Error(`the token is in the log: ${hub.log}`)
  }
  t.after(hub.stop)
  return hub
}

// eventually polls for what no mailbox tells.
export async function eventually(what, ok) {
  const deadline = AbortSignal.timeout(60_000)
  while (!ok()) {
    if (deadline.aborted) throw new Error(`not in time: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
