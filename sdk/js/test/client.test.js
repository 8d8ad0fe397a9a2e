import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from '../client.js'
import { Socket } from '../socket.js'
import { listen, Mailbox } from './support/server.js'

// hub plays the hub's side for visitors: sockets arrive in peers, rest answers GET and POST by path.
async function hub(t, rest = {}) {
  const peers = new Mailbox()
  const requests = []
  const host = await listen(t, (url) => (url.startsWith('/hub/back/ws/broker/') ? peers : 404), async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    requests.push({ method: request.method, url: request.url, headers: request.headers, body })
    const answer = rest[request.url.replace('/hub/back/api/broker/', '')]
    response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer ?? {}))
  })
  const client = (options = {}) => {
    const chat = new Client({ url: `http://${host}/hub`, flow: 'parcel', user: 'u-77', retryAfter: 10, ...options })
    t.after(() => chat.close())
    chat.seen = []
    chat.addEventListener('message', ({ detail }) => chat.seen.push(detail.stack[0].payload.content))
    return chat
  }
  return { peers, requests, client, host }
}

const bot = (stackId, content, { last = false, lastChunk = true, id = null } = {}) => ({
  type: 'response', status: 200, node_type: 'action', stack_group_id: 'g', stack_id: stackId,
  stack: content === null ? [] : [{ type: 'message', payload: { content } }],
  last_chunk: lastChunk, last, sender: { type: 'bot' }, send_time: 1731000000123, id,
})
const event = (chat, type, ok = () => true) => new Promise((resolve) => {
  const see = ({ detail }) => {
    if (!ok(detail)) return
    chat.removeEventListener(type, see)
    resolve(detail)
  }
  chat.addEventListener(type, see)
})

test('the address, a question, a growing answer', async (t) => {
  const { peers, client } = await hub(t)
  const chat = client({ conversation: undefined, token: 'a&b', metadata: { lang: 'en', q: 'a&b#c' }, stateOverride: 'Answer' })
  assert.throws(() => chat.send('early'), /not connected/)
  await chat.connect()
  const peer = await peers.take('socket')
  const at = new URL(peer.url, 'http://hub')
  assert.equal(at.pathname, `/hub/back/ws/broker/${chat.conversation}/parcel/u-77/`)
  assert.deepEqual(Object.fromEntries(at.searchParams), { metadata: '{"lang":"en","q":"a&b#c"}', token: 'a&b', state_override: 'Answer' })
  assert.equal(chat.locked, true)
  const asking = chat.ask('Where is my parcel?')
  peer.send(bot('s1', 'Hello!', { id: 1 }))
  peer.send(bot('t1', null, { last: true, id: 2 }))
  assert.deepEqual(await peer.next(), {
    sender: { type: 'human', platform: 'WS', id: 'u-77' },
    stack: [{ type: 'message', payload: { content: 'Where is my parcel?' } }], stack_id: '0', stack_group_id: '0', last: true,
  })
  assert.equal(chat.locked, true)
  for (const content of ['It ', 'It is ', 'It is here.']) peer.send(bot('s2', content, { lastChunk: content.endsWith('.') }))
  peer.send(bot('s2', 'It is here.'))
  peer.send(bot('t2', null, { last: true, id: 4 }))
  const answer = await asking
  assert.deepEqual(answer.map((m) => m.stack[0].payload.content), ['It is here.'])
  assert.deepEqual(chat.seen, ['Hello!', 'It ', 'It is ', 'It is here.'])
  assert.equal(chat.locked, false)
  assert.equal(chat.messages.length, 5)
})

test('a lost connection is opened again, at the same place, and what was missed is found', async (t) => {
  const chain = []
  const { peers, client } = await hub(t, {
    'conversations/from_sender/?sender=u-77': [{ id: 12, platform_conversation_id: 'c-1' }],
    'conversations/12/': { id: 12, msgs_chain: chain },
  })
  const chat = client({ conversation: 'c-1' })
  await chat.connect()
  const first = await peers.take('socket')
  first.send(bot('s1', 'Hello!', { id: 1, last: true }))
  await event(chat, 'turn')
  chat.send('Well?')
  await first.next()
  chain.push(
    { ...bot('s1', 'Hello!', { id: 1, last: true }), send_time: '2024-11-07T17:20:00Z' },
    { id: 2, sender: { type: 'human' }, stack: [{ type: 'message', payload: { content: 'Well?' } }], stack_id: null },
    { ...bot('s2', 'All is well.', { id: 3, last: true }), send_time: '2024-11-07T17:20:01Z' },
  )
  first.tcp.destroy()
  const turn = event(chat, 'turn')
  const second = await peers.take('second socket')
  assert.equal(second.url, first.url)
  await turn
  second.send(bot('s2', 'All is well.', { id: 3, last: true }))
  second.send(bot('s3', 'More.', { id: 4, last: true }))
  await event(chat, 'turn')
  assert.deepEqual(chat.seen, ['Hello!', 'All is well.', 'More.'])
  assert.deepEqual(chat.messages.map((m) => m.stack[0].payload.content), ['Hello!', 'Well?', 'All is well.', 'More.'])
  assert.equal(chat.state, 'open')
})

