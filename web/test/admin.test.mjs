// The admin pages: an admin connects, builds, tries out, mends and looks after.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { axe, everyLook, shot, sound, start, until } from './harness.mjs'

const hub = await start({ args: ['--allow-private'] })
let grace

// telegram stands in for the Bot API: one bot with one good token, whose updates are what the test puts in.
const telegram = { good: '1042:good', updates: [], sent: [], id: 1 }
const platform = createServer(async (req, res) => {
  let body = ''
  for await (const chunk of req) body += chunk
  const [, token, method] = /^\/bot([^/]+)\/(\w+)/.exec(req.url) ?? []
  const answer = (status, v) => {
    res.writeHead(status, { 'Content-Type': 'application/json' })
    res.end(JSON.stringify(v))
  }
  if (token !== telegram.good) return answer(401, { ok: false, error_code: 401, description: 'Unauthorized' })
  if (method === 'getMe') return answer(200, { ok: true, result: { id: 1042, is_bot: true, first_name: 'Example', username: 'example_bot' } })
  if (method === 'getUpdates') {
    const offset = Number(JSON.parse(body || '{}').offset ?? new URLSearchParams(body).get('offset') ?? 0)
    telegram.updates = telegram.updates.filter((u) => u.update_id >= offset)
    const end = Date.now() + 1000
    while (telegram.updates.length === 0 && Date.now() < end && !req.destroyed) await new Promise((done) => setTimeout(done, 50))
    return answer(200, { ok: true, result: telegram.updates })
  }
  if (method === 'sendMessage') {
    telegram.sent.push(body)
    return answer(200, { ok: true, result: { message_id: 900 + telegram.sent.length, date: 1700000000, chat: { id: 7, type: 'private' }, text: 'x' } })
  }
  return answer(200, { ok: true, result: true })
})

before(async () => {
  await new Promise((done) => platform.listen(0, '127.0.0.1', done))
  grace = await hub.user({ name: 'Grace Admin', role: 'admin', queues: ['support'], capacity: 3 })
})
after(() => new Promise((done) => (platform.close(done), platform.closeAllConnections())))

const open = (path, more) => hub.as(grace, { path, ...more })
const close = async (page) => {
  sound(page)
  await page.context().close()
}

test('admin 35: a channel is connected step by step, a wrong token is named and mended, the first message arrives', async () => {
  const page = await open('/admin/channels/new')
  await page.getByRole('button', { name: /Telegram/ }).focus()
  await page.keyboard.press('Enter')
  await page.getByText('@BotFather and choose a name').waitFor()
  await page.getByLabel('Bot token').fill('nonsense')
  await page.getByLabel('Way in').selectOption('polling')
  await page.getByLabel('Bot API server').fill(`http://127.0.0.1:${platform.address().port}`)
  await page.getByRole('button', { name: 'Next' }).click()
  await page.getByText('must match').waitFor()
  assert.equal(await page.getByLabel('Bot token').getAttribute('aria-invalid'), 'true')
  await axe(page)
  await page.getByLabel('Bot token').fill('1042:wrong')
  await page.getByLabel('Name', { exact: true }).fill('Shop bot')
  await page.keyboard.press('Enter')

  await page.getByText('does not accept these credentials').waitFor()
  await axe(page)
  await shot(page, 'admin-setup-bad')
  await page.getByRole('link', { name: 'Change the settings' }).click()
  await page.getByLabel('Bot token').fill(telegram.good)
  await page.getByRole('region', { name: 'Unsaved changes' }).getByText('Bot token').waitFor()
  assert.equal(await page.getByText(telegram.good).count(), 0, 'the difference shows the secret')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('region', { name: 'Unsaved changes' }).waitFor({ state: 'detached' })

  await page.goto('/admin/channels') // left, and taken up again from the list
  await page.getByText('Not finished').waitFor()
  await page.getByRole('link', { name: 'Shop bot' }).click()
  await page.getByText('It works').waitFor()
  await page.getByRole('button', { name: 'Next' }).click()
  await page.getByRole('button', { name: 'Register it' }).click()
  await page.getByText('Registered at the platform').waitFor()
  await page.getByRole('button', { name: 'Next' }).click()
  await page.getByText('Waiting for the first message').waitFor()
  telegram.updates.push({ update_id: telegram.id++, message: { message_id: 5, date: 1700000000, chat: { id: 7, type: 'private', first_name: 'Ada' }, from: { id: 7, is_bot: false, first_name: 'Ada' }, text: 'Is anybody there?' } })
  await page.getByText('First message from Ada').waitFor()
  await page.getByText('Is anybody there?').waitFor()
  await page.getByRole('button', { name: 'Send a message now' }).click()
  await page.getByText('Sent', { exact: true }).waitFor()
  assert.ok(telegram.sent.some((b) => b.includes('Hello from Dragoman')), telegram.sent.join())
  await axe(page)
  await shot(page, 'admin-setup-first')
  await page.getByRole('button', { name: 'Finish' }).click()
  await page.getByRole('heading', { name: 'Shop bot is connected' }).waitFor()
  await page.goto('/admin/channels')
  await page.getByRole('link', { name: 'Shop bot' }).waitFor()
  assert.equal(await page.getByText('Not finished').count(), 0)
  await close(page)
})

