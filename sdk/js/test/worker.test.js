import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkFlow, stream, text, Worker } from '../index.js'
import { parcel } from './support/parcel.js'
import { eventually, startHub } from './support/server.js'

const call = (peer, name, conversation, more = {}) => peer.send({
  type: 'rpc_request', status: 200,
  payload: { name, ctx: { conversation_id: conversation, bot_channel_name: `chan-${conversation}`, transition_data: {}, ...more } },
})
const content = async (peer) => (await peer.next()).data.stack[0]?.payload.content
const sorry = 'Something went wrong. Please try again.'

async function start(t, flow = parcel(), options = {}) {
  const hub = await startHub(t, Worker, flow, options)
  const rpc = await hub.rpc.take('rpc socket')
  const ai = await hub.ai.take('ai socket')
  return { hub, rpc, ai, registration: await rpc.next('registration') }
}

test('connecting again registers again', async (t) => {
  const { hub, rpc, ai, registration } = await start(t)
  let [lost, other] = [rpc, ai]
  for (let i = 0; i < 4; i++) {
    lost.tcp.destroy()
    await other.closed.take('end of the other socket')
    lost = await hub.rpc.take('rpc socket')
    other = await hub.ai.take('ai socket')
    assert.deepEqual(await lost.next(), registration)
  }
  call(lost, 'both', '1')
  assert.equal(await content(lost), 'one')
})

test('a hub that closes at once is tried again', async (t) => {
  const { hub, rpc } = await start(t)
  rpc.tcp.destroy()
  for (let i = 0; i < 10; i++) (await hub.rpc.take('rpc socket')).close(1001)
  const last = await hub.rpc.take('rpc socket')
  assert.equal((await last.next()).type, 'fsm_def')
})

test('stopping says good-bye', async (t) => {
  const { hub, rpc, ai } = await start(t)
  await hub.stop()
  for (const peer of [rpc, ai]) assert.deepEqual(await peer.closed.take('close'), { code: 1000 })
  assert.equal(hub.rpc.size, 0)
})

test('a refused token is told and not logged', async (t) => {
  const hub = await startHub(t, Worker, parcel(), { token: 's3cret-but-wrong' })
  await eventually('the refusal', () => hub.log.some((line) => line.includes('the hub refuses the token (HTTP 403)')))
})

test('bad settings throw', () => {
  assert.throws(() => new Worker({ url: 'ftp://hub.example', flow: parcel() }))
  assert.throws(() => new Worker({ url: 'hub', flow: parcel() }))
  assert.throws(() => new Worker({ url: 'ws://hub.example' }))
})

test('error frames and nonsense are logged', async (t) => {
  const { hub, rpc } = await start(t)
  for (const frame of [
    '{"type":"error","status":400,"payload":{"errors":{"name":["This field is required."]},"request_info":{}}}',
    '{"type":"error","status":400,"payload":{"node_type":["odd shape"]}}',
    '{"type":"zzz","payload":{}}', 'not JSON', '[]', 'null', '{}', '{"type":"rpc_request"}',
    '{"type":"rpc_request","payload":{"name":"both","ctx":{}}}', '{"type":"rpc_request","payload":{"name":7,"ctx":null}}',
  ]) rpc.send(frame)
  call(rpc, 'both', '1')
  assert.equal(await content(rpc), 'one')
  for (const want of ['This field is required.', 'odd shape', 'zzz', 'without a conversation id', 'no type']) {
    assert.ok(hub.log.some((line) => line.includes(want)), want)
  }
})

test('pings go out; without pongs we connect again', async (t) => {
  const { hub, rpc, ai } = await start(t, parcel(), { pingInterval: 20, pongTimeout: 3000 })
  await eventually('pings', () => rpc.pings >= 3 && ai.pings >= 3)
  assert.equal(hub.rpc.size, 0)
  ai.deaf = true
  await hub.rpc.take('rpc socket')
})

