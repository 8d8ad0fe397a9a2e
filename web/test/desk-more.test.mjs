// What the desk does beside the forty behaviours: actions, fields, mentions, conversations that we begin, signing out. And what a platform hears of it.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { onDesk } from './desk.mjs'
import { axe, everyLook, shot, sound, start, until } from './harness.mjs'

const hub = await start({ args: ['--allow-private'] })

// The other systems: hooks that agents run, and a platform that takes messages, changes and typing notices.
const heard = []
const answers = { '/case': { text: 'Case 4711 is open.', url: 'https://crm.example.com/4711', fields: { order_number: 17, unknown: 1 } } }
const others = createServer(async (req, res) => {
  let body = ''
  for await (const part of req) body += part
  heard.push({ path: req.url, id: req.headers['webhook-id'], ...JSON.parse(body || '{}') })
  const answer = answers[req.url] ?? {}
  const { status = 200, ...rest } = typeof answer === 'function' ? await answer() : answer
  res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(rest))
})
await new Promise((done) => others.listen(0, '127.0.0.1', done))
const there = `http://127.0.0.1:${others.address().port}`
after(() => (others.closeAllConnections(), others.close()))
const calls = (path, type, to) => heard.filter((x) => x.path === path && (!type || x.type === type) && (!to || x.data.to === to))

let ann, bob, site, platform, page

before(async () => {
  ann = await hub.user({ name: 'Ann Bauer', queues: ['help'] })
  bob = await hub.user({ name: 'Bob Stone', queues: ['help'] })
  await hub.user({ name: 'Sue Over', role: 'supervisor', state: 'inactive' }) // in no queue, and sees them all
  for (const [id, name] of [['cleo', 'Cleo Night'], ['dora', 'Dora Else']]) await hub.api('PUT', '/v1/agents/' + id, { name })
  await hub.queue('elsewhere', { members: ['dora'] })
  await hub.api('PUT', '/v1/teams/night', { members: ['cleo'] })
  await hub.queue('help', { title: 'Help', members: [ann.id, bob.id, 'team:night'] })
  site = await hub.channel('Shop', { queue: 'elsewhere' })
  const made = await hub.api('POST', '/v1/channels', {
    connector: 'webhook', name: 'Platform', queue: 'elsewhere',
    settings: { secret: 'a secret of the platform', url: there + '/platform', receive: { verify: { type: 'none' } }, edit: {}, delete: {}, typing: {} },
  })
  platform = made.id
  const field = (name, of, type, title, more = {}) => hub.api('PUT', '/v1/fields/' + name, { of, type, title, ...more })
  await field('order_number', 'conversation', 'number', 'Order')
  await field('kind', 'conversation', 'choice', 'Kind', { choices: ['parcel', 'bill'] })
  await field('promised', 'conversation', 'date', 'Promised for')
  await field('paid', 'conversation', 'yes_no', 'Paid')
  await field('city', 'contact', 'text', 'City')
  await field('plan', 'contact', 'choice', 'Plan', { choices: ['free', 'gold'] })
  const action = (name, title, more = {}) => hub.api('PUT', '/v1/actions/' + name, { title, url: there + '/' + name, queues: ['help'], ...more })
  await action('case', 'New case', { inputs: [{ name: 'subject', title: 'Subject', type: 'text', required: true }, { name: 'urgent', title: 'Urgent?', type: 'yes_no' }, { name: 'due', title: 'Due', type: 'date' }] })
  await action('slow', 'Look it up')
  await action('sales_only', 'Offer', { queues: ['elsewhere'] })
  page = await hub.as(ann)
  await page.getByText('Live', { exact: true }).waitFor()
})

const { log, key, field, message, conversation, events, open, given } = onDesk(hub, () => page)
const chat = (name, text) => given(ann, name, { site, text, queue: 'help' })