test('admin 35: a channel is switched off and on, checked and deleted; a secret is never shown', async () => {
  const { channel } = await hub.channel('Spare')
  const page = await open('/admin/channels/' + channel)
  await page.getByRole('button', { name: 'Switch off' }).click()
  await until('the channel is off', async () => (await hub.api('GET', '/v1/channels/' + channel)).status === 'off')
  await page.getByRole('button', { name: 'Switch on' }).click()
  await page.getByRole('button', { name: 'Switch off' }).waitFor()
  await page.getByRole('button', { name: 'Check now' }).click()
  await page.getByText('It works').waitFor()
  assert.ok(!(await page.content()).includes('key-of-spare'))
  await page.getByRole('button', { name: 'Delete the channel' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete the channel' }).click()
  await page.getByRole('heading', { name: 'Channels' }).waitFor()
  await page.getByRole('link', { name: 'Spare' }).waitFor({ state: 'detached' })
  await close(page)
})

test('admin 36: a flow as a graph with live counts, its states, and the same as a table', async () => {
  const page = await open('/admin/flows/welcome')
  await page.getByText('Live', { exact: true }).waitFor()
  const before = await page.getByRole('button', { name: /^State Welcome/ }).getAttribute('aria-label')
  await hub.say('zoe', 'hello')
  await until('the count grows', async () => (await page.getByRole('button', { name: /^State Welcome/ }).getAttribute('aria-label')) !== before)
  await page.getByRole('button', { name: /^State Welcome/ }).focus()
  await page.keyboard.press('Enter')
  const panel = page.getByRole('region', { name: /^State Welcome/ })
  await panel.getByText('Leads from here to').waitFor()
  await panel.getByRole('button', { name: 'Person' }).first().click()
  await page.getByRole('region', { name: /^State Person/ }).waitFor()
  await page.getByRole('tab', { name: 'Table' }).click()
  await page.getByRole('columnheader', { name: 'Entered' }).waitFor()
  assert.equal(await page.getByRole('row').filter({ has: page.getByRole('button', { name: /^(Welcome|Order|Person|Bye)$/ }) }).count(), 4)
  await axe(page)
  await close(page)
})

test('admin 36: a draft is talked to before it goes live; faults are found in the text; versions are compared and taken back', async () => {
  await hub.api('PUT', '/v1/flows/shop', { states: [{ name: 'Hi', initial: true, events: [{ say: 'Old words' }] }], transitions: [] })
  const page = await open('/admin/flows/shop/edit')
  const area = page.getByLabel('Definition')
  await area.waitFor()
  const text = await area.inputValue()
  await area.fill(text.replace('"transitions": []', '"transitions": [{"dest": "Gone"}]'))
  await page.getByRole('button', { name: 'Let it go live' }).click()
  await page.getByRole('button', { name: /there is no state "Gone"/ }).click()
  assert.equal(await area.evaluate((el) => el.value.slice(el.selectionStart, el.selectionEnd)), '"dest": "Gone"')
  await axe(page)
  assert.equal((await hub.api('GET', '/v1/flows/shop')).version, 1, 'something broken went live')

  await area.fill(text.replace('Old words', 'New words'))
  await page.getByLabel('Your message').fill('hello')
  await until('the line is live', () => page.getByRole('button', { name: 'Send' }).isEnabled())
  await page.keyboard.press('Enter')
  await page.getByRole('log').getByText('New words').waitFor()
  assert.equal((await hub.api('GET', '/v1/flows/shop')).version, 1, 'the draft went live by itself')
  await shot(page, 'admin-flow-edit')
  await page.getByRole('button', { name: 'Let it go live' }).click()
  await until('the version is live', async () => (await hub.api('GET', '/v1/flows/shop')).version === 2)

  await page.getByRole('link', { name: 'Versions' }).click()
  const diff = page.getByRole('region', { name: 'What changed' })
  await diff.getByText('New words').waitFor()
  await diff.getByText('Old words').waitFor()
  await axe(page)
  await page.getByRole('button', { name: 'Make shop 1 the newest again' }).click()
  await until('the old words are live', async () => (await hub.api('GET', '/v1/flows/shop')).version === 3)
  await page.goto('/admin/flows')
  await page.getByRole('link', { name: 'shop', exact: true }).waitFor()
  assert.equal(await page.getByRole('link', { name: /draft/ }).count(), 0)
  await close(page)
})

test('admin 37: a queue in sentences, unsaved changes as a difference, and the past under another rule', async () => {
  const page = await open('/admin/queues/new')
  await page.getByLabel('Name', { exact: true }).fill('sales')
  await page.getByLabel('Who is asked').selectOption('least_busy')
  await page.getByRole('checkbox', { name: 'Grace Admin' }).check()
  await page.getByText('the free member with the fewest conversations').waitFor()
  await page.getByText('Members are Grace Admin.').waitFor()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: 'sales' }).waitFor()
  await page.getByRole('button', { name: 'Save' }).and(page.locator(':disabled')).waitFor()
  await page.getByLabel('Time to accept').fill('60')
  const changes = page.getByRole('region', { name: 'Unsaved changes' })
  await changes.getByText('Time to accept').waitFor()
  await page.getByText('has 60 s to accept').waitFor()
  await axe(page)
  await shot(page, 'admin-queue')
  page.once('dialog', (d) => d.dismiss()) // whoever goes away is asked
  await page.getByRole('link', { name: 'Teams' }).click()
  await changes.waitFor()
  assert.equal(new URL(page.url()).pathname, '/admin/queues/sales')
  await page.getByRole('button', { name: 'Discard changes' }).click()
  await changes.waitFor({ state: 'detached' })
  await page.getByLabel('Close after silence').fill('30')
  await page.getByRole('button', { name: 'Save' }).click()
  await until('the queue is stored', async () => (await hub.api('GET', '/v1/queues/sales')).settings.close_after_minutes === 30)
  await changes.waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Try it' }).click()
  await page.getByText('Nothing came in during that time').waitFor()
  await page.goto('/admin/queues/support')
  await page.getByRole('button', { name: 'Try it' }).waitFor()
  await close(page)
})

