// The playground: both sides of a conversation and everything that goes over the wire.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { axe, everyLook, shot, sound, start, until } from './harness.mjs'

const hub = await start({ fresh: true })
const user = await hub.user({ name: 'Pia', role: 'admin', queues: ['support'] })

const rows = (page) => page.locator('.wire-row')
const row = (page, text) => rows(page).filter({ hasText: text })

// talk says something as the consumer and waits until the agent's side has it.
async function talk(page, text) {
  await page.getByLabel('Message of the consumer').fill(text)
  await page.keyboard.press('Enter')
  await page.getByRole('log', { name: 'What the agent sees' }).getByText(text, { exact: true }).waitFor()
}

// handedOver brings the sample flow to hand the consumer over.
async function handedOver(page) {
  await talk(page, 'hello')
  await page.getByRole('log', { name: 'What the consumer sees' }).getByRole('button', { name: 'Talk to a person' }).click()
  await page.getByText('Waiting in support').waitFor()
}

test('playground 40: a newcomer talks with the sample flow, takes over and answers', async () => {
  const page = await hub.as(user, { path: '/playground' })
  await handedOver(page)
  await page.getByRole('tab', { name: "The flow's view" }).click()
  await page.getByText('Person', { exact: true }).first().waitFor()
  await axe(page)
  await page.getByRole('tab', { name: 'Conversation', exact: true }).click()
  await page.getByText('Offered to you').waitFor()
  await page.getByRole('button', { name: 'Accept' }).click()
  await page.getByText('With an agent').waitFor()
  await page.getByLabel('Answer of the agent').fill('How can I help?')
  await page.keyboard.press('Enter')
  await page.getByRole('log', { name: 'What the consumer sees' }).getByText('How can I help?').waitFor()
  await page.getByLabel('Internal note: the consumer never sees it').check()
  await page.getByLabel('Text of the note').fill('only for us')
  await page.keyboard.press('Enter')
  await page.getByRole('log', { name: 'What the agent sees' }).getByText('only for us').waitFor()
  assert.equal(await page.getByRole('log', { name: 'What the consumer sees' }).getByText('only for us').count(), 0)
  await row(page, 'receipt').first().waitFor()
  await shot(page, 'playground')
  await axe(page)
  await page.getByRole('button', { name: 'Close conversation' }).click()
  await page.locator('.lab-bar').getByText('Closed').waitFor()
  await talk(page, 'one thing more')
  assert.equal(await page.locator('.lab-moved').getByText('Conversation opened').count(), 2, 'a new conversation begins')
  sound(page)
  await page.context().close()
})

test('playground 40: cause and effects are one chain, by the action', async () => {
  const page = await hub.as(user, { path: '/playground' })
  await talk(page, 'what about cause and effect?')
  const request = row(page, '/simulate').first()
  await request.click()
  const details = page.getByRole('region', { name: 'Details of the entry' })
  const effects = details.getByRole('heading', { name: 'Effects' }).locator('..').getByRole('button')
  await until('the reply, the message and what the flow did', async () => (await effects.count()) >= 4)
  await effects.filter({ hasText: 'message' }).first().click()
  await details.getByRole('heading', { name: 'Cause and other effects' }).waitFor()
  await details.getByRole('button', { name: 'Only cause and effects' }).click()
  await page.getByText('Only what belongs to action').waitFor()
  const shown = await rows(page).count()
  assert.ok(shown >= 5, `${shown} rows`)
  await axe(page)
  await shot(page, 'playground-chain')
  sound(page)
  await page.context().close()
})

