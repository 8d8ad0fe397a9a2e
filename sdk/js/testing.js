// Talk runs a flow without a hub: a test says what a person says and looks at the answer. Transitions follow the
// hub's rules.
import { checkFlow, handle } from './flow.js'

export class Talk {
  messages = []
  state = ''
  status = {}
  #flow
  #about

  // ai is a function from a Conversation to what its functions ask: { llm, stream, retrieve, prompt }.
  constructor(flow, { ai, metadata = {}, userId = '' } = {}) {
    checkFlow(flow)
    this.#flow = flow
    this.#about = { ai, metadata, userId }
  }

  // open runs the events of the initial state. What a function throws, here and in say, is thrown.
  open() {
    return this.#enter(this.#flow.states.find((s) => s.initial).name)
  }

  say(content) {
    return this.send({ type: 'message', payload: { content } })
  }

  // send is any message of the person, a file_uploaded say.
  async send(...stack) {
    this.#add({ type: 'human', platform: 'WS', id: this.#about.userId }, stack)
    const won = await this.#choose()
    if (!won) return reply(this.state, false, [])
    return this.#enter(won.dest, won.data, true)
  }

  // choose weighs all transitions: the largest difference above 0 wins, the first in the list on a tie.
  async #choose() {
    let best = 0
    let won
    for (const { source, dest, conditions = [], unless = [] } of this.#flow.transitions ?? []) {
      if (source && source !== this.state) continue
      let points = conditions.length === 0 ? 1 : 0
      let data = {}
      for (const name of conditions) {
        const found = await this.#score(name)
        if (found.score > points) ({ score: points, data } = found)
      }
      let against = 0
      for (const name of unless) against = Math.max(against, (await this.#score(name)).score)
      if (points - against > best) {
        best = points - against
        won = { dest, data }
      }
    }
    return won
  }

  async #score(name) {
    const [frame] = await this.#call(name)
    return frame.stack[0]
  }

  async #enter(state, data = {}, fired = false) {
    this.state = state
    const layers = []
    for (const name of this.#flow.states.find((s) => s.name === state).events ?? []) {
      let growing = ''
      for (const { stack, last_chunk: lastChunk, ctx } of await this.#call(name, data)) {
        if (ctx.status) this.status = ctx.status
        if (stack[0]?.streaming) growing = stack[0].payload.content = growing + stack[0].payload.content
        if (!lastChunk) continue
        growing = ''
        layers.push(...stack)
        this.#add({ type: 'bot' }, stack)
      }
    }
    return reply(state, fired, layers)
  }

  #add(sender, stack) {
    this.messages.push({ id: this.messages.length + 1, sender, stack })
  }

  async #call(name, data) {
    const { ai, metadata, userId } = this.#about
    const frames = []
    const ctx = {
      conversation_id: 1, user_id: userId, initial_conversation_metadata: metadata, conv_mml: this.messages,
      bot_channel_name: 'testing', status: this.status,
      state: this.messages.findLast((m) => m.stack[0]?.state)?.stack[0].state ?? {},
      ...(data && { transition_data: data }),
    }
    const payload = JSON.parse(JSON.stringify({ name, ctx }))
    await handle(this.#flow, payload, { ai, send: (frame) => frames.push(JSON.parse(frame).data) })
    return frames
  }
}

function reply(state, fired, layers) {
  const texts = layers.map(({ payload }) => payload?.content).filter((content) => typeof content === 'string' && content)
  return { state, fired, layers, types: layers.map((l) => l.type), text: texts.join('\n') }
}