test('admin 37: teams, business hours, agents and states', async () => {
  const page = await open('/admin/teams/new')
  await page.getByLabel('Name', { exact: true }).fill('night')
  await page.getByRole('checkbox', { name: 'Grace Admin' }).check()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: 'night' }).waitFor()
  assert.deepEqual((await hub.api('GET', '/v1/teams/night')).members, [grace.id])

  await page.goto('/admin/hours/new')
  await page.getByLabel('Name', { exact: true }).fill('office')
  await page.getByLabel('Monday').fill('9:00 - 12:00, 13:00 - 17:30')
  await page.getByLabel('Days off').fill('2026-12-25')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: 'office' }).waitFor()
  const hours = await hub.api('GET', '/v1/hours/office')
  assert.deepEqual(hours.week.mon, [['09:00', '12:00'], ['13:00', '17:30']])
  assert.deepEqual(hours.closed, ['2026-12-25'])
  await page.getByLabel('Monday').fill('late')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('spans are from and to').waitFor()
  await axe(page)

  await page.goto('/admin/states/new')
  await page.getByLabel('Name', { exact: true }).fill('lunch')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: 'lunch' }).waitFor()

  await page.goto('/admin/agents')
  await page.getByRole('link', { name: 'Grace Admin' }).click()
  await page.getByLabel('Conversations at once').fill('7')
  await page.getByRole('textbox', { name: 'Add to: Skills' }).fill('german')
  await page.keyboard.press('Enter')
  await page.getByLabel('Level of german').fill('3')
  await page.getByRole('button', { name: 'Save' }).click()
  await until('the agent is stored', async () => (await hub.api('GET', '/v1/agents/' + grace.id)).skills?.german === 3)
  await page.getByRole('button', { name: 'lunch' }).click()
  await until('the state is set', async () => (await hub.api('GET', '/v1/agents/' + grace.id)).state === 'lunch')
  await close(page)
})