test('playground 40: filters by kind, text and sequence number; pause and clear', async () => {
  const page = await hub.as(user, { path: '/playground' })
  await talk(page, 'needle in a haystack')
  await row(page, 'flow_step').first().waitFor()
  await page.getByRole('button', { name: 'Request', exact: true }).click()
  await row(page, 'flow_step').first().waitFor({ state: 'detached' })
  assert.ok(await row(page, '/simulate').count())
  await page.getByRole('button', { name: 'Request', exact: true }).click()
  await page.getByLabel('Text', { exact: true }).fill('NEEDLE in')
  await until('only what has the text', async () => (await rows(page).count()) > 0 && (await row(page, 'flow_step').count()) < 2 && (await row(page, 'opened').count()) === 0)
  await page.getByLabel('Text', { exact: true }).fill('')
  await page.getByLabel('Sequence number, such as 3 or 3-7').fill('1-2')
  await until('only these numbers', async () => {
    const all = await page.locator('.wire-more').allTextContents()
    return all.length > 0 && all.every((x) => /^#[12] /.test(x))
  })
  await page.getByLabel('Sequence number, such as 3 or 3-7').fill('')
  await page.getByRole('button', { name: 'Pause' }).click()
  const before = await page.getByRole('status').filter({ hasText: 'entries' }).textContent()
  await talk(page, 'unheard')
  await page.getByText(/[1-9]\d* not recorded/).waitFor()
  assert.equal((await page.getByRole('status').filter({ hasText: 'entries' }).textContent()).split(' · ')[0], before.split(' · ')[0])
  assert.equal(await row(page, 'unheard').count(), 0)
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByRole('button', { name: 'Clear' }).click()
  await page.getByText('every request and every event shows up here').waitFor()
  sound(page)
  await page.context().close()
})

test('playground 40: as curl, replayed, exported, without a secret', async () => {
  const page = await hub.as(user, { path: '/playground' })
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await talk(page, "it's me")
  await row(page, '/simulate').first().click()
  await page.getByRole('button', { name: 'Copy as curl' }).click()
  await page.getByText('Copied.').waitFor()
  const command = await page.evaluate(() => navigator.clipboard.readText())
  assert.match(command, /^curl -X POST 'http:.*\/v1\/channels\/.*\/simulate'/)
  assert.match(command, /Bearer \$TOKEN/)
  await page.getByLabel('Text', { exact: true }).fill('/simulate')
  const said = () => page.getByRole('log', { name: 'What the consumer sees' }).locator('.bubble.mine').count()
  const before = await said()
  await page.getByRole('button', { name: 'Replay' }).click()
  await page.getByRole('menuitem', { name: 'As a new request' }).click()
  await until('it is said again', async () => (await said()) === before + 1)
  await page.getByRole('button', { name: 'Replay' }).click()
  await page.getByRole('menuitem', { name: 'With the same Idempotency-Key' }).click()
  await row(page, '/simulate').nth(2).waitFor()
  await until('the answer of before', async () => {
    await page.getByLabel('Text', { exact: true }).fill('idempotency-replayed')
    return (await rows(page).count()) > 0
  })
  assert.equal(await said(), before + 1, 'the same key says it twice')
  await page.getByLabel('Text', { exact: true }).fill('')
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Export as JSON' }).click()
  const text = readFileSync(await (await download).path(), 'utf8')
  const file = JSON.parse(text)
  assert.ok(file.entries.some((e) => e.kind === 'request' && e.url.endsWith('/simulate') && e.body.text === "it's me"))
  assert.ok(file.entries.some((e) => e.kind === 'event' && e.body.kind === 'message'))
  const { csrf_token: csrf } = await page.evaluate(async () => (await fetch('/v1/session')).json())
  for (const secret of [csrf, hub.note.key, hub.token]) assert.ok(secret && !text.includes(secret), 'a secret was exported')
  assert.ok(file.entries.some((e) => e.headers['X-CSRF-Token'] === '***'))
  sound(page)
  await page.context().close()
})

test('playground 40: all of it by keys', async () => {
  const page = await hub.as(user, { path: '/playground' })
  await talk(page, 'only keys')
  await row(page, '/simulate').first().waitFor()
  await page.getByRole('heading', { name: 'Inspector' }).evaluate(() => document.activeElement.blur())
  await page.keyboard.press('k')
  await page.getByRole('region', { name: 'Details of the entry' }).waitFor()
  const first = await page.locator('.wire-row[aria-pressed=true]').textContent()
  await page.keyboard.press('k')
  await until('another entry is chosen', async () => (await page.locator('.wire-row[aria-pressed=true]').textContent()) !== first)
  await page.locator('.wire-row[aria-pressed=true]').focus()
  await page.keyboard.press('Enter')
  await page.getByRole('region', { name: 'Details of the entry' }).waitFor({ state: 'detached' })
  await page.keyboard.press('p')
  await page.getByRole('button', { name: 'Go on' }).waitFor()
  sound(page)
  await page.context().close()
})

test('playground 40: the page weighs at most 45 kB, its looks 4 kB', async () => {
  const manifest = await (await fetch(hub.url + '/assets/manifest.json')).json()
  const { file, css } = manifest['src/playground/index.tsx']
  const weight = async (path) => gzipSync(Buffer.from(await (await fetch(hub.url + '/' + path)).arrayBuffer()), { level: 9 }).length
  assert.ok((await weight(file)) <= 45_000, `${file}: ${await weight(file)}`)
  assert.ok((await weight(css[0])) <= 4000, `${css[0]}: ${await weight(css[0])}`)
})

test('playground 40: in every look', async () => {
  await everyLook(hub, user, '/playground', 'playground', async (page, look) => {
    await page.locator('.phone .writer input').fill('order')
    await page.keyboard.press('Enter')
    await page.locator('.phone .bubble:not(.mine)').first().waitFor()
    if (look.width < 1080) {
      await page.getByRole('tab').last().click()
      await page.locator('.wire-row').nth(2).waitFor()
      await axe(page)
      await shot(page, 'playground-inspector-' + look.name)
      await page.getByRole('tab').nth(1).click()
      await page.locator('.lab-line').first().waitFor()
      await axe(page)
      await shot(page, 'playground-agent-' + look.name)
      await page.getByRole('tab').first().click()
    } else await page.locator('.wire-row').nth(2).waitFor()
  })
})