test('frames above 1 MiB are read, those above the limit end the connection', async (t) => {
  const { hub, rpc } = await start(t, parcel(), { maxFrame: 4 << 20 })
  call(rpc, 'both', '1', { unknown: 'x'.repeat(3 << 20) })
  assert.equal(await content(rpc), 'one')
  call(rpc, 'both', '1', { unknown: 'x'.repeat(5 << 20) })
  assert.deepEqual(await rpc.closed.take('close'), { code: 1009 })
  await hub.rpc.take('rpc socket')
})

test('calls run side by side, so many and no more', async (t) => {
  let [running, most] = [0, 0]
  let release
  const gate = new Promise((resolve) => { release = resolve })
  const flow = parcel()
  flow.events.hold = async (c) => {
    most = Math.max(most, ++running)
    await gate
    running--
    return text(c.id)
  }
  const { rpc } = await start(t, flow, { concurrency: 8 })
  for (let i = 0; i < 11; i++) call(rpc, 'hold', String(i))
  await eventually('eight calls', () => running === 8)
  release()
  const ended = new Set()
  for (let i = 0; i < 22; i++) {
    const { data } = await rpc.next()
    if (data.last) ended.add(data.ctx.conversation_id)
    else assert.equal(data.stack[0].payload.content, data.ctx.conversation_id)
  }
  assert.deepEqual([ended.size, most], [11, 8])
})

test('too many calls are refused, with an end of the turn', async (t) => {
  let release
  const gate = new Promise((resolve) => { release = resolve })
  const flow = parcel()
  flow.events.hold = () => gate
  const { rpc } = await start(t, flow, { concurrency: 1 })
  for (let i = 0; i < 1100; i++) call(rpc, 'hold', String(i))
  rpc.send({ type: 'rpc_request', payload: { name: 'hold' } })
  const { data } = await rpc.next()
  assert.deepEqual([data.last, data.stack[0].payload.content], [true, sorry])
  release()
  for (let i = 0; i < 1099; i++) assert.equal((await rpc.next()).data.last, true)
})

test('a lost connection aborts running functions', async (t) => {
  let seen
  const flow = parcel()
  const started = new Promise((resolve) => {
    flow.events.hold = async function* (c) {
      resolve()
      try {
        yield stream((async function* () {
          yield 'a'
          await new Promise(() => {})
        })())
      } finally {
        seen = c.signal.aborted
      }
    }
  })
  const { hub, rpc } = await start(t, flow)
  call(rpc, 'hold', '1')
  await started
  assert.equal(await content(rpc), 'a')
  rpc.tcp.destroy()
  const again = await hub.rpc.take('rpc socket')
  await again.next()
  assert.equal(seen, true)
  call(again, 'both', '1')
  assert.equal(await content(again), 'one')
})

test('a function that hangs ends its turn', async (t) => {
  const flow = { ...parcel(), errorText: 'Sorry.' }
  flow.events.hold = () => new Promise(() => {})
  flow.conditions.hold_too = () => new Promise(() => {})
  const { hub, rpc } = await start(t, flow, { callTimeout: 10 })
  call(rpc, 'hold', '1')
  const { data } = await rpc.next()
  assert.deepEqual([data.last, data.stack[0].payload.content], [true, 'Sorry.'])
  call(rpc, 'hold_too', '1')
  assert.equal((await rpc.next()).data.stack[0].score, 0)
  assert.ok(hub.log.some((line) => line.includes('no end after 10 ms')))
})

test('odd layers and scores end the turn too', async (t) => {
  const flow = parcel()
  const circle = {}
  circle.self = circle
  flow.events.odd = async () => 7
  flow.events.circle = async () => text(circle)
  flow.conditions.nan = () => NaN
  flow.conditions.words = () => 'many'
  flow.conditions.yes = () => true
  const { rpc } = await start(t, flow)
  for (const name of ['odd', 'circle', 'toString', '__proto__']) {
    call(rpc, name, '1')
    const { data } = await rpc.next()
    assert.deepEqual([data.last, data.stack[0].payload.content], [true, sorry], name)
  }
  for (const [name, score] of [['nan', 0], ['words', 0], ['yes', 1]]) {
    call(rpc, name, '1')
    assert.equal((await rpc.next()).data.stack[0].score, score, name)
  }
})

