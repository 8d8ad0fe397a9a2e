// Runs the JavaScript of docs/sdk.md: its blocks are one module.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { listen, Mailbox } from './support/server.js'

const page = readFileSync(new URL('../../../docs/sdk.md', import.meta.url), 'utf8')

test('the examples of the page', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sdk-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const here = (file) => new URL(`../${file}.js`, import.meta.url).href
  const code = [...page.matchAll(/```js\n(.*?)```/gs)].map(([, block]) => block).join('\n')
    .replaceAll(/'@dragoman\/sdk(?:\/(\w+))?'/g, (_, part = 'index') => `'${here(part)}'`)
  writeFileSync(join(folder, 'page.mjs'), code)
  const { check, flow, serve, visit } = await import(pathToFileURL(join(folder, 'page.mjs')))

  assert.deepEqual(await check(), [
    'Hello! What can I do for you?', 'Tracking', ['message_chunk', 'thumbs_rating'], 'It is on its way.',
  ])

  const { rpc, visitors } = { rpc: new Mailbox(), visitors: new Mailbox() }
  const host = await listen(t, (url) => (url.includes('/rpc/') ? rpc : url.includes('/ai/') ? new Mailbox() : visitors))
  const stop = new AbortController()
  const served = serve(`ws://${host}`, 'token', stop.signal)
  const worker = await rpc.take('worker')
  assert.equal((await worker.next()).data.name, flow.name)

  const drawn = []
  const visited = visit(`http://${host}`, (id, content) => drawn.push(content))
  const visitor = await visitors.take('visitor')
  await relay(worker, visitor, 'greet')
  await visitor.next()
  await relay(worker, visitor, 'track')
  assert.deepEqual(await visited, ['message_chunk', 'thumbs_rating'])
  assert.deepEqual(drawn, ['Hello! What can I do for you?', 'It is ', 'It is on its way.', 'It is on its way.', undefined])
  stop.abort()
  await served
})

// relay calls a function of the worker and gives the visitor what it answers, joined as a hub does.
async function relay(worker, visitor, name) {
  const ctx = { conversation_id: 1, transition_data: {} }
  worker.send({ type: 'rpc_request', status: 200, payload: { name, ctx } })
  let text = ''
  for (let last = false; !last;) {
    const { data: { ctx: _, ...data } } = await worker.next()
    if (data.stack[0]?.streaming) data.stack[0].payload.content = text += data.stack[0].payload.content
    visitor.send({ type: 'response', status: 200, sender: { type: 'bot' }, ...data })
    last = data.last
  }
}
