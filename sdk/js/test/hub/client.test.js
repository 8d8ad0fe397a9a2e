// The client against a hub that compat/chatfaq starts, with a flow of its own: greeting, answers that grow, going back, coming back, files.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import { Client } from '../../client.js'

const url = process.env.DRAGOMAN_HUB

const texts = (messages) => messages.filter((m) => m.stack.length > 0).map((m) => `${m.sender.type}: ${m.stack[0].payload.content ?? m.stack[0].payload.name}`)

async function open(t, options = {}) {
  const chat = new Client({ url, flow: 'shop', retryAfter: 20, ...options })
  t.after(() => chat.close())
  chat.addEventListener('fault', ({ detail }) => { chat.fault = detail })
  await chat.connect()
  return chat
}

// until waits for an event after which ok holds; it may hold already.
function until(chat, what, ok) {
  if (ok()) return Promise.resolve()
  const types = ['message', 'turn', 'state']
  return new Promise((resolve, reject) => {
    const end = (settle, value) => {
      clearTimeout(timer)
      for (const type of types) chat.removeEventListener(type, see)
      settle(value)
    }
    const timer = setTimeout(() => end(reject, new Error(`never: ${what}: ${JSON.stringify(texts(chat.messages))}`)), 60_000)
    const see = () => { if (ok()) end(resolve) }
    for (const type of types) chat.addEventListener(type, see)
  })
}

const unlocked = (chat) => until(chat, 'the end of the turn', () => !chat.locked)

test('a greeting, an answer, and what is stored of them', async (t) => {
  const chat = await open(t, { metadata: { lang: 'en' } })
  await unlocked(chat)
  assert.deepEqual(texts(chat.messages), ['bot: Hello!', 'bot: What can I do for you?'])
  assert.deepEqual(texts(await chat.ask('parcel', { timeout: 60_000 })), ['bot: 1: parcel'])
  assert.deepEqual(texts(await chat.ask('again', { timeout: 60_000 })), ['bot: 2: again'])
  assert.equal(new Set(chat.messages.filter((m) => m.id).map((m) => m.id)).size, chat.messages.filter((m) => m.id).length)
  const [stored] = await chat.conversations()
  assert.equal(stored.platform_conversation_id, chat.conversation)
  const history = await chat.history(stored.id)
  assert.deepEqual(texts(history), texts(chat.messages))
  assert.ok(history.every((m) => typeof m.send_time === 'number'))
  assert.equal(chat.fault, undefined)
})

test('an answer is shown while it grows, as one bubble', async (t) => {
  const chat = await open(t)
  await unlocked(chat)
  const seen = []
  chat.addEventListener('message', ({ detail }) => seen.push([detail.stack_id, detail.stack[0].payload.content, detail.last_chunk]))
  chat.send('slowly')
  await until(chat, 'the beginning', () => seen.some(([, content]) => content === 'One '))
  assert.equal(chat.locked, true)
  assert.ok(seen.every(([, , complete]) => !complete))
  await fetch(new URL('/test/go-on', url), { method: 'POST' })
  await unlocked(chat)
  assert.equal(new Set(seen.map(([id]) => id)).size, 1)
  assert.deepEqual(seen.at(-1).slice(1), ['One two.', true])
  assert.equal(texts(chat.messages).filter((line) => line === 'bot: One two.').length, 1)
})

test('going back makes the flow forget', async (t) => {
  const chat = await open(t)
  await unlocked(chat)
  await chat.ask('one', { timeout: 60_000 })
  const before = chat.messages.findLast((m) => m.sender.type === 'bot' && m.id)
  assert.deepEqual(texts(await chat.ask('two', { timeout: 60_000 })), ['bot: 2: two'])
  chat.reset(before.id)
  assert.equal(chat.locked, false)
  assert.deepEqual(texts(await chat.ask('instead', { timeout: 60_000 })), ['bot: 2: instead'])
  const said = ['bot: Hello!', 'bot: What can I do for you?', 'human: one', 'bot: 1: one', 'human: instead', 'bot: 2: instead']
  assert.deepEqual(texts(chat.messages), said)
  assert.deepEqual(texts(await chat.history((await chat.conversations())[0].id)), said)
  assert.equal(chat.fault, undefined)
})

