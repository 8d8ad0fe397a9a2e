// What the pages may cost, in figures that do not depend on how fast the machine is or what else it does: shifts of what is painted, requests,
// nodes, changes of the document, calls of functions. Times are measured by bench/pages.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, test } from 'node:test'
import { sound, start, until } from './harness.mjs'

const hub = await start()

// frames waits until the page has painted so many more.
const frames = (page, n = 2) =>
  page.evaluate(async (more) => {
    for (; more > 0; more--) await new Promise((done) => requestAnimationFrame(done))
  }, n)

// oneByOne lets each answer to a page come only when the page has painted what it has: every state on the way is seen, as on the slowest line.
async function oneByOne(page, which) {
  const asked = []
  let line = Promise.resolve()
  await page.route(which, (route) => {
    const { pathname } = new URL(route.request().url())
    if (pathname === '/v1/events') return route.fallback()
    asked.push(pathname)
    line = line.then(async () => {
      // while a style sheet is missing the page does not paint at all
      await Promise.race([frames(page).catch(() => {}), new Promise((done) => setTimeout(done, 300))])
      await route.fallback().catch(() => {})
    })
  })
  return asked
}

// shifts notes from now on how far things move by themselves.
const shifts = (page) =>
  page.addInitScript(() => {
    window.shifted = []
    new PerformanceObserver((l) => {
      for (const e of l.getEntries()) if (!e.hadRecentInput) window.shifted.push({ by: e.value, what: e.sources.map((s) => s.node?.className || s.node?.nodeName).join() })
    }).observe({ type: 'layout-shift', buffered: true })
  })

async function steady(page, most) {
  await frames(page, 4)
  const list = await page.evaluate(() => window.shifted)
  const sum = list.reduce((n, s) => n + s.by, 0)
  assert.ok(sum < most, `things move by ${sum}: ${JSON.stringify(list)}`)
}

// planted is an agent with a few conversations.
async function planted(name, chats) {
  const agent = await hub.user({ name })
  const source = await hub.channel(name)
  for (let i = 0; i < chats; i++) {
    const c = await hub.say(`${name} ${i}`, 'Where is my order? It should have come on Monday.', source)
    await hub.api('POST', `/v1/conversations/${c.id}/assign`, { assignee: agent.id })
  }
  return agent
}

test('budget 01: the desk comes into sight without moving, and asks for little', async () => {
  const ann = await planted('Ann', 4)
  const page = await hub.as(ann, { path: '/sign-in' })
  await shifts(page)
  const asked = await oneByOne(page, /\/(v1|assets)\//)
  await page.goto('/desk')
  await page.locator('.chats .chat').nth(3).waitFor()
  await steady(page, 0.005)
  const files = new Set(asked.filter((p) => p.startsWith('/assets/')))
  assert.ok(files.size <= 15, `${files.size} files: ${[...files]}`)
  const calls = asked.slice(0, asked.findIndex((p) => p.endsWith('/events'))).filter((p) => p.startsWith('/v1/'))
  assert.ok(calls.length <= 12, `${calls.length} calls: ${calls}`)
  sound(page)
  await page.context().close()
})

test('budget 02: so does a conversation that is opened by its address', async () => {
  const bob = await planted('Bob', 2)
  const { items } = await hub.api('GET', '/v1/conversations?limit=1&state=assigned&assignee=' + bob.id)
  const page = await hub.as(bob, { path: '/sign-in' })
  await shifts(page)
  await oneByOne(page, /\/(v1|assets)\//)
  await page.goto('/desk/c/' + items[0].id)
  await page.getByRole('log').getByText('Where is my order?').waitFor()
  await page.locator('.contact').getByText('Bob').first().waitFor()
  await steady(page, 0.005)
  sound(page)
})

test('budget 03: the widget moves nothing on the page that it comes to, closed and open', async () => {
  const shop = await hub.api('POST', '/v1/channels', { connector: 'webchat', name: 'Shop', settings: { title: 'Ask the shop', speaks_first: true }, flow: 'welcome' })
  const served = createServer((req, res) => {
    res.setHeader('Content-Type', 'text/html; charset=utf-8')
    res.end(`<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title><script src="${hub.url}/widget.js" data-channel="${shop.id}" async></script>
<h1>Shop</h1>${'<p>Everything for your garden.</p>'.repeat(60)}</html>`)
  })
  await new Promise((done) => served.listen(0, '127.0.0.1', done))
  after(() => served.close())
  const page = await hub.tab(await (await hub.browser()).newContext({ viewport: { width: 1024, height: 768 }, reducedMotion: 'reduce' }))
  await shifts(page)
  await oneByOne(page, hub.url + '/**')
  await page.goto(`http://localhost:${served.address().port}/`)
  const launcher = page.locator('dragoman-chat .launch')
  await launcher.waitFor()
  await steady(page, 0.001)
  await launcher.evaluate((b) => b.click()) // not by hand: what moves after a click of the visitor's would not count
  await page.getByRole('log').getByText('I am the sample flow').waitFor()
  await steady(page, 0.005)
  sound(page)
})
