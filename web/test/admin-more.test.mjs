// The admin pages, further: deleting, dead letters that are found and changed, the last use of tokens, unsaved changes.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { axe, shot, sound, start, until } from './harness.mjs'

const hub = await start()
let grace

before(async () => {
  grace = await hub.user({ name: 'Grace Admin', role: 'admin' })
})

const open = (path, more) => hub.as(grace, { path, ...more })
const close = async (page) => {
  sound(page)
  await page.context().close()
}
const there = async (path) => (await fetch(hub.url + path, { headers: { Authorization: 'Bearer ' + hub.token } })).ok

// dead lets messages die on a channel of their own, whose platform refuses all.
async function dead(name, texts) {
  const { channel, key } = await hub.channel(name, { settings: { key: `key-of-${name.toLowerCase()}-0123456789abcdef`, fail: 'rejected' } })
  const c = await hub.say('dora', 'hi', { channel, key })
  await Promise.all(texts.map((text) => hub.api('POST', `/v1/conversations/${c.id}/messages`, { text })))
  await until('all are dead', async () => (await hub.api('GET', '/v1/dead-letters?limit=200&channel=' + channel)).items.length === texts.length)
  return { channel, c }
}

// remove presses a delete button and confirms it.
async function remove(page, title) {
  await page.getByRole('button', { name: title }).click()
  await page.getByRole('dialog').getByRole('button', { name: title }).click()
}

test('a queue is deleted once nothing leads to it; until then the page says what does', async () => {
  await hub.queue('spare', { title: 'Spare queue' })
  await hub.api('PUT', '/v1/flows/leads', { states: [{ name: 'a', initial: true, events: [{ hand_over: { queue: 'spare' } }] }] })
  const page = await open('/admin/queues/spare')
  await remove(page, 'Delete the queue')
  await page.getByRole('dialog').getByText('the flow leads hands over to it').waitFor()
  await axe(page)
  await shot(page, 'admin-delete-refused')
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await hub.api('DELETE', '/v1/flows/leads')
  await page.getByLabel('Title').fill('Never saved') // what is deleted asks nothing any more
  await remove(page, 'Delete the queue')
  await page.getByRole('heading', { name: 'Queues' }).waitFor()
  await page.getByRole('link', { name: 'Spare queue' }).waitFor({ state: 'detached' })
  assert.ok(!(await there('/v1/queues/spare')))
  await close(page)
})

test('an own state and a flow with its draft are deleted', async () => {
  await hub.api('PUT', '/v1/agent-states/lunch', { title: 'Lunch', available: false })
  const say = { states: [{ name: 'a', initial: true, events: [{ say: 'hi' }] }] }
  for (const name of ['old', 'old.draft']) await hub.api('PUT', '/v1/flows/' + name, say)
  await hub.channel('Flow test', { flow: 'old.draft' })
  const page = await open('/admin/states/active')
  await page.getByRole('heading', { name: 'active' }).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Delete the state' }).count(), 0)
  await page.goto('/admin/states/lunch')
  await remove(page, 'Delete the state')
  await page.getByRole('heading', { name: 'Agent states' }).waitFor()
  await page.getByRole('link', { name: 'Lunch' }).waitFor({ state: 'detached' })
  await page.goto('/admin/flows/old')
  await remove(page, 'Delete the flow')
  await page.getByRole('heading', { name: 'Flows' }).waitFor()
  assert.ok(!(await there('/v1/flows/old')) && !(await there('/v1/flows/old.draft')))
  await close(page)
})

