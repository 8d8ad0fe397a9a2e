// A flow's definition, and running one of its functions. Nothing here knows about sockets.
import { randomUUID } from 'node:crypto'
import { text } from './layers.js'
import { noAI } from './ai.js'

const defaultErrorText = 'Something went wrong. Please try again.'

// checkFlow throws an error that lists all that is wrong with a flow.
export function checkFlow(flow) {
  const wrong = []
  const has = (table, name) => Object.hasOwn(table ?? {}, name)
  if (!/^[\w-]{1,255}$/.test(flow?.name ?? '')) wrong.push(`flow name ${JSON.stringify(flow?.name)}: want letters, digits, _ and -`)
  const states = flow?.states ?? []
  const names = new Set()
  for (const { name, events = [] } of states) {
    if (!name || names.has(name)) wrong.push(`state ${JSON.stringify(name)}: a name must be there and be unique`)
    names.add(name)
    for (const event of events) {
      if (!has(flow.events, event)) wrong.push(`state "${name}": no event "${event}"`)
    }
  }
  const initial = states.filter((s) => s.initial).length
  if (initial !== 1) wrong.push(`${initial} initial states, want 1`)
  for (const [i, t] of (flow?.transitions ?? []).entries()) {
    if (!names.has(t.dest)) wrong.push(`transition ${i}: no state "${t.dest}"`)
    if (t.source && !names.has(t.source)) wrong.push(`transition ${i}: no state "${t.source}"`)
    for (const condition of [...(t.conditions ?? []), ...(t.unless ?? [])]) {
      if (!has(flow.conditions, condition)) wrong.push(`transition ${i}: no condition "${condition}"`)
    }
  }
  for (const name of Object.keys(flow?.events ?? {})) {
    if (has(flow.conditions, name)) wrong.push(`function "${name}" is a condition and an event`)
  }
  if (wrong.length > 0) throw new Error(`flow ${flow?.name}: ${wrong.join('; ')}`)
}

// registration is the first frame on the rpc socket.
export function registration(flow) {
  const states = flow.states.map(({ name, initial = false, events = [] }) => ({ name, initial, events }))
  const transitions = (flow.transitions ?? []).map(({ source, dest, conditions = [], unless = [] }) =>
    ({ ...(source && { source }), dest, conditions, unless }))
  return {
    type: 'fsm_def',
    data: {
      name: flow.name, definition: { states, transitions },
      overwrite: flow.overwrite ?? false, authentication_required: flow.authenticationRequired ?? false,
    },
  }
}

// Conversation is what the hub tells about a conversation with each call. What is assigned to its status is
// kept with the next layer, or with the end of the turn, and comes back with the following calls.
export class Conversation {
  constructor(ctx, ai, signal) {
    this.id = String(ctx.conversation_id)
    this.userId = ctx.user_id == null ? '' : String(ctx.user_id)
    this.channel = String(ctx.bot_channel_name ?? '')
    this.metadata = metadata(ctx.initial_conversation_metadata)
    this.messages = (ctx.conv_mml ?? []).map((m) => ({ ...m, stack: Array.isArray(m.stack) ? m.stack : [] }))
    this.data = ctx.transition_data
    this.state = ctx.state ?? {}
    this.status = ctx.status ?? {}
    this.signal = signal
    this.ai = ai?.(this) ?? noAI
  }

  // lastHuman is the newest message of the person; the hub calls the sender of a tool's result human too.
  get lastHuman() {
    return this.messages.findLast((m) => m.sender?.type === 'human' && m.stack[0]?.type !== 'tool_result')
  }

  // text is that of the newest human message, '' if it has none.
  get text() {
    for (const { payload } of this.lastHuman?.stack ?? []) {
      const found = typeof payload === 'string' ? payload : payload?.content
      if (typeof found === 'string' && found) return found
    }
    return ''
  }

  // pressed is the id of the button that the newest human message pressed, '' if it pressed none.
  get pressed() {
    const answer = this.lastHuman?.stack.find(({ type, payload }) => type === 'quick_replies' && payload?.[0]?.id != null)
    return answer ? String(answer.payload[0].id) : ''
  }

  // payload is the first of the newest human message.
  get payload() {
    return this.lastHuman?.stack[0]?.payload
  }
}

function metadata(value) {
  let found = value
  if (typeof value === 'string') {
    try { found = JSON.parse(value) } catch { return {} }
  }
  return found && typeof found === 'object' && !Array.isArray(found) ? found : {}
}

