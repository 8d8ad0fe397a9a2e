// The hub's language models, retrievers and prompts, asked over the ai socket.

// HubError is what an error frame, or a failure told as content, says.
export class HubError extends Error {
  constructor(errors) {
    super(`the hub says: ${typeof errors === 'string' ? errors : JSON.stringify(errors)}`)
    this.name = 'HubError'
    this.errors = errors
  }
}

const fail = async () => { throw new Error('no hub to ask') }

// noAI is that of a conversation without a hub.
export const noAI = {
  llm: fail, retrieve: fail, prompt: fail,
  async *stream() { await fail() },
}

const afterError = 2000

// AILink is the ai socket of one connection. A slot is a request under way; there is one for each kind and
// channel at most, because the answers carry nothing else to tell them apart. A request that is given up keeps
// its slot until the hub's last frame, or until some time has passed, so that its late frames are not taken for
// those of the next.
export class AILink {
  #slots = new Map()
  #send
  #timeout

  constructor(send, timeout) {
    this.#send = send
    this.#timeout = timeout
  }

  // bind gives the AI of one conversation.
  bind(c) {
    const ask = (kind, data) => this.#ask(kind, c.channel, data, c.signal)
    const llm = (request, streamed) => ask('llm_request', llmData(c, request, streamed))
    return {
      llm: async (request) => toAnswer(await only(llm(request, false))),
      stream: async function* (request) {
        for await (const { content } of llm(request, true)) if (content) yield content
      },
      retrieve: async (name, query, topK = 3) => {
        const { knowledge_base_id, knowledge_items, knowledge_item_images = {}, content } = await only(
          ask('retriever_request', { retriever_config_name: name, bot_channel_name: c.channel, query, top_k: topK }))
        if (!knowledge_items) throw new HubError(content)
        return { knowledge_base_id, knowledge_items, knowledge_item_images }
      },
      prompt: async (name) => {
        const { prompt, content } = await only(
          ask('prompt_request', { prompt_config_name: name, bot_channel_name: c.channel }))
        if (prompt == null) throw new HubError(content)
        return prompt
      },
    }
  }

  async *#ask(kind, channel, data, signal) {
    const key = `${kind} ${channel}`
    while (this.#slots.has(key)) await within(this.#slots.get(key).freed, this.#timeout, signal)
    const slot = newSlot()
    this.#slots.set(key, slot)
    try {
      this.#send(JSON.stringify({ type: kind, data }))
      for (;;) {
        while (slot.frames.length === 0 && !slot.error) await within(slot.arrival(), this.#timeout, signal)
        if (slot.frames.length === 0) throw slot.error
        const frame = slot.frames.shift()
        slot.ended = isLast(kind, frame)
        yield frame
        if (slot.ended) return
      }
    } finally {
      this.#leave(key, slot)
    }
  }

  #leave(key, slot) {
    if (slot.ended || slot.frames.some((f) => isLast(key.split(' ')[0], f))) {
      this.#free(key, slot)
      return
    }
    slot.givenUp = true
    slot.frames = []
    const timer = setTimeout(() => this.#free(key, slot), slot.error ? Math.min(afterError, this.#timeout) : this.#timeout)
    timer.unref?.()
  }

  #free(key, slot) {
    if (this.#slots.get(key) === slot) this.#slots.delete(key)
    slot.free()
  }

  // deliver gives a frame to the request that it answers, and tells whether there is one.
  deliver({ type, payload }) {
    const kind = type.slice(0, -'_result'.length)
    const key = `${kind} ${payload?.bot_channel_name ?? ''}`
    const slot = this.#slots.get(key)
    if (!slot) return false
    if (slot.givenUp) {
      if (isLast(kind, payload)) this.#free(key, slot)
      return true
    }
    slot.frames.push(payload)
    slot.arrive()
    return true
  }

  // fail gives an error frame to the request that it is about: the one of its channel, or else the only one.
  fail(payload) {
    const { errors = payload, request_info: info } = payload ?? {}
    const channel = info?.data?.bot_channel_name ?? info?.bot_channel_name
    const waiting = [...this.#slots.values()].filter((s) => !s.givenUp)
    const slot = this.#slots.get(`${info?.type} ${channel}`) ?? (waiting.length === 1 ? waiting[0] : undefined)
    if (!slot || slot.givenUp) return false
    slot.error = new HubError(errors)
    slot.arrive()
    return true
  }
}

function newSlot() {
  const slot = { frames: [], error: null, ended: false, givenUp: false, arrive: () => {} }
  slot.arrival = () => new Promise((resolve) => { slot.arrive = resolve })
  slot.freed = new Promise((resolve) => { slot.free = resolve })
  return slot
}

// Only models answer in several frames.
const isLast = (kind, frame) => frame?.last_chunk === true || kind !== 'llm_request'

async function only(frames) {
  for await (const frame of frames) return frame
}

function within(promise, milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the hub gave no answer in time')), milliseconds)
    const stop = () => reject(signal.reason)
    if (signal?.aborted) stop()
    signal?.addEventListener('abort', stop, { once: true })
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    })
  })
}

function llmData(c, request, streamed) {
  const { config, messages, temperature = 0.7, maxTokens = 4096, seed = 42, thinking = null, tools, toolChoice = null,
    schema = null, cache = null, conversation = true } = request
  if (schema && tools) throw new Error('a schema and tools exclude each other')
  if (streamed && (schema || tools)) throw new Error('schemas and tools cannot be streamed')
  if (!conversation && !messages?.length) throw new Error('neither messages nor the conversation')
  return {
    llm_config_name: config, messages: messages ?? null, conversation_id: c.id, bot_channel_name: c.channel,
    temperature, max_tokens: maxTokens, seed, thinking,
    tools: tools?.map((f) => ({ type: 'function', function: f })) ?? null, tool_choice: toolChoice,
    use_conversation_context: conversation, cache_config: cache, response_schema: schema, stream: streamed,
  }
}

function toAnswer({ content, lm_msg_id: id, usage = {}, stop_reason: stopReason }) {
  const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : Array.isArray(content) ? content : []
  return {
    id, content: parts, text: parts.map((p) => p?.text ?? '').join(''), result: content, stopReason,
    usage: { input: usage?.input_tokens ?? 0, output: usage?.output_tokens ?? 0 },
  }
}