test('admin 38: dead letters say why, and are tried again one by one and together, at a pace, and stay in the list', async () => {
  const { channel, key } = await hub.channel('Broken', { settings: { key: 'key-of-broken-0123456789abcdef', fail: 'rejected' } })
  for (const who of ['a', 'b', 'c']) {
    const c = await hub.say('dead-' + who, 'hi', { channel, key })
    await hub.api('POST', `/v1/conversations/${c.id}/messages`, { text: 'never arrives ' + who })
  }
  await until('three dead letters', async () => (await hub.api('GET', '/v1/dead-letters')).items.length === 3)
  const page = await open('/admin/letters')
  const list = page.getByRole('list', { name: 'Dead letters' })
  await until('all are shown', async () => (await list.getByRole('listitem').count()) === 3)
  await list.getByText('rejected').first().waitFor()
  await list.getByRole('button', { name: 'Payload' }).first().click()
  await list.locator('pre').getByText('"attempts"').waitFor()
  await axe(page)
  await shot(page, 'admin-letters')
  await page.getByLabel('In the text or the answer').fill('arrives b')
  await until('one is left', async () => (await list.getByRole('listitem').count()) === 1)
  await hub.api('PATCH', '/v1/channels/' + channel, { settings: { fail: 'none' } })
  await list.getByRole('button', { name: 'Try again' }).click()
  await list.getByText('On its way again').waitFor()
  await page.getByLabel('In the text or the answer').fill('')
  await page.getByRole('checkbox', { name: 'Choose: never arrives a' }).check()
  await page.getByRole('button', { name: 'Try chosen again (1)' }).click()
  await page.getByText('Tried again: 1 of 1').waitFor()
  await page.getByRole('button', { name: 'Try all shown again (1)' }).click()
  await until('all are on their way', async () => (await list.getByText('On its way again').count()) === 3)
  await until('none is left', async () => (await hub.api('GET', '/v1/dead-letters')).items.length === 0)
  await page.getByRole('button', { name: 'Load again' }).click()
  await page.getByText('Nothing is stuck').waitFor()
  await close(page)
})