test('a conversation that goes on begins with its history', async (t) => {
  const { peers, requests, client } = await hub(t, {
    'conversations/from_sender/?sender=u-77': [{ id: 11, platform_conversation_id: 'other' }, { id: 12, platform_conversation_id: 'c-1' }],
    'conversations/12/': { id: 12, msgs_chain: [{ ...bot('s1', 'Hello!', { id: 1, last: true }), send_time: '2024-11-07T17:20:00Z' }] },
    'user-feedback/': { id: 5 },
  })
  const chat = client({ conversation: 'c-1', token: 'secret' })
  await chat.connect()
  assert.equal(chat.locked, false)
  assert.equal(chat.messages[0].send_time, Date.parse('2024-11-07T17:20:00Z'))
  assert.ok(requests.every((r) => r.headers.authorization === 'Token secret'))
  const peer = await peers.take('socket')
  const stars = { ...bot('s2', null, { id: 3, last: true }), stack: [{ type: 'star_rating', payload: {} }] }
  peer.send(stars)
  await event(chat, 'turn')
  assert.deepEqual(await chat.feedback(chat.messages[1], { star_rating: 4, star_rating_max: 5 }), { id: 5 })
  assert.deepEqual(JSON.parse(requests.at(-1).body), {
    message_source: 3, message_target: 1, feedback_data: { star_rating: 4, star_rating_max: 5 },
  })
  chat.reset(1)
  assert.deepEqual(await peer.next(), { reset: 1 })
  assert.equal(chat.messages.length, 1)
  assert.throws(() => chat.reset(99), /no message/)
  await assert.rejects(chat.history(99), { status: 404 })
})

test('a WebSocket may be handed in', async (t) => {
  const { peers, client } = await hub(t)
  const made = []
  class Own extends Socket {
    constructor(url) {
      super(url)
      made.push(url)
    }
  }
  await client({ WebSocket: Own }).connect()
  assert.deepEqual(made.map((url) => new URL(url).pathname), [(await peers.take('socket')).url])
})

test('closed for good: no further tries, and the reason', async (t) => {
  const { peers, client } = await hub(t)
  for (const [code, reason] of [[4000, '`No FSM found with name x`'], [3000, '`Authentication failed`']]) {
    const chat = client({ conversation: `c-${code}` })
    await assert.rejects(chat.connect(), /404/)
    const fresh = client()
    await fresh.connect()
    const peer = await peers.take('socket')
    const asking = fresh.ask('hello')
    peer.close(code, reason)
    await assert.rejects(asking, (error) => error.message === reason)
    assert.deepEqual([fresh.state, fresh.reason], ['closed', reason])
  }
  await new Promise((resolve) => setTimeout(resolve, 40))
  assert.equal(peers.size, 0)
})

test('faults, nonsense and time limits', async (t) => {
  const { peers, client } = await hub(t)
  const chat = client()
  await chat.connect()
  await assert.rejects(chat.connect(), /already/)
  const peer = await peers.take('socket')
  const fault = event(chat, 'fault')
  for (const frame of ['nonsense', '7', 'null', '{}']) peer.send(frame)
  peer.send({ type: 'response', status: 400, payload: { stack: ['This field is required.'] } })
  assert.deepEqual(await fault, { stack: ['This field is required.'] })
  await assert.rejects(chat.ask('hello', { timeout: 20 }), /does not end its turn/)
  const closing = chat.ask('hello')
  chat.close()
  await assert.rejects(closing, /closed/)
  for (const options of [{ flow: 'my flow' }, { user: 'a/b' }, { url: 'nowhere' }]) assert.throws(() => client(options))
  await assert.rejects(client({ url: 'http://127.0.0.1:1' }).connect(), /cannot reach the hub/)
})

test('files go to the place that the bubble names', async (t) => {
  let put
  const { peers, client } = await hub(t)
  const fetch = async (url, init) => {
    put = { url, ...init }
    return { ok: true }
  }
  const chat = client({ fetch })
  await chat.connect()
  const peer = await peers.take('socket')
  const pdf = { max_size: 10, presigned_url: 'https://files.example/put', s3_path: 'uploads/1', content_type: 'application/pdf' }
  peer.send({ ...bot('s1', null, { last: true }), stack: [{ type: 'file_upload', payload: { content: 'Please', files: { pdf } } }] })
  await event(chat, 'turn')
  const file = (name, size) => Object.assign(new Blob(['x'.repeat(size)]), { name })
  await assert.rejects(chat.upload(chat.messages[0], file('a.exe', 1)), /no files of type exe/)
  await assert.rejects(chat.upload(chat.messages[0], file('a.pdf', 11)), /at most 10 bytes/)
  await chat.upload(chat.messages[0], file('Bill.PDF', 9))
  assert.deepEqual([put.url, put.method, put.headers['content-type']], [pdf.presigned_url, 'PUT', 'application/pdf'])
  assert.deepEqual((await peer.next()).stack, [{ type: 'file_uploaded', payload: { s3_path: 'uploads/1', name: 'Bill.PDF' } }])
})