test('checkFlow lists what is wrong', () => {
  checkFlow(parcel())
  for (const [want, change] of [
    ['flow name "my flow"', (f) => { f.name = 'my flow' }],
    ['0 initial states', (f) => { f.states[0].initial = false }],
    ['state "Rest": a name', (f) => { f.states[1].name = 'Rest' }],
    ['no event "lost"', (f) => { f.states[2].events = ['lost'] }],
    ['no event "toString"', (f) => { f.states[2].events = ['toString'] }],
    ['transition 0: no condition "lost"', (f) => { f.transitions[0].unless = ['lost'] }],
    ['transition 0: no state "Lost"', (f) => { f.transitions[0].dest = 'Lost' }],
    ['transition 1: no state "Gone"', (f) => { f.transitions[1].source = 'Gone' }],
    ['"asks" is a condition and an event', (f) => { f.events.asks = f.events.greet }],
  ]) {
    const flow = parcel()
    change(flow)
    assert.throws(() => checkFlow(flow), (error) => error.message.includes(want), want)
  }
})

for (const [name, ask, play, want] of [
  ['a stream that is left', async (ai) => {
    for await (const _ of ai.stream({ config: 'gpt' })) break
    return (await ai.llm({ config: 'gpt' })).text
  }, async (ai) => {
    await ai.next()
    for (const [delta, last] of [['early', false], ['late', false], ['', true]]) {
      ai.send({ type: 'llm_request_result', payload: { content: delta, last_chunk: last, bot_channel_name: 'chan-1' } })
    }
    await ai.next()
    ai.send({ type: 'llm_request_result', payload: { content: [{ text: 'right' }], last_chunk: true, bot_channel_name: 'chan-1' } })
  }, 'right'],
  ['two at once', async (ai) => (await Promise.all([ai.prompt('a'), ai.prompt('b')])).join(), async (ai) => {
    for (let i = 0; i < 2; i++) {
      const { data } = await ai.next()
      assert.equal(ai.frames.size, 0, 'the second waits for the first')
      ai.send({ type: 'prompt_request_result', payload: { prompt: `for ${data.prompt_config_name}`, bot_channel_name: 'chan-1' } })
    }
  }, 'for a,for b'],
  ['an error frame', (ai) => ai.prompt('a'), async (ai) => {
    await ai.next()
    ai.send({ type: 'nonsense_request_result', payload: { bot_channel_name: 'chan-1' } })
    ai.send({ type: 'prompt_request_result', payload: { prompt: 'for another', bot_channel_name: 'chan-2' } })
    ai.send({ type: 'error', payload: { errors: 'no such', request_info: { type: 'prompt_request', data: { bot_channel_name: 'chan-1' } } } })
  }, 'HubError: the hub says: no such'],
  ['a failure as content', (ai) => ai.retrieve('a', 'q'), async (ai) => {
    await ai.next()
    ai.send({ type: 'retriever_request_result', payload: { content: 'no such', last_chunk: true, bot_channel_name: 'chan-1' } })
  }, 'HubError: the hub says: no such'],
  ['no answer', (ai) => ai.prompt('a'), (ai) => ai.next(), 'Error: the hub gave no answer in time'],
  ['tools with a schema', (ai) => ai.llm({ tools: [{}], schema: {} }), () => {}, 'Error: a schema and tools exclude each other'],
  ['streamed tools', async (ai) => { for await (const _ of ai.stream({ tools: [{}] })); }, () => {}, 'Error: schemas and tools cannot be streamed'],
  ['nothing to ask', (ai) => ai.llm({ conversation: false }), () => {}, 'Error: neither messages nor the conversation'],
]) {
  test(`AI: ${name}`, async (t) => {
    const flow = parcel()
    flow.events.ask = async (c) => ask(c.ai).catch(String)
    const { rpc, ai } = await start(t, flow, { aiTimeout: name === 'no answer' ? 20 : 60_000 })
    call(rpc, 'ask', '1')
    await play(ai)
    assert.equal(await content(rpc), want)
  })
}