// arrive lets somebody do something on the platform.
const arrive = async (event) => {
  const res = await fetch(`${hub.url}/in/${platform}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(event) })
  assert.ok(res.ok, await res.text())
}

// onPlatform plants a conversation of the platform that Ann has.
async function onPlatform(name) {
  await arrive({ id: 'm-' + name, from: name, name, text: 'hello from ' + name })
  const c = await until('the conversation of ' + name, async () => (await hub.api('GET', '/v1/conversations?limit=200&channel=' + platform)).items.find((x) => x.thread.address === name))
  await hub.api('POST', `/v1/conversations/${c.id}/assign`, { assignee: ann.id, queue: 'help' })
  return { ...c, name, agent: ann.id }
}

const panel = (p = page) => p.getByRole('complementary', { name: 'Contact' })
const dialog = (name, p = page) => p.getByRole('dialog', { name })
const focused = (locator) => until('it has the focus', () => locator.evaluate((el) => el === document.activeElement))

// command runs one by the palette.
async function command(name, p = page) {
  await key('Control+k', p)
  await dialog('All commands', p).getByRole('combobox').fill(name)
  await p.keyboard.press('Enter')
  await dialog('All commands', p).waitFor({ state: 'detached' })
}

test('more 01: an action asks for what it needs, is seen while it runs, and its answer stands in the log', async () => {
  const c = await chat('Acton')
  await open(c)
  await key('o')
  await dialog('Run an action').getByRole('option', { name: 'New case' }).waitFor()
  assert.equal(await page.getByRole('option', { name: 'Offer' }).count(), 0, 'an action of another queue')
  await page.keyboard.type('case')
  await page.keyboard.press('Enter')
  const form = dialog('New case')
  await focused(form.getByLabel('Subject'))
  await axe(page)
  await page.keyboard.press('Enter')
  assert.ok(await form.isVisible(), 'a subject is wanted')
  await page.keyboard.type('Broken')
  await form.getByLabel('Urgent?').selectOption('Yes')
  await form.getByLabel('Subject').press('Enter')
  await log().getByText('Case 4711 is open.').waitFor()
  await log().getByText('Action: New case').waitFor()
  await log().getByText('Order: 17', { exact: true }).waitFor()
  await log().getByText(/unknown could not be set: there is no such field/).waitFor()
  assert.equal(await log().getByRole('link', { name: 'Open it there' }).getAttribute('href'), 'https://crm.example.com/4711')
  assert.deepEqual(calls('/case')[0].data.inputs, { subject: 'Broken', urgent: true })
  await log().locator('.run').waitFor({ state: 'detached' }) // the log may tell of it before the call is answered
  await panel().getByText('17', { exact: true }).waitFor()
  await axe(page)
  await shot(page, 'action')
})

test('more 02: while a hook takes its time one works on; one that fails says why, and the next try has the same id', async () => {
  const c = await chat('Slow')
  let go
  const released = new Promise((done) => (go = done))
  await page.route('**/actions/slow', (route) => released.then(() => route.continue()))
  answers['/slow'] = { status: 500, error: 'the archive is shut' }
  await open(c)
  await command('run an action')
  await dialog('Run an action').getByRole('option', { name: 'Look it up' }).click()
  await log().getByText('Look it up is being done…').waitFor()
  await field().fill('one moment')
  await page.keyboard.press('Enter')
  await message('one moment').waitFor()
  assert.equal(await log().getByRole('progressbar').count(), 1)
  go()
  await log().getByText(/Look it up failed:.*500.*the archive is shut/).waitFor()
  await axe(page)
  await shot(page, 'action-failed')
  answers['/slow'] = { text: 'Nothing was found.' }
  await log().getByRole('button', { name: 'Retry' }).click()
  await log().getByText('Nothing was found.').waitFor()
  assert.equal(new Set(calls('/slow').map((x) => x.id)).size, 1)
  assert.equal((await events(c.id)).filter((e) => e.kind === 'action').length, 1)

  await page.unroute('**/actions/slow')
  await page.route('**/actions/slow', (route) => route.abort())
  await key('o')
  await dialog('Run an action').getByRole('option', { name: 'Look it up' }).click()
  await log().getByText(/Look it up failed: The hub cannot be reached/).waitFor()
  await page.unroute('**/actions/slow')
  await log().getByRole('button', { name: 'Discard' }).click()
  await until('it is gone', async () => (await log().locator('.run').count()) === 0)
  sound(page)
})

test('more 03: what a hook’s inputs lack is said at the input, and nothing of it is lost', async () => {
  const c = await chat('Picky')
  await open(c)
  await page.route('**/actions/case', (route) =>
    route.fulfill({ status: 422, contentType: 'application/problem+json', body: '{"code":"invalid","detail":"x","errors":[{"path":"body.inputs.subject","detail":"is too vague"}]}' }),
  )
  await key('o')
  await dialog('Run an action').getByRole('option', { name: 'New case' }).click()
  await dialog('New case').getByLabel('Subject').fill('thing')
  await page.keyboard.press('Enter')
  await log().locator('.run').getByRole('button', { name: 'Change' }).click()
  const subject = dialog('New case').getByLabel('Subject')
  await focused(subject)
  assert.equal(await subject.inputValue(), 'thing')
  await dialog('New case').getByText('is too vague').waitFor()
  assert.equal(await subject.getAttribute('aria-invalid'), 'true')
  await axe(page)
  await page.unroute('**/actions/case')
  await subject.fill('The handle is broken')
  await page.keyboard.press('Enter')
  await log().getByText('Case 4711 is open.').waitFor()
  await log().locator('.run').waitFor({ state: 'detached' }) // the log may tell of it before the call is answered
})

test('more 04: a conversation’s fields are edited by their types, in place, and only what was changed is sent', async () => {
  const c = await chat('Field')
  await hub.api('PATCH', '/v1/conversations/' + c.id, { fields: { order_number: 5, promised: '2026-12-31' } })
  await open(c)
  await panel().getByText('Dec 31, 2026').waitFor()
  await key('i')
  await focused(panel().getByLabel('Kind').or(panel().getByLabel('Order')).first())
  await panel().getByLabel('Order').fill('1042.5')
  await panel().getByLabel('Kind').selectOption('bill')
  await panel().getByLabel('Paid').selectOption('No')
  await axe(page)
  await shot(page, 'fields')
  const sent = page.waitForRequest((r) => r.method() === 'PATCH')
  await panel().getByLabel('Order').press('Enter')
  assert.deepEqual((await sent).postDataJSON(), { fields: { order_number: 1042.5, kind: 'bill', paid: false } })
  await panel().getByText('1042.5').waitFor()
  await focused(panel().getByRole('button', { name: 'Edit the fields' }))
  await until('the hub has it', async () => (await conversation(c.id)).fields.order_number === 1042.5)
  assert.deepEqual((await conversation(c.id)).fields, { order_number: 1042.5, kind: 'bill', paid: false, promised: '2026-12-31' })
  await log().getByText(/Changed: .*Order.*1042\.5/).waitFor()

  await hub.api('PUT', '/v1/fields/kind', { of: 'conversation', type: 'choice', title: 'Kind', choices: ['parcel', 'bill', 'loan'] })
  await command('edit the fields')
  await panel().getByLabel('Promised for').fill('')
  await hub.api('PUT', '/v1/fields/kind', { of: 'conversation', type: 'choice', title: 'Kind', choices: ['loan'] })
  await panel().getByLabel('Kind').selectOption('parcel')
  await panel().getByRole('button', { name: 'Save' }).click()
  await panel().getByText('is none of loan').waitFor()
  await focused(panel().getByLabel('Kind'))
  assert.equal((await conversation(c.id)).fields.promised, '2026-12-31', 'a part was stored')
  await axe(page)
  await shot(page, 'field-wrong')
  await page.keyboard.press('Escape')
  await panel().getByText('Dec 31, 2026').waitFor()
  await hub.api('PUT', '/v1/fields/kind', { of: 'conversation', type: 'choice', title: 'Kind', choices: ['parcel', 'bill'] })
  sound(page)
})

test('more 05: a contact’s fields have their types, other properties are texts; what is wrong is said at the field', async () => {
  const c = await chat('Contacta')
  await hub.api('PATCH', '/v1/contacts/' + c.contact.id, { properties: { city: 'Oslo', since: '2019', orders: 3 } })
  await open(c)
  await panel().getByText('City', { exact: true }).waitFor()
  await command('edit the contact')
  await focused(panel().getByLabel('Name'))
  await panel().getByLabel('City').fill('')
  await panel().getByLabel('Plan').selectOption('gold')
  await panel().getByLabel('since').fill('2020')
  await page.route('**/v1/contacts/*', (route) =>
    route.request().method() === 'PATCH'
      ? route.fulfill({ status: 422, contentType: 'application/problem+json', body: '{"code":"invalid","detail":"x","errors":[{"path":"body.properties.plan","detail":"is sold out"}]}' })
      : route.continue(),
  )
  await panel().getByRole('button', { name: 'Save' }).click()
  await panel().getByText('is sold out').waitFor()
  await focused(panel().getByLabel('Plan'))
  await page.unroute('**/v1/contacts/*')
  await panel().getByRole('button', { name: 'Save' }).click()
  await panel().getByText('gold', { exact: true }).waitFor()
  const stored = async () => (await hub.api('GET', '/v1/contacts/' + c.contact.id)).properties
  await until('the hub has it', async () => (await stored()).plan === 'gold')
  assert.deepEqual(await stored(), { plan: 'gold', since: '2020', orders: 3 })
  await focused(panel().getByRole('button', { name: 'Edit the contact' }))
  await axe(page)
})

test('more 06: @ in a note picks from those who see the conversation; whom it is for is told', async () => {
  const c = await chat('Men')
  const other = await hub.as(bob)
  await other.getByText('Live', { exact: true }).waitFor()
  await open(c)
  await command('mention a colleague')
  const note = page.getByLabel('Write a note')
  const list = page.getByRole('listbox', { name: 'Mention a colleague' })
  const offered = async () => (await list.getByRole('option').allInnerTexts()).map((x) => x.split('\n').at(-1)).join()
  await until('all who see it are offered', async () => (await offered()) === 'Bob Stone,Cleo Night,Admin,Sue Over')
  await page.getByRole('status').getByText('Mention a colleague: 4 results').waitFor({ state: 'attached' })
  await axe(page)
  await shot(page, 'mention')
  await page.keyboard.press('ArrowDown')
  assert.equal(await page.evaluate(() => document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).textContent), 'CNCleo Night')
  await page.keyboard.press('Escape')
  await list.waitFor({ state: 'detached' })
  await page.keyboard.type('x')
  assert.equal(await list.count(), 0, 'Escape holds')
  await note.fill('')
  await page.keyboard.type('look, @bob st')
  await list.getByRole('option', { name: 'Bob Stone' }).waitFor()
  await page.keyboard.press('Tab')
  await until('the name is there', async () => (await note.inputValue()) === 'look, @Bob Stone ')
  await page.keyboard.type('and @cl')
  await list.getByRole('option', { name: 'Cleo Night' }).waitFor()
  await page.keyboard.press('Enter')
  await until('both are', async () => (await note.inputValue()) === 'look, @Bob Stone and @Cleo Night ')
  await page.keyboard.type('please')
  assert.equal(await list.count(), 0)
  await page.reload()
  await note.waitFor()
  await note.fill('look, @Bob Stone please') // Cleo is for nothing in it
  await page.keyboard.press('Enter')
  await message('look, @Bob Stone please').locator('.mention', { hasText: '@Bob Stone' }).waitFor()
  await until('the hub has it', async () => (await events(c.id)).some((e) => e.kind === 'note' && e.mentions?.join() === bob.id))
  await other.getByRole('status').getByText('Ann Bauer mentioned you: Men').waitFor({ state: 'attached' })
  await open(c, other)
  await message('look, @Bob Stone please', other).getByText('for you').waitFor()
  sound(other)
  await other.context().close()
  sound(page)
})

test('more 07: a conversation begins with an address, or with a contact found by name', async () => {
  await page.goto('/desk')
  await page.getByText('Live', { exact: true }).waitFor()
  await key('b')
  const start = dialog('New conversation')
  await start.getByRole('combobox', { name: 'To whom?' }).fill('new-person-7')
  await start.getByRole('option', { name: 'Write to the address new-person-7' }).waitFor()
  await axe(page)
  await page.keyboard.press('Enter')
  await start.getByLabel('Channel').selectOption('Shop')
  await until('the queue is hers', () => start.getByLabel('Queue').evaluate((el) => el.selectedOptions[0].textContent === 'Help'))
  await start.getByLabel('First message').fill('Good morning, your parcel is here.')
  await axe(page)
  await shot(page, 'start')
  await page.keyboard.press('Control+Enter')
  await message('Good morning, your parcel is here.').waitFor()
  const id = page.url().split('/').at(-1)
  const c = await conversation(id)
  assert.deepEqual([c.thread.address, c.assignee, c.queue], ['new-person-7', ann.id, 'help'])

  const old = await chat('Quirin Old')
  await command('new conversation')
  await start.getByRole('combobox').fill('quirin')
  await start.getByRole('option', { name: 'Quirin Old', exact: true }).click()
  await start.getByText('A conversation is open there already.').waitFor()
  await start.getByRole('button', { name: 'Open it' }).click()
  await page.locator('.thread-who h2', { hasText: 'Quirin Old' }).waitFor()
  await hub.api('POST', `/v1/conversations/${old.id}/close`, {})
  await panel().getByRole('button', { name: 'Write to this contact' }).click()
  await focused(start.getByLabel('Channel'))
  await start.getByLabel('First message').fill('One more thing.')
  await start.getByRole('button', { name: 'Send' }).click()
  await message('One more thing.').waitFor()
  assert.ok(!page.url().includes(old.id))
  sound(page)
})

test('more 08: where one may not write first the desk says why before, and the hub’s reason stands at the channel', async () => {
  const c = await chat('Windowed')
  await hub.api('POST', `/v1/conversations/${c.id}/close`, {})
  await page.route('**/v1/desk/channels', async (route) => {
    const body = await (await route.fetch()).json()
    for (const x of body.items) Object.assign(x.traits, { reply_window: 3600, initiate: x.name === 'Shop' })
    await route.fulfill({ json: body })
  })
  await page.goto('/desk')
  await page.getByText('Live', { exact: true }).waitFor()
  await key('b')
  const start = dialog('New conversation')
  await start.getByRole('combobox').fill('somebody')
  await page.keyboard.press('Enter')
  await start.getByLabel('Channel').selectOption('Platform')
  await start.getByText('On this channel people have to write first.').waitFor()
  assert.ok(await start.getByRole('button', { name: 'Send' }).isDisabled())
  await start.getByLabel('Channel').selectOption('Shop')
  await start.getByText(/only within 1h of the contact’s last one/).waitFor()
  await page.route('**/v1/conversations', (route) =>
    route.request().method() === 'POST' ? route.fulfill({ status: 409, contentType: 'application/problem+json', body: '{"code":"window_closed","detail":"send a template"}' }) : route.continue(),
  )
  await start.getByLabel('First message').fill('hello')
  await start.getByRole('button', { name: 'Send' }).click()
  await start.getByText('send a template').waitFor()
  await focused(start.getByLabel('Channel'))
  assert.equal(await start.getByLabel('First message').inputValue(), 'hello')
  await axe(page)
  await shot(page, 'start-refused')
  await page.route(/\/v1\/conversations\?/, async (route) => {
    const body = await (await route.fetch()).json()
    for (const x of body.items) x.last_in_at = '2020-01-01T00:00:00Z'
    await route.fulfill({ json: body })
  })
  await start.getByRole('button', { name: 'Somebody else' }).click()
  await start.getByRole('combobox').fill('windowed')
  await start.getByRole('option', { name: 'Windowed', exact: true }).click()
  await start.getByText(/more than 1h ago: this channel takes no free answers now/).waitFor()
  await page.unrouteAll({ behavior: 'ignoreErrors' })
  await page.goto('/desk')
})

test('more 09: one’s own message is changed and taken back, and the platform hears of both', async () => {
  const c = await onPlatform('Edith')
  await open(c)
  await field().fill('your parcel comes on Munday')
  await page.keyboard.press('Enter')
  const ours = log().locator('.message.out')
  await ours.getByText('Sent', { exact: true }).waitFor()
  await focused(field())
  await page.keyboard.press('ArrowUp')
  await until('it is there to be changed', async () => (await field().inputValue()) === 'your parcel comes on Munday')
  await page.keyboard.press('Escape')
  await until('it is not', async () => (await field().inputValue()) === '')
  await ours.hover()
  await ours.getByRole('button', { name: 'React, copy, change' }).click()
  await page.getByRole('menuitem', { name: 'Edit' }).click()
  await focused(field())
  await axe(page)
  await field().fill('your parcel comes on Monday')
  await page.route('**/messages/*', (route) => route.abort())
  await page.keyboard.press('Enter')
  const failed = page.locator('.toast', { hasText: 'Could not be changed.' })
  await failed.waitFor()
  await page.unroute('**/messages/*')
  await failed.getByRole('button', { name: 'Retry' }).click()
  await ours.getByText('your parcel comes on Monday').waitFor()
  await ours.getByText('edited', { exact: true }).waitFor()
  await until('the platform has the change', () => calls('/platform', 'message.updated').some((x) => x.data.text === 'your parcel comes on Monday'))
  await command('edit my last')
  await until('it is there again', async () => (await field().inputValue()) === 'your parcel comes on Monday')
  await page.keyboard.press('Escape')
  await command('take back my last')
  await ours.getByText('Taken back').waitFor()
  await until('the platform has taken it away', () => calls('/platform', 'message.deleted').length > 0)
  assert.equal(await ours.getByRole('button', { name: 'React, copy, change' }).count(), 0)
  await key('Control+k')
  await dialog('All commands').getByRole('combobox').fill('take back my last')
  await dialog('All commands').getByText('Nothing found.').waitFor()
  await page.keyboard.press('Escape')
  sound(page)
})

test('more 10: typing is told both ways; a note is told to nobody outside', async () => {
  const c = await onPlatform('Tippi')
  await open(c)
  await until('the desk shows it in both places', async () => {
    await arrive({ type: 'typing', timestamp: new Date().toISOString(), data: { from: 'Tippi' } })
    const shown = [log().getByText('Tippi writes…'), page.locator('.chat', { hasText: 'Tippi' }).getByText('writes…')]
    return (await Promise.all(shown.map((x) => x.isVisible()))).every(Boolean)
  })
  await arrive({ id: 'm-2', from: 'Tippi', name: 'Tippi', text: 'where is it?' })
  await message('where is it?').waitFor()
  await until('the notice is gone', async () => (await log().getByText('Tippi writes…').count()) === 0)
  await until('the platform hears of it', async () => {
    await field().press('h')
    return calls('/platform', 'typing', 'Tippi').length > 0
  })
  await field().fill('')

  const nota = await onPlatform('Nota')
  await open(nota)
  await key('n')
  const told = page.waitForResponse((r) => r.url().endsWith(nota.id + '/presence') && r.request().postDataJSON().doing === 'typing')
  await page.keyboard.type('hm')
  await told
  await page.getByLabel('Write a note').fill('')
  assert.equal(calls('/platform', 'typing', 'Nota').length, 0, 'the contact was told of a note')
})

test('more 11: who signs out leaves nothing behind, and is warned before', async () => {
  const eve = await hub.user({ name: 'Eve Sato', queues: ['help'] })
  const c = await hub.say('Leaving', 'hello', site)
  await hub.api('POST', `/v1/conversations/${c.id}/assign`, { assignee: eve.id, queue: 'help' })
  const p = await hub.as(eve, { path: '/desk/c/' + c.id })
  const kept = () => p.evaluate(() => Object.keys(localStorage).filter((k) => /draft|outbox/.test(k)))
  await p.route('**/messages', (route) => route.abort())
  await field(p).fill('never arrives')
  await p.keyboard.press('Enter')
  await message('never arrives', p).getByText('Waiting to be sent').waitFor()
  await field(p).fill('half a sen')
  await p.evaluate(() => localStorage.setItem('dragoman.draft.somebody.c', '{"text":"of another user"}'))
  await until('all three are kept', async () => (await kept()).length === 3)
  await command('sign out', p)
  const asked = dialog('Sign out', p)
  await asked.getByText('1 message waits to be sent. 1 draft is unfinished.').waitFor()
  await axe(p)
  await shot(p, 'sign-out')
  await asked.getByRole('button', { name: 'Stay' }).click()
  assert.equal(await field(p).inputValue(), 'half a sen')
  await p.getByRole('button', { name: 'Eve Sato: settings and sign out' }).click()
  await p.getByRole('menuitem', { name: 'Sign out' }).click()
  await asked.getByRole('button', { name: 'Delete and sign out' }).click()
  await p.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
  assert.deepEqual(await kept(), ['dragoman.draft.somebody.c'])
  await until('she is inactive', async () => (await hub.api('GET', '/v1/agents/' + eve.id)).state === 'inactive')
  await p.unroute('**/messages')
  await p.getByLabel('E-mail').fill(eve.email)
  await p.getByLabel('Password').fill(eve.password)
  await p.keyboard.press('Enter')
  await p.getByText('Live', { exact: true }).waitFor()
  await command('sign out', p) // nothing is left: nobody is asked
  await p.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
  assert.ok(!(await events(c.id)).some((e) => e.kind === 'message' && e.direction === 'out'))
  sound(p)
  await p.context().close()
})

test('more 12: all of it in every look', async () => {
  const c = await chat('Lookie')
  await hub.api('PATCH', '/v1/conversations/' + c.id, { fields: { order_number: 1042, promised: '2026-12-31', paid: false } })
  await hub.api('POST', `/v1/conversations/${c.id}/notes`, { text: 'The carrier lost it, @Ann Bauer: a new one goes out today.', mentions: [ann.id] })
  await hub.api('POST', `/v1/conversations/${c.id}/actions/case`, { inputs: { subject: 'Lost' } })
  answers['/slow'] = { status: 500, error: 'the archive is shut' }
  await everyLook(hub, ann, '/desk/c/' + c.id, 'more', async (p, look) => {
    await log(p).locator('.action-said').waitFor()
    await log(p).locator('.mention').waitFor()
    if (look.name === 'narrow' || look.name === 'rtl') {
      await key('b', p)
      await p.getByRole('dialog').getByRole('combobox').fill('+351 555 0142')
      await p.keyboard.press('Enter')
      await p.getByRole('dialog').locator('textarea').waitFor()
      await shot(p, 'start-' + look.name)
      await p.keyboard.press('Escape')
      await p.getByRole('dialog').waitFor({ state: 'detached' })
    }
    if (look.width > 1180) {
      await p.locator('.contact').getByText('Promised for').waitFor() // it knows the fields
      await key('i', p)
      await p.locator('.contact form select').first().waitFor()
    }
    await key('o', p)
    await p.getByRole('dialog').getByRole('option').nth(1).click()
    await log(p).locator('.run.bad').waitFor()
  })
})