// handle runs the function that an rpc_request's payload names and gives each frame of the answer to send. It
// always ends the turn; what the function threw is thrown again afterwards.
export async function handle(flow, { name, ctx }, { send, ai, signal = new AbortController().signal }) {
  if (typeof name !== 'string' || !name) throw new Error('call without a name')
  if (ctx?.conversation_id == null) throw new Error(`call of ${name} without a conversation id`)
  const { conv_mml: _, ...echo } = ctx
  const c = new Conversation(ctx, ai, signal)
  const before = JSON.stringify(c.status)
  const turn = {
    flow, send, signal, group: randomUUID(),
    echo: () => (JSON.stringify(c.status) === before ? echo : { ...echo, status: c.status }),
  }
  const own = (table) => (Object.hasOwn(table ?? {}, name) ? table[name] : undefined)
  const events = own(flow.events)
  const condition = own(flow.conditions)
  try {
    if (events) await runEvents(turn, [events].flat(), c)
    else if (condition) await weigh(turn, condition, c)
    else throw new Error(`no function ${name}`)
  } catch (error) {
    if (turn.broken) throw turn.broken
    refuse(turn, condition || !(events || 'transition_data' in ctx))
    throw error
  }
}

function refuse(turn, isCondition) {
  if (isCondition) {
    score(turn, 0, {})
    return
  }
  turn.group = randomUUID()
  bubble(turn, randomUUID(), [element(turn, text(turn.flow.errorText ?? defaultErrorText))], true, true)
}

// refuseCall ends a call that is not even begun.
export function refuseCall(flow, { name, ctx }, send) {
  const { conv_mml: _, ...echo } = ctx
  refuse({ flow, send, echo: () => echo }, Object.hasOwn(flow.conditions ?? {}, name))
}

async function weigh(turn, condition, c) {
  const found = await abortable(turn.signal, condition(c))
  const { score: points, data } = typeof found === 'object' && found ? found : { score: Number(found ?? 0) }
  if (!Number.isFinite(points)) throw new Error(`score ${points}`)
  score(turn, points, data ?? {})
}

// runEvents runs the handlers of one name in turn. Each closes its group of bubbles, the last one the turn.
async function runEvents(turn, events, c) {
  for (const [i, event] of events.entries()) {
    turn.group = randomUUID()
    for await (const layer of iterate(turn.signal, event(c))) await sendLayer(turn, layer)
    bubble(turn, randomUUID(), [], true, i === events.length - 1)
  }
}

// iterate takes what a function gives: an iterable of layers, or a promise of one layer, of several, of none.
async function* iterate(signal, given) {
  const source = given?.[Symbol.asyncIterator] ? given : await abortable(signal, given)
  if (source == null) return
  if (typeof source === 'string' || !(source[Symbol.asyncIterator] || source[Symbol.iterator])) {
    yield source
    return
  }
  const iterator = source[Symbol.asyncIterator]?.() ?? source[Symbol.iterator]()
  let done = false
  try {
    for (;;) {
      const next = await abortable(signal, iterator.next())
      done = next.done
      if (done) return
      yield await next.value
    }
  } finally {
    // A function that hangs is told, but not waited for.
    if (!done) Promise.resolve(iterator.return?.()).catch(() => {})
  }
}

async function sendLayer(turn, given) {
  const layer = typeof given === 'string' ? text(given) : given
  if (!layer?.type) throw new Error(`not a layer: ${JSON.stringify(given)}`)
  const id = randomUUID()
  if (!layer.deltas) {
    bubble(turn, id, [element(turn, layer)], true, false)
    return
  }
  const chunk = (payload) => [{ ...element(turn, { ...layer, payload: { ...payload, tool_calls: [] } }), streaming: true }]
  try {
    for await (const delta of iterate(turn.signal, chars(layer.deltas))) {
      if (delta) bubble(turn, id, chunk({ content: String(delta) }), false, false)
    }
  } finally {
    // The bubble is closed by an empty delta, so that no delta waits for the next one.
    if (!turn.broken) bubble(turn, id, chunk({ content: '', references: layer.references }), true, false)
  }
}

// chars spares a mere text from being taken apart into its characters.
const chars = (deltas) => (typeof deltas === 'string' ? [deltas] : deltas)

const element = (turn, { type, payload, meta = {}, state = {} }) =>
  ({ type, streaming: false, meta, state, fsm_definition: turn.flow.name, payload })

const score = (turn, points, data) => out(turn, {
  node_type: 'condition', stack_group_id: randomUUID(), stack_id: 0,
  stack: [{ score: points, data }], last_chunk: true, last: true,
})

const bubble = (turn, id, stack, lastChunk, last) => out(turn, {
  node_type: 'action', stack_group_id: turn.group, stack_id: id, stack, last_chunk: lastChunk, last,
})

function out(turn, data) {
  const frame = JSON.stringify({ type: 'rpc_result', data: { ctx: turn.echo(), ...data } })
  try {
    turn.send(frame)
  } catch (error) {
    turn.broken = error
    throw error
  }
}

// abortable is a promise that does not outlive a signal.
export function abortable(signal, promise) {
  if (signal.aborted) return Promise.reject(signal.reason)
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    Promise.resolve(promise).then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
