// A WebSocket client for Node (RFC 6455), for Node 20 has none and later ones cannot ping. It has the parts of
// the browser's interface that the SDK uses, and ping, terminate and the event "pong" beyond them.
import { createHash, randomBytes } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'

const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const op = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 }
const closeTimeout = 5000

export class Socket extends EventTarget {
  static CONNECTING = 0
  static OPEN = 1
  static CLOSING = 2
  static CLOSED = 3

  readyState = Socket.CONNECTING
  #request
  #tcp
  #reader
  #closed = { code: 1006, reason: '' }
  #timer

  // options: maxFrame in bytes (16 MiB), handshakeTimeout in ms (10 s), headers, tls (of node:tls).
  constructor(url, { maxFrame = 16 << 20, handshakeTimeout = 10_000, headers = {}, tls = {} } = {}) {
    super()
    const at = new URL(url)
    at.protocol = { 'ws:': 'http:', 'wss:': 'https:' }[at.protocol] ?? at.protocol
    const key = randomBytes(16).toString('base64')
    this.#reader = new Reader(maxFrame)
    this.#request = (at.protocol === 'https:' ? https : http).request(at, {
      ...tls, agent: false, timeout: handshakeTimeout,
      headers: {
        ...headers, Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': key, 'Sec-WebSocket-Version': '13',
      },
    })
    this.#request.on('upgrade', (response, tcp, head) => this.#upgraded(response, tcp, head, key))
    this.#request.on('response', (response) => {
      response.resume()
      this.#fail(new Error(`handshake refused: HTTP ${response.statusCode}`), { status: response.statusCode })
    })
    this.#request.on('timeout', () => this.#fail(new Error('handshake timed out')))
    this.#request.on('error', (error) => this.#fail(error))
    this.#request.end()
  }

  // send takes a text.
  send(text) {
    if (this.readyState !== Socket.OPEN) throw new Error('the socket is not open')
    this.#write(op.text, Buffer.from(text))
  }

  ping() {
    if (this.readyState === Socket.OPEN) this.#write(op.ping, Buffer.alloc(0))
  }

  // close asks the other side to close too, and tears the connection when it does not.
  close(code = 1000, reason = '') {
    if (this.readyState === Socket.CONNECTING) this.#fail(new Error('closed before it was open'))
    if (this.readyState !== Socket.OPEN) return
    this.readyState = Socket.CLOSING
    this.#writeClose(code, reason)
    this.#timer = setTimeout(() => this.terminate(), closeTimeout)
    this.#timer.unref()
  }

  terminate() {
    if (this.readyState === Socket.CLOSED) return
    this.#request.destroy()
    this.#tcp?.destroy()
    this.#end()
  }

  #upgraded(response, tcp, head, key) {
    if (this.readyState !== Socket.CONNECTING) {
      tcp.destroy()
      return
    }
    this.#tcp = tcp
    const proof = createHash('sha1').update(key + magic).digest('base64')
    if (response.headers['sec-websocket-accept'] !== proof) {
      this.#fail(new Error('handshake refused: wrong Sec-WebSocket-Accept'))
      return
    }
    tcp.setTimeout(0)
    tcp.setNoDelay(true)
    this.readyState = Socket.OPEN
    this.#emit('open')
    tcp.on('data', (bytes) => this.#read(bytes))
    tcp.on('error', (error) => this.#emit('error', { error }))
    tcp.on('end', () => tcp.destroy())
    tcp.on('close', () => this.#end())
    if (head.length > 0) this.#read(head)
  }

  #read(bytes) {
    try {
      for (const message of this.#reader.push(bytes)) {
        if (this.readyState === Socket.CLOSED) return
        this.#take(message)
      }
    } catch (error) {
      if (this.readyState === Socket.OPEN) this.#writeClose(error.code ?? 1002, error.message)
      this.#closed = { code: error.code ?? 1002, reason: error.message }
      this.#emit('error', { error })
      this.#drain()
    }
  }

  // drain lets the good-bye reach a server that is still sending: a connection that is torn now would lose it.
  #drain() {
    const tcp = this.#tcp
    tcp.removeAllListeners('data').resume()
    tcp.end()
    tcp.unref()
    setTimeout(() => tcp.destroy(), closeTimeout).unref()
    this.#end()
  }

  #take({ opcode, data }) {
    switch (opcode) {
      case op.ping:
        if (this.readyState === Socket.OPEN) this.#write(op.pong, data)
        return
      case op.pong:
        this.#emit('pong')
        return
      case op.close:
        if (this.#closed.code !== 1006) return
        this.#closed = data.length < 2 ? { code: 1005, reason: '' } : { code: data.readUInt16BE(0), reason: data.toString('utf8', 2) }
        if (this.readyState === Socket.OPEN) this.#writeClose(data.length < 2 ? 1000 : this.#closed.code, '')
        this.readyState = Socket.CLOSING
        this.#tcp.end()
        return
      default:
        if (this.readyState === Socket.OPEN) this.#emit('message', { data: opcode === op.text ? decode(data) : data })
    }
  }

  #writeClose(code, reason) {
    const data = Buffer.alloc(2)
    data.writeUInt16BE(code)
    this.#write(op.close, Buffer.concat([data, Buffer.from(reason).subarray(0, 123)]))
  }

  #write(opcode, data) {
    const { length } = data
    const head = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10)
    head[0] = 0x80 | opcode
    if (length < 126) head[1] = 0x80 | length
    else if (length < 65536) {
      head[1] = 0x80 | 126
      head.writeUInt16BE(length, 2)
    } else {
      head[1] = 0x80 | 127
      head.writeBigUInt64BE(BigInt(length), 2)
    }
    const mask = randomBytes(4)
    const masked = Buffer.allocUnsafe(length)
    for (let i = 0; i < length; i++) masked[i] = data[i] ^ mask[i & 3]
    this.#tcp.write(Buffer.concat([head, mask, masked]))
  }

  #fail(error, about = {}) {
    if (this.readyState !== Socket.CONNECTING) return
    this.#emit('error', { error, ...about })
    this.terminate()
  }

  #end() {
    if (this.readyState === Socket.CLOSED) return
    clearTimeout(this.#timer)
    this.readyState = Socket.CLOSED
    this.#emit('close', this.#closed)
  }

  #emit(type, about = {}) {
    this.dispatchEvent(Object.assign(new Event(type), about))
  }
}