test('admin 39: a token is shown once, works, is revoked at once; the audit log has it with before and after', async () => {
  const page = await open('/admin/tokens')
  await page.getByRole('button', { name: 'New token' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('crm')
  await dialog.getByRole('checkbox', { name: /Write/ }).check()
  await axe(page)
  await dialog.getByRole('button', { name: 'Make and show it once' }).click()
  const token = await page.getByRole('textbox', { name: 'Token' }).inputValue()
  assert.match(token, /^drg_/)
  await axe(page)
  await page.getByRole('button', { name: 'I have kept it' }).click()
  const ask = () => fetch(hub.url + '/v1/me', { headers: { Authorization: 'Bearer ' + token } }).then((r) => r.status)
  assert.equal(await ask(), 200)
  await page.reload()
  const row = page.getByRole('listitem').filter({ hasText: 'crm' })
  await row.getByText('Read, Write').waitFor()
  assert.ok(!(await page.content()).includes(token), 'the token is shown twice')
  await row.getByRole('button', { name: 'Revoke' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await row.getByText('Revoked', { exact: true }).waitFor()
  assert.equal(await ask(), 401)

  await page.goto('/admin/audit')
  await page.getByRole('textbox', { name: 'Operation' }).fill('revokeToken')
  await page.keyboard.press('Enter')
  const act = page.getByRole('listitem').filter({ hasText: 'revokeToken' })
  await act.getByText('Grace Admin').waitFor()
  await act.getByRole('button', { name: /Changes/ }).click()
  await act.getByRole('rowheader', { name: 'scopes' }).waitFor()
  const channel = '/v1/channels/' + hub.note.channel
  await hub.api('PATCH', channel, { name: 'Renamed' })
  await hub.api('PATCH', channel, { name: 'Terminal' })
  await page.goto('/admin/audit?act=changeChannel')
  await page.getByRole('button', { name: /Changes/ }).first().click()
  await page.getByRole('deletion').getByText('Renamed').waitFor()
  await page.getByRole('insertion').getByText('Terminal').waitFor()
  await axe(page)
  await shot(page, 'admin-audit')
  await close(page)
})

test('admin 39: a user is invited with a link that is shown once, changed and disabled; a role is made', async () => {
  const page = await open('/admin/users')
  await page.getByRole('button', { name: 'Invite a user' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('E-mail').fill('new@example.com')
  await dialog.getByLabel('Name').fill('Newcomer')
  await dialog.getByRole('button', { name: 'Invite and show the link' }).click()
  const link = await page.getByRole('textbox', { name: 'Link' }).inputValue()
  assert.match(link, /\/sign-in#drl_/)
  await page.getByRole('button', { name: 'I have kept it' }).click()
  await page.getByRole('link', { name: 'Newcomer' }).click()
  await page.getByLabel('Role').selectOption('supervisor')
  await page.getByRole('region', { name: 'Unsaved changes' }).getByText('supervisor').waitFor()
  await page.getByRole('button', { name: 'Save' }).click()
  const find = async () => (await hub.api('GET', '/v1/users?q=newcomer')).items[0]
  await until('the role is stored', async () => (await find()).role === 'supervisor')
  await page.getByRole('region', { name: 'Unsaved changes' }).waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Disable' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click()
  await until('the user is disabled', async () => (await find()).status === 'disabled')

  await page.goto('/admin/roles/new')
  await page.getByLabel('Name', { exact: true }).fill('night-shift')
  await page.getByRole('checkbox', { name: /channels.read/ }).check()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: 'night-shift' }).waitFor()
  assert.ok((await hub.api('GET', '/v1/roles/night-shift')).rights.includes('channels.read'))
  await close(page)
})

test('admin 40: canned replies, fields and actions', async () => {
  const page = await open('/admin/replies')
  await page.getByText('No canned reply yet').waitFor()
  await page.getByRole('link', { name: 'New reply' }).first().click()
  await page.getByLabel('Name', { exact: true }).fill('greeting')
  await page.getByLabel('English').fill('Hello {{contact.first_name|there}}!')
  await page.getByLabel('German').fill('Hallo {{nobody.knows}}')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('alert').first().waitFor()
  await page.getByLabel('German').fill('Hallo {{contact.first_name|du}}!')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: 'greeting' }).waitFor()
  assert.equal((await hub.api('GET', '/v1/replies/greeting')).texts.de, 'Hallo {{contact.first_name|du}}!')

  await page.goto('/admin/fields/new')
  await page.getByLabel('Name', { exact: true }).fill('size')
  await page.getByLabel('Type').selectOption('choice')
  await page.getByLabel('Choices').fill('Small\nLarge')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: 'size' }).waitFor()
  assert.deepEqual((await hub.api('GET', '/v1/fields/size')).choices, ['Small', 'Large'])

  await page.goto('/admin/actions/new')
  await page.getByLabel('Name', { exact: true }).fill('create_case')
  await page.getByLabel('Address').fill('https://crm.example.com/hooks/case')
  await page.getByRole('button', { name: 'Save' }).click()
  assert.match(await page.getByRole('textbox', { name: 'Secret' }).last().inputValue(), /^whsec_/)
  await page.getByRole('button', { name: 'I have kept it' }).click()
  await axe(page)
  await close(page)
})

test('admin 41: health in plain words', async () => {
  const page = await open('/admin/health')
  await page.getByText('The hub runs.').waitFor()
  await page.getByText('The database answers').waitFor()
  await page.getByText('Messages in').waitFor()
  await close(page)
})

test('admin 42: an agent finds no door to what the role does not allow', async () => {
  const bob = await hub.user({ name: 'Bob Agent' })
  const page = await hub.as(bob, { path: '/admin/tokens' })
  await page.getByRole('navigation', { name: 'Pages' }).waitFor()
  await page.getByText('There is no such page.').waitFor()
  assert.equal(await page.getByRole('link', { name: 'Users' }).count(), 0)
  await close(page)
})

for (const [name, path, ready] of [
  ['platforms', '/admin/channels/new', '.platform'],
  ['flow', '/admin/flows/welcome?as=graph&state=Welcome', '.graph img'],
  ['queue-edit', '/admin/queues/support', '.sentences'],
  ['health', '/admin/health', '.stat'],
]) {
  test('admin 43: every look of ' + name, async () => {
    await everyLook(hub, grace, path, 'admin-' + name, (page) => page.locator(ready).first().waitFor())
  })
}

test('admin 44: each chunk keeps its budget', async () => {
  const manifest = await (await fetch(hub.url + '/assets/manifest.json')).json()
  const sizes = []
  for (const [source, chunk] of Object.entries(manifest)) {
    if (!source.startsWith('src/admin/') || !chunk.file.endsWith('.js') || source.endsWith('.json')) continue
    const raw = Buffer.from(await (await fetch(`${hub.url}/${chunk.file}`)).arrayBuffer())
    sizes.push([source, gzipSync(raw, { level: 9 }).length])
  }
  assert.ok(sizes.length > 10, JSON.stringify(sizes))
  for (const [source, size] of sizes) assert.ok(size <= 45_000, `${source}: ${size} bytes`)
})