test('dead letters are found by the server, sent with other words, and the reason stands in the audit log', async () => {
  const { channel, c } = await dead('Broken', ['Ärger with pears', ...Array.from({ length: 50 }, (_, i) => 'letter ' + i)])
  await hub.api('PATCH', '/v1/channels/' + channel, { settings: { fail: 'none' } })
  const page = await open('/admin/letters')
  const list = page.getByRole('list', { name: 'Dead letters' })
  await until('the first page', async () => (await list.getByRole('listitem').count()) === 50)
  await page.getByRole('button', { name: 'Try all shown again (50+)' }).waitFor()
  await page.getByRole('button', { name: 'More', exact: true }).click()
  await until('the rest', async () => (await list.getByRole('listitem').count()) === 51)
  await page.getByLabel('Failure').selectOption('gone')
  await page.getByText('Choose a wider filter').waitFor()
  await page.getByLabel('Failure').selectOption('rejected')
  await page.getByLabel('In the text or the answer').fill('ÄRGER')
  await until('one is found', async () => (await list.getByRole('listitem').count()) === 1)
  await page.getByRole('button', { name: 'Edit and send' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Text').fill('Joy with pears')
  await dialog.getByLabel('Reason').fill('a slip of the pen')
  await axe(page)
  await shot(page, 'admin-letter-edit')
  await dialog.getByRole('button', { name: 'Send' }).click()
  await list.getByText('Sent anew').waitFor()
  await until('it has arrived', async () => (await hub.api('GET', `/v1/conversations/${c.id}/events?limit=200`)).items.some((e) => e.status === 'sent' && JSON.stringify(e.message).includes('Joy with pears')))
  await page.goto('/admin/audit?act=replayDeadLetter')
  await page.getByText('Reason: a slip of the pen').waitFor()
  assert.ok(!(await page.content()).includes('pears'), 'the audit log keeps what was said')
  await close(page)
})

test('a token shows when it was used last', async () => {
  const { token } = await hub.api('POST', '/v1/tokens', { name: 'crm', scopes: ['read'] })
  const page = await open('/admin/tokens')
  const row = page.getByRole('listitem').filter({ hasText: 'crm' })
  await row.getByText('no use noted').waitFor()
  assert.ok((await fetch(hub.url + '/v1/me', { headers: { Authorization: 'Bearer ' + token } })).ok)
  await until('the use is noted', async () => (await hub.api('GET', '/v1/tokens')).items.find((x) => x.name === 'crm').last_used_at)
  await page.reload()
  await row.getByText(/last used/).waitFor()
  await close(page)
})

test('unsaved changes are asked about, whichever way one leaves: menu, keys, back', async () => {
  await hub.queue('kept', { title: 'Kept' })
  const page = await open('/admin/queues', { width: 320 })
  await page.getByRole('link', { name: 'Kept' }).click()
  await page.getByLabel('Title').fill('Another title')
  const asked = []
  let leave = false
  page.on('dialog', (d) => (asked.push(d.message()), leave ? d.accept() : d.dismiss()))
  const stays = async (how, n) => {
    await until('it is asked: ' + how, () => asked.length === n)
    assert.ok(page.url().endsWith('/admin/queues/kept'), how + ': ' + page.url())
    assert.equal(await page.getByLabel('Title').inputValue(), 'Another title')
  }
  await page.locator('.admin-menu').getByRole('button').click()
  await page.getByRole('menuitemradio', { name: 'Teams' }).or(page.getByRole('menuitem', { name: 'Teams' })).first().click()
  await stays('menu', 1)
  await page.locator('.admin-back').click()
  await stays('link', 2)
  await page.evaluate(() => history.back())
  await stays('back', 3)
  leave = true
  await page.locator('.admin-back').click()
  await page.getByRole('heading', { name: 'Queues' }).waitFor()
  assert.equal(asked.length, 4)
  await close(page)
})

test('the flow editor asks about unsaved changes before one is signed out, and once', async () => {
  await hub.api('PUT', '/v1/flows/kept', { states: [{ name: 'One', initial: true, events: [{ say: 'hi' }] }] })
  const page = await open('/admin/flows/kept/edit')
  const text = page.getByRole('textbox', { name: 'Definition' })
  await text.fill('{"mine": true}')
  const asked = []
  let leave = false
  page.on('dialog', (d) => (asked.push(d.message()), leave ? d.accept() : d.dismiss()))
  const out = async () => {
    await page.getByRole('button', { name: 'Grace Admin: settings and sign out' }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
  }
  await out()
  await until('it is asked', () => asked.length === 1)
  assert.equal(await text.inputValue(), '{"mine": true}')
  assert.ok(await page.evaluate(() => fetch('/v1/session').then((r) => r.ok)), 'she is signed out all the same')
  leave = true
  await out()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  assert.equal(asked.length, 2)
  await close(page)
})

test('dead letters from right to left, narrow and dark', async () => {
  await dead('Narrow', ['a narrow one'])
  const page = await open('/admin/letters', { width: 320, theme: 'dark', settings: { language: 'ar' } })
  await page.getByRole('searchbox').fill('a narrow one')
  await until('one is found', async () => (await page.locator('.letter').count()) === 1)
  assert.equal(await page.evaluate(() => document.dir), 'rtl')
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 320, 'it scrolls sideways')
  await axe(page)
  await shot(page, 'admin-letters-narrow')
  await close(page)
})
