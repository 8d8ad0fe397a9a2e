// The worker against a hub that compat/chatfaq starts: a flow, things to press, knowledge, and pages that parsers read.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from '../../client.js'
import { buttons, Knowledge, stream, text, Worker } from '../../index.js'

const { DRAGOMAN_HUB: url, DRAGOMAN_TOKEN: token } = process.env

const quiet = { warn() {}, error() {} }

// serve runs a worker until the test ends.
function serve(t, flow, options = {}) {
  const stop = new AbortController()
  const ended = new Worker({ url, token, flow, logger: quiet, ...options }).run({ signal: stop.signal })
  t.after(async () => {
    stop.abort()
    await ended
  })
}

// eventually asks until ok gives something; the hub tells nobody that a worker has come.
async function eventually(what, ok) {
  const deadline = AbortSignal.timeout(60_000)
  for (;;) {
    const found = await ok()
    if (found) return found
    if (deadline.aborted) throw new Error(`not in time: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const workers = async (name) => {
  const response = await fetch(new URL('/back/api/broker/sdks/', url), { headers: { authorization: `Token ${token}` } })
  return (await response.json()).results.some((w) => w.fsm_name === name)
}

test('a flow of a worker, a press, a prompt', async (t) => {
  serve(t, {
    name: 'js_choice',
    states: [{ name: 'Greeting', initial: true, events: ['greet'] }, { name: 'Chosen', events: ['chosen'] }],
    transitions: [{ dest: 'Chosen', conditions: ['pressed'] }],
    conditions: { pressed: (c) => c.pressed !== '' },
    events: {
      async *greet() { yield buttons('Sure?', [{ id: 'y', title: 'Yes' }, { id: 'n', title: 'No' }], { once: true }) },
      async *chosen(c) {
        yield stream(['You chose ', c.pressed])
        yield text(await c.ai.prompt('tone'))
      },
    },
  })
  await eventually('the worker', () => workers('js_choice'))
  const chat = new Client({ url, flow: 'js_choice' })
  t.after(() => chat.close())
  const [offered] = await opened(chat)
  assert.deepEqual(offered.stack[0].type, 'quick_replies')
  assert.deepEqual(offered.stack[0].payload, {
    content: 'Sure?', buttons: [{ title: 'Yes', payload: 'y' }, { title: 'No', payload: 'n' }],
  })
  const answer = await chat.ask([{ type: 'quick_replies', payload: [{ id: 'y' }] }], { timeout: 60_000 })
  assert.deepEqual(answer.map((m) => m.stack[0].payload.content), ['You chose y', 'Be kind.'])
})

// opened gives what the bot says first.
async function opened(chat) {
  const first = new Promise((resolve) => chat.addEventListener('turn', () => resolve(chat.messages), { once: true }))
  await chat.connect()
  return first
}

test('knowledge is written, read, changed', async () => {
  const k = new Knowledge({ url, token })
  for (const even of [true, false]) await k.add({ knowledge_base: 'js', title: `T${even}`, content: 'c', metadata: { even } })
  const titles = async (metadata) => {
    const all = []
    for await (const { title } of k.items('js', metadata)) all.push(title)
    return all
  }
  assert.deepEqual((await titles()).filter((title) => /^T/.test(title)), ['Ttrue', 'Tfalse'])
  assert.deepEqual(await titles({ even: false }), ['Tfalse'])
  const { id } = await k.add({ knowledge_base: 'js', title: 'Old', content: 'c' })
  assert.equal((await k.change(id, { title: 'New' })).title, 'New')
  assert.equal(await k.prompt('tone'), 'Be kind.')
  await assert.rejects(k.prompt('none'), /no prompt "none"/)
  await assert.rejects(k.add({ knowledge_base: 'zzz', content: 'c' }), { status: 404 })
  await assert.rejects(new Knowledge({ url, token: 'wrong' }).prompt('tone'), { status: 403 })
})

test('a parser reads a page into a base', async (t) => {
  serve(t, { name: 'js_reader', states: [{ name: 'Rest', initial: true }] }, {
    parsers: {
      async *js_pages({ url: page }) {
        if (page.endsWith('/bad')) throw new Error('cannot read it')
        yield { title: 'Returns', content: 'Within 14 days', url: page }
        yield { title: 'Parcels', content: 'By post', url: page, metadata: { page: 2 } }
      },
    },
  })
  const k = new Knowledge({ url, token })
  const read = (page) => eventually('the parser', () => k.read('js', 'js_pages', page).catch(({ status }) => {
    if (status !== 409) throw new Error(`HTTP ${status}`)
  }))
  const bad = await read('https://shop.example/bad')
  const good = await read('https://shop.example/returns')
  await eventually('the end', async () => (await k.source(good.id)).status === 'finished')
  assert.equal((await k.source(bad.id)).status, 'pending')
  const found = []
  for await (const item of k.items('js')) if (item.url === 'https://shop.example/returns') found.push([item.title, item.metadata])
  assert.deepEqual(found, [['Returns', {}], ['Parcels', { page: 2 }]])
})
