// Agents whose browser does not say goodbye.
import { test } from 'node:test'
import { start, until } from './harness.mjs'

const hub = await start({ args: ['--away-after', '1s'] })
await hub.queue('support', { rule: 'least_busy' })

test('desk: who closes all tabs in the same instant is away soon, and keeps what she has', async () => {
  const ann = await hub.user({ name: 'Ann Both', queues: ['support'] })
  const c = await hub.say('Both', 'hello', await hub.channel('Site', { queue: 'support' }))
  await until('it is offered', () => hub.api('POST', `/v1/conversations/${c.id}/accept`, { agent: ann.id }).then(() => true, () => false))
  const first = await hub.as(ann)
  const second = await hub.tab(first.context(), '/desk')
  for (const p of [first, second]) await p.locator('.state-dot.on').waitFor()
  await Promise.all([first.close(), second.close()]) // without a word to the page
  await until('she is away', async () => (await hub.api('GET', '/v1/agents/' + ann.id)).state === 'inactive')
  const now = await hub.api('GET', '/v1/conversations/' + c.id)
  if (now.state !== 'assigned' || now.assignee !== ann.id) throw new Error('it is ' + JSON.stringify(now))
})
