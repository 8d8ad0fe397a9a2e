// Client talks to a flow as a visitor of a page does. It runs in browsers and in Node, and depends on nothing.

// Closed by the hub for good: no such flow or no worker, and no valid token.
const forGood = new Set([4000, 3000])

const restTimeout = 30_000

const feedbackTypes = new Set(['thumbs_rating', 'star_rating', 'text_feedback'])

// Client is an EventTarget. Each event has its value in detail:
//   message   a bubble that is new, has grown or was found after a reconnect; one stack_id is one bubble
//   turn      the bot has ended its turn; all messages so far
//   state     'connecting', 'open', 'waiting' (before the next try), 'closed'; see also reason
//   fault     what the hub refused, or a REST call that failed after a reconnect
export class Client extends EventTarget {
  messages = [] // the conversation as far as it is known, oldest first
  state = 'closed'
  reason = '' // why the hub closed for good
  #settings
  #socket
  #timer
  #wanted = false

  // See index.d.ts for the options. Only url and flow must be there.
  constructor({ url, flow, conversation, user, token, metadata, stateOverride, retryAfter = 1000, WebSocket, fetch }) {
    super()
    const base = new URL(url)
    base.protocol = base.protocol.replace('ws', 'http')
    if (!base.pathname.endsWith('/')) base.pathname += '/'
    this.known = conversation !== undefined
    this.conversation = String(conversation ?? randomName())
    this.user = String(user ?? randomName())
    for (const part of [this.conversation, this.user, flow]) {
      if (!/^[\w-]{1,255}$/.test(part)) throw new Error(`${JSON.stringify(part)}: want letters, digits, _ and -`)
    }
    this.#settings = {
      base, flow, token, metadata, stateOverride, retryAfter, WebSocket, fetch: fetch ?? globalThis.fetch.bind(globalThis),
    }
  }

  // connect fills messages with what is known of a conversation that goes on, and opens the socket. From then on it is
  // kept open, until close.
  async connect() {
    if (this.#wanted) throw new Error('already connected')
    this.#wanted = true
    try {
      if (this.known) await this.resume()
      this.#settings.WebSocket ??= globalThis.WebSocket ?? (await import('./socket.js')).Socket
    } catch (error) {
      this.#wanted = false
      throw error
    }
    await new Promise((resolve, reject) => {
      const settle = () => {
        if (this.state === 'connecting') return
        this.removeEventListener('state', settle)
        if (this.state === 'open') resolve()
        else if (this.state === 'closed') reject(new Error(this.reason || 'closed'))
        else {
          this.close()
          reject(new Error('cannot reach the hub'))
        }
      }
      this.addEventListener('state', settle)
      this.#open()
    })
  }

  close() {
    this.#wanted = false
    clearTimeout(this.#timer)
    this.#socket?.close()
    this.#socket = undefined
    this.#become('closed')
  }

  // locked tells whether the bot has its turn. Messages sent now are answered after it.
  get locked() {
    const last = this.messages.at(-1)
    return !last || last.sender?.type === 'human' && last.stack[0]?.type !== 'tool_result' || last.last === false
  }

  // send takes a text, or a list of layers: [{ type: 'file_uploaded', payload }].
  send(given) {
    if (this.state !== 'open') throw new Error('not connected')
    const stack = typeof given === 'string' ? [{ type: 'message', payload: { content: given } }] : given
    const message = {
      sender: { type: 'human', platform: 'WS', id: this.user }, stack, stack_id: '0', stack_group_id: '0', last: true,
    }
    this.#socket.send(JSON.stringify(message))
    this.messages.push({ ...message, stack_id: null, send_time: Date.now() })
  }

  // ask waits for the bot's turn to end, sends, and gives the bubbles of the answer.
  async ask(given, { timeout = 60_000 } = {}) {
    const signal = AbortSignal.timeout(timeout)
    await this.#unlocked(signal)
    const before = this.messages.length + 1
    this.send(given)
    await this.#unlocked(signal)
    return this.messages.slice(before).filter((m) => m.stack.length > 0)
  }

  #unlocked(signal) {
    if (!this.locked) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const settle = () => {
        const over = this.state === 'closed' || signal.aborted
        if (this.locked && !over) return
        for (const type of ['turn', 'state']) this.removeEventListener(type, settle)
        signal.removeEventListener('abort', settle)
        if (this.locked) reject(new Error(signal.aborted ? 'the bot does not end its turn' : this.reason || 'closed'))
        else resolve()
      }
      for (const type of ['turn', 'state']) this.addEventListener(type, settle)
      signal.addEventListener('abort', settle)
      settle()
    })
  }

  // reset undoes all that was said after the message with this id.
  reset(id) {
    const at = this.messages.findIndex((m) => m.id === id)
    if (at < 0) throw new Error(`no message ${id}`)
    if (this.state !== 'open') throw new Error('not connected')
    this.#socket.send(JSON.stringify({ reset: id }))
    this.messages.splice(at + 1)
    this.messages[at] = { ...this.messages[at], last: true }
  }

  // conversations of this user, newest first.
  conversations() {
    return this.#rest(`conversations/from_sender/?sender=${encodeURIComponent(this.user)}`)
  }

  // history gives the messages of a conversation by its number (id), as they are stored.
  async history(id) {
    const { msgs_chain: chain } = await this.#rest(`conversations/${encodeURIComponent(id)}/`)
    return chain.map((m) => ({ ...m, send_time: Date.parse(m.send_time) || m.send_time }))
  }

  // resume adds what was said without us to messages.
  async resume() {
    const found = (await this.conversations()).find((c) => c.platform_conversation_id === this.conversation)
    if (!found) return
    const chain = await this.history(found.id)
    if (this.messages.length === 0) {
      this.messages.push(...chain)
      return
    }
    for (const message of chain) if (message.sender?.type !== 'human') this.#merge(message)
  }

  // feedback rates: source is the bubble that asked for it, data { thumb_value }, { star_rating, star_rating_max } or
  // { feedback_comment }.
  feedback(source, data) {
    const at = this.messages.findIndex((m) => m.id === source.id)
    const target = this.messages.slice(0, Math.max(at, 0)).findLast((m) => m.id != null && !feedbackTypes.has(m.stack[0]?.type))
    return this.#rest('user-feedback/', {
      method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message_source: source.id, message_target: target?.id ?? null, feedback_data: data }),
    })
  }

  // upload puts a File where a file_upload bubble says, and tells the bot.
  async upload(bubble, file) {
    const extension = file.name.split('.').at(-1).toLowerCase()
    const place = bubble.stack[0].payload.files[extension]
    if (!place) throw new Error(`no files of type ${extension} here`)
    if (file.size > place.max_size) throw new Error(`at most ${place.max_size} bytes`)
    const response = await this.#settings.fetch(place.presigned_url, {
      method: 'PUT', body: file, headers: { 'content-type': place.content_type },
    })
    if (!response.ok) throw new Error(`upload: HTTP ${response.status}`)
    this.send([{ type: 'file_uploaded', payload: { s3_path: place.s3_path, name: file.name } }])
  }

  async #rest(path, { headers = {}, ...init } = {}) {
    const { base, token, fetch } = this.#settings
    const response = await fetch(new URL(`back/api/broker/${path}`, base), {
      signal: AbortSignal.timeout(restTimeout), ...init, headers: { ...headers, ...(token && { authorization: `Token ${token}` }) },
    })
    if (!response.ok) throw Object.assign(new Error(`${path}: HTTP ${response.status}`), { status: response.status })
    return response.json()
  }

  #address() {
    const { base, flow, token, metadata, stateOverride } = this.#settings
    const at = new URL(`back/ws/broker/${this.conversation}/${flow}/${this.user}/`, base)
    at.protocol = at.protocol.replace('http', 'ws')
    if (metadata) at.searchParams.set('metadata', JSON.stringify(metadata))
    if (token) at.searchParams.set('token', token)
    if (stateOverride) at.searchParams.set('state_override', stateOverride)
    return at.href
  }

  #open(again = false) {
    this.#become('connecting')
    const socket = new this.#settings.WebSocket(this.#address())
    this.#socket = socket
    const mine = (act) => (event) => { if (this.#socket === socket) act(event) }
    socket.addEventListener('open', mine(() => {
      this.#become('open')
      if (again) this.resume().catch((error) => this.#tell('fault', error))
    }))
    // Node's own WebSocket tells of a refused connection by an error alone; all others close too, with a code.
    const failed = mine(() => { if (this.state === 'connecting') this.#closed(1006, '') })
    socket.addEventListener('error', () => setTimeout(failed))
    socket.addEventListener('message', mine(({ data }) => this.#take(data)))
    socket.addEventListener('close', mine(({ code, reason }) => this.#closed(code, reason)))
  }

  #closed(code, reason) {
    this.#socket = undefined
    if (forGood.has(code)) {
      this.#wanted = false
      this.reason = reason
      this.#become('closed')
      return
    }
    this.#timer = setTimeout(() => this.#open(true), this.#settings.retryAfter)
    this.#become('waiting')
  }

  #take(data) {
    let frame
    try {
      frame = JSON.parse(data)
    } catch {
      return
    }
    if (frame?.status === 400) this.#tell('fault', frame.payload)
    else if (Array.isArray(frame?.stack)) this.#merge(frame)
  }

  // merge puts a message in its place: over the one with its stack_id, or at the end.
  #merge(message) {
    const at = message.stack_id == null ? -1 : this.messages.findLastIndex((m) => m.stack_id === message.stack_id)
    if (at >= 0 && same(this.messages[at], message)) return
    if (at >= 0) this.messages[at] = { ...this.messages[at], ...message }
    else this.messages.push(message)
    if (message.stack.length > 0) this.#tell('message', this.messages.at(at))
    if (message.last) this.#tell('turn', this.messages)
  }

  #become(state) {
    if (this.state === state) return
    this.state = state
    this.#tell('state', state)
  }

  #tell(type, detail) {
    this.dispatchEvent(Object.assign(new Event(type), { detail }))
  }
}

// Who knows the name of a user may read what they said, so it is one that nobody guesses. Pages that came over plain
// HTTP have no crypto.randomUUID.
const randomName = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join('')

// same tells a repetition from a bubble that has changed; what is complete and comes again is a repetition.
const same = (old, message) => old.last === message.last && old.last_chunk === message.last_chunk &&
  (old.last_chunk || JSON.stringify(old.stack) === JSON.stringify(message.stack))