// line is a way to the hub that can be cut and mended.
async function line(t) {
  const { hostname: host, port } = new URL(url)
  const ends = new Set()
  let good = true
  const server = net.createServer((near) => {
    if (!good) {
      near.destroy()
      return
    }
    const far = net.connect({ host, port })
    for (const [end, other] of [[near, far], [far, near]]) {
      ends.add(end)
      end.on('error', () => {})
      end.on('close', () => {
        ends.delete(end)
        other.destroy()
      })
      end.pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    good = false
    for (const end of ends) end.destroy()
  }
  t.after(() => {
    cut()
    server.close()
  })
  return { url: `http://127.0.0.1:${server.address().port}`, cut, mend: () => { good = true } }
}

test('after a cut it goes on where it was, and has missed nothing', async (t) => {
  const way = await line(t)
  const chat = await open(t, { url: way.url })
  await unlocked(chat)
  await chat.ask('one', { timeout: 60_000 })
  way.cut()
  await until(chat, 'the cut', () => chat.state !== 'open')
  assert.throws(() => chat.send('lost'), /not connected/)
  const other = await open(t, { conversation: chat.conversation, user: chat.user })
  assert.deepEqual(texts(other.messages), texts(chat.messages)) // what was said before it came
  await other.ask('meanwhile', { timeout: 60_000 })
  way.mend()
  await until(chat, 'what was said meanwhile', () => chat.state === 'open' && texts(chat.messages).includes('bot: 2: meanwhile'))
  assert.deepEqual(texts(await chat.ask('back', { timeout: 60_000 })), ['bot: 3: back'])
  await until(other, 'the answer to the other one', () => texts(other.messages).includes('bot: 3: back'))
  for (const [who, lines] of [['chat', texts(chat.messages)], ['other', texts(other.messages)]]) {
    const ofBot = lines.filter((l) => l.startsWith('bot'))
    assert.deepEqual(ofBot, ['bot: Hello!', 'bot: What can I do for you?', 'bot: 1: one', 'bot: 2: meanwhile', 'bot: 3: back'], who)
  }
})

test('a file goes up, and the bot can read it', async (t) => {
  const chat = await open(t)
  await unlocked(chat)
  const [bubble] = await chat.ask('file', { timeout: 60_000 })
  const file = (name, content) => Object.assign(new Blob([content]), { name })
  await assert.rejects(chat.upload(bubble, file('bill.exe', 'x')), /no files of type exe/)
  await assert.rejects(chat.upload(bubble, file('bill.pdf', 'x'.repeat(1001))), /at most 1000 bytes/)
  const before = chat.messages.length
  await chat.upload(bubble, file('Bill.PDF', 'four euros'))
  await unlocked(chat)
  assert.deepEqual(texts(chat.messages.slice(before)), ['human: Bill.PDF', 'bot: Bill.PDF: 200 OK: four euros'])
})

test('a rating is kept, also where what it is about is the end of a turn', async (t) => {
  const chat = await open(t)
  await unlocked(chat)
  await chat.ask('one', { timeout: 60_000 })
  const end = chat.messages.at(-1)
  assert.deepEqual([end.stack, typeof end.id], [[], 'number'])
  const [bubble] = await chat.ask('rate', { timeout: 60_000 })
  const record = await chat.feedback(bubble, { star_rating: 4, star_rating_max: 5 })
  assert.deepEqual([record.message_source, record.message_target], [bubble.id, end.id])
  const listed = await fetch(new URL(`/back/api/broker/user-feedback/?message_source=${bubble.id}`, url))
  assert.deepEqual((await listed.json()).results.map((r) => r.feedback_data), [{ star_rating: 4, star_rating_max: 5 }])
})

test('a flow that is not there is told', async (t) => {
  const chat = new Client({ url, flow: 'nothing', conversation: 'c1', user: 'u1' })
  t.after(() => chat.close())
  await chat.connect()
  await until(chat, 'the refusal', () => chat.state === 'closed')
  assert.match(chat.reason, /No FSM found with name nothing/)
})
