// The desk in every look: widths, themes, languages. The pictures of the documentation are made here.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { axe, everyLook, start, until } from './harness.mjs'

const hub = await start()
let ann, carla

before(async () => {
  ann = await hub.user({ name: 'Ann Bauer', queues: ['support'] })
  await hub.queue('sales', { title: 'Sales', members: [ann.id], settings: { first_reply_seconds: 900, next_reply_seconds: 900 } })
  const site = await hub.channel('Website', { queue: 'sales' })
  const shop = await hub.channel('Shop', { queue: 'support' })
  for (const [name, text, channel] of [
    ['Li Wei', 'Thanks, that is all!', shop],
    ['Amara Okafor', 'Is the blue one back in stock?', site],
    ['Jonas Lindqvist', 'I was charged twice for order 20117, can you look into it?', site],
    ['María José García-Hernández de la Torre', 'Hola, ¿hablan español?', shop],
    ['ليلى حداد', 'مرحبًا، أين طلبي؟', shop],
  ]) {
    const c = await hub.say(name, text, channel)
    await hub.api('POST', `/v1/conversations/${c.id}/assign`, { assignee: ann.id, queue: 'sales' })
    if (name === 'Li Wei') await hub.api('POST', `/v1/conversations/${c.id}/messages`, { text: 'You are welcome.' })
    if (name === 'Amara Okafor') await hub.api('PATCH', '/v1/conversations/' + c.id, { tags: { add: ['stock'] }, priority: 1 })
  }
  carla = await hub.say('Carla Mendes', 'hello')
  await hub.say('Carla Mendes', 'my parcel has not arrived yet, can I talk to a person?')
  await hub.api('POST', `/v1/conversations/${carla.id}/transfer`, { agent: ann.id, note: 'Second time this month: please be generous.' })
  await hub.api('POST', `/v1/conversations/${carla.id}/messages`, { text: 'Good morning Carla, I am looking into it. What is the number of your order?' })
  await hub.say('Carla Mendes', 'It is 1042. Here is the page: https://example.com/orders/1042')
  await hub.api('POST', `/v1/conversations/${carla.id}/notes`, { text: 'The carrier lost it; a new one goes out today.' })
  await hub.api('PATCH', '/v1/contacts/' + carla.contact.id, { language: 'pt-BR', properties: { city: 'Lisbon', customer: 'since 2021' } })
  await hub.api('PATCH', '/v1/conversations/' + carla.id, { tags: { add: ['parcel', 'vip'] } })
  const waits = await hub.say('Tomás Ruiz', 'Do you ship to Madeira?', shop)
  await hub.api('POST', `/v1/conversations/${waits.id}/transfer`, { queue: 'support' })
})

// stays lets a look be closed without making her inactive, which would come in the middle of the next one.
const stays = (page) => page.evaluate(() => addEventListener('pagehide', (e) => e.stopImmediatePropagation(), { capture: true }))

// active waits for the active look. A page that was loaded anew, for the hub was slow, says goodbye for her all the same.
const active = (page) =>
  until('she is active', async () => {
    await hub.api('POST', `/v1/agents/${ann.id}/state`, { state: 'active' })
    return page.locator('.state-dot.on').count()
  })

test('look 01: a conversation in every look', async () => {
  await everyLook(hub, ann, '/desk/c/' + carla.id, 'desk', async (page) => {
    await stays(page)
    await active(page)
    await page.getByRole('log').locator('.message').first().waitFor()
    await page.locator('[data-line=live]').waitFor({ state: 'attached' })
  })
})

test('look 02: the list in every look', async () => {
  await everyLook(hub, ann, '/desk', 'list', async (page) => {
    await stays(page)
    await page.locator('.chats .chat').first().waitFor()
    await page.locator('.offer').first().waitFor()
  })
})

test('look 03: dialogs in both themes', async () => {
  for (const theme of ['light', 'dark']) {
    const page = await hub.as(ann, { path: '/desk/c/' + carla.id, theme })
    await page.getByRole('log').locator('.message').first().waitFor()
    for (const [key, name] of [['t', 'Pass on'], ['z', 'Snooze'], ['l', 'Tag'], ['?', 'Keys'], ['Control+k', 'All commands']]) {
      await page.evaluate(() => document.activeElement?.blur())
      await page.keyboard.press(key)
      await page.getByRole('dialog', { name }).waitFor()
      await axe(page)
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
    await page.context().close()
  }
})

test('look 04: every target is large enough, and focus is seen', async () => {
  const page = await hub.as(ann, { path: '/desk/c/' + carla.id })
  await page.getByRole('log').locator('.message').first().waitFor()
  const small = await page.evaluate(() =>
    [...document.querySelectorAll('button, a[href], input, select, textarea, summary')]
      .filter((el) => el.checkVisibility() && !el.closest('.words'))
      .map((el) => [el, el.getBoundingClientRect()])
      .filter(([, r]) => r.width > 1 && r.height > 1 && (r.width < 24 || r.height < 24))
      .map(([el, r]) => `${el.className || el.tagName} ${Math.round(r.width)}x${Math.round(r.height)}`),
  )
  assert.deepEqual(small, [])
  const hidden = []
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab')
    const bad = await page.evaluate(() => {
      const el = document.activeElement
      if (!el || el === document.body) return ''
      const s = getComputedStyle(el)
      return s.outlineStyle === 'none' && !el.matches('input[type=checkbox], .chat-pick input') ? el.outerHTML.slice(0, 80) : ''
    })
    if (bad) hidden.push(bad)
  }
  assert.deepEqual(hidden, [])
})