const fault = (code, message) => Object.assign(new Error(message), { code })

function decode(data) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data)
  } catch {
    throw fault(1007, 'text that is no UTF-8')
  }
}

// Reader makes messages of the bytes of a server. It waits for whole frames, so the most that it holds is maxFrame
// and what one read brings.
export class Reader {
  #chunks = []
  #size = 0
  #need = 2
  #parts = []
  #partsSize = 0
  #opcode = 0
  #maxFrame

  constructor(maxFrame) {
    this.#maxFrame = maxFrame
  }

  *push(bytes) {
    this.#chunks.push(bytes)
    this.#size += bytes.length
    while (this.#size >= this.#need) {
      const all = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks)
      this.#chunks = [all]
      const frame = this.#frame(all)
      if (!frame) continue
      this.#chunks = [all.subarray(frame.end)]
      this.#size -= frame.end
      this.#need = 2
      const message = this.#join(frame)
      if (message) yield message
    }
  }

  // frame reads the frame at the beginning, or sets how many bytes it needs.
  #frame(all) {
    const short = all[1] & 0x7f
    if (all[0] & 0x70) throw fault(1002, 'reserved bits')
    if (all[1] & 0x80) throw fault(1002, 'a masked frame from a server')
    const start = short < 126 ? 2 : short === 126 ? 4 : 10
    if (this.#size < start) {
      this.#need = start
      return null
    }
    const length = short < 126 ? short : short === 126 ? all.readUInt16BE(2) : Number(all.readBigUInt64BE(2))
    const opcode = all[0] & 0x0f
    const last = (all[0] & 0x80) !== 0
    if (opcode >= 8 && (length > 125 || !last)) throw fault(1002, 'a control frame that is long or in parts')
    if (length + this.#partsSize > this.#maxFrame) throw fault(1009, `a message above ${this.#maxFrame} bytes`)
    if (this.#size < start + length) {
      this.#need = start + length
      return null
    }
    return { opcode, last, data: all.subarray(start, start + length), end: start + length }
  }

  // join puts the parts of a message together.
  #join({ opcode, last, data }) {
    if (opcode > op.pong || (opcode > op.binary && opcode < op.close)) throw fault(1002, `opcode ${opcode}`)
    if (opcode >= op.close) return { opcode, data }
    const open = this.#opcode !== 0
    if ((opcode === op.more) !== open) throw fault(1002, 'parts out of order')
    if (opcode !== op.more) this.#opcode = opcode
    this.#parts.push(data)
    this.#partsSize += data.length
    if (!last) return null
    const message = { opcode: this.#opcode, data: this.#parts.length === 1 ? data : Buffer.concat(this.#parts) }
    this.#opcode = 0
    this.#parts = []
    this.#partsSize = 0
    return message
  }
}
