// The hand in the browser: it obeys orders, one line of JSON each, and answers each with a line. It ends when its input does.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Hub, until } from '../../web/test/harness.mjs'

const data = mkdtempSync(join(tmpdir(), 'dragoman-bench-'))
const hub = new Hub(data, ['--rate', '1000000'], false)
const pages = new Map() // by name
const people = new Map()

const orders = {
  async start() {
    await hub.start()
    return { url: hub.url, token: hub.token, pid: hub.child.pid, ...(await hub.channel('Bench')) }
  },

  async person({ name }) {
    people.set(name, await hub.user({ name }))
    return { id: people.get(name).id }
  },

  async open({ name, path }) {
    const page = await hub.as(people.get(name), { path })
    await page.evaluate(watch)
    page.cdp = await page.context().newCDPSession(page)
    await page.cdp.send('HeapProfiler.enable')
    await page.cdp.send('Performance.enable', { timeDomain: 'threadTicks' }) // work, not how long it took among others
    pages.set(name, page)
    return {}
  },

  // late tells how long each message was under way until it was in the document, and until it was painted.
  async late() {
    const lists = await Promise.all([...pages.values()].map((p) => p.evaluate(() => window.late.splice(0))))
    return { late: lists.flat() }
  },

  // sees waits until a page shows a text.
  async sees({ name, text }) {
    await until(name + ' sees ' + text, () => pages.get(name).evaluate((t) => document.body.textContent.includes(t), text), 600_000)
    return {}
  },

  // weigh is what a page holds once what it does not need is gone, and what it has worked so far.
  async weigh({ name }) {
    const { cdp } = pages.get(name)
    for (let i = 0; i < 3; i++) await cdp.send('HeapProfiler.collectGarbage')
    const of = await metrics(cdp)
    return { heap: of('JSHeapUsedSize'), nodes: of('Nodes'), listeners: of('JSEventListeners'), busy: of('TaskDuration') }
  },

  // vitals loads a page anew, in an empty browser, uses it as somebody would, and tells what that was like.
  async vitals({ what, name, slow, path, site }) {
    const context = await (await hub.browser()).newContext({ viewport: { width: 1440, height: 900 }, locale: 'en', baseURL: hub.url })
    context.setDefaultTimeout(120_000)
    try {
      if (name) await context.addCookies([await cookie(name)])
      const page = await hub.tab(context)
      await page.addInitScript(observe)
      const cdp = await context.newCDPSession(page)
      await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
      await film(page)
      const to = site ? await shop(site) : hub.url + path
      await page.goto(to, { waitUntil: 'commit' })
      await cdp.send('Emulation.setCPUThrottlingRate', { rate: slow }) // not before: the site's process is a new one
      await comes[what](page)
      await page.waitForTimeout(500) // what comes late belongs to the first paint, too
      const load = (await metrics(cdp))('TaskDuration')
      await uses[what](page)
      await page.waitForTimeout(300) // the last event's entry comes with a frame
      const use = (await metrics(cdp))('TaskDuration') - load
      const seen = await page.evaluate(() => window.vitals)
      return { ...seen, load, use, spin: await page.evaluate(calibrate) }
    } finally {
      await context.close()
    }
  },
}

// watch notes when texts with the mark @<time>#<number>; come into sight: in the frame after the one in which they came into the document.
function watch() {
  window.late = []
  const seen = new Set()
  const look = (node, now) => {
    for (const [mark, at] of (node.textContent ?? '').matchAll(/@(\d{13})#\d+;/g)) {
      if (seen.has(mark)) continue
      seen.add(mark)
      if (seen.size > 20_000) seen.delete(seen.values().next().value)
      now.push(Number(at))
    }
  }
  new MutationObserver((changes) => {
    const now = []
    for (const c of changes) {
      if (c.type === 'characterData') look(c.target, now)
      else for (const n of c.addedNodes) look(n, now)
    }
    if (!now.length) return
    const known = Date.now()
    requestAnimationFrame(() => {
      const painted = new MessageChannel()
      painted.port1.onmessage = () => window.late.push(...now.map((at) => ({ known: known - at, painted: Date.now() - at })))
      painted.port2.postMessage(0)
    })
  }).observe(document, { childList: true, subtree: true, characterData: true })
}

// observe gathers the web vitals. Interactions are the event with the longest duration among those of one deed.
function observe() {
  const v = (window.vitals = { lcp: 0, cls: 0, deeds: {} })
  const on = (type, take, more = {}) => new PerformanceObserver((l) => l.getEntries().forEach(take)).observe({ type, buffered: true, ...more })
  on('largest-contentful-paint', (e) => (v.lcp = e.startTime))
  on('layout-shift', (e) => e.hadRecentInput || (v.cls += e.value))
  on('event', (e) => e.interactionId && (v.deeds[e.interactionId] = Math.max(v.deeds[e.interactionId] ?? 0, e.duration)), { durationThreshold: 16 })
}

// calibrate tells how long the machine takes for always the same, in milliseconds: it says what the other times are worth.
function calibrate() {
  const begin = performance.now()
  let x = 0
  for (let i = 0; i < 5e7; i++) x = (x * 31 + i) | 0
  return performance.now() - begin + (x & 0)
}

// film takes the frames of a page: without anybody who takes them, headless Chromium paints when it likes.
async function film(page) {
  const cdp = await page.context().newCDPSession(page)
  cdp.on('Page.screencastFrame', ({ sessionId }) => cdp.send('Page.screencastFrameAck', { sessionId }).catch(() => {}))
  await cdp.send('Page.startScreencast', { format: 'jpeg', quality: 1, maxWidth: 64, maxHeight: 64 })
}

async function metrics(cdp) {
  const { metrics: list } = await cdp.send('Performance.getMetrics')
  return (name) => list.find((m) => m.name === name)?.value ?? 0
}

const cookies = new Map()
async function cookie(name) {
  if (!cookies.has(name)) cookies.set(name, await hub.cookie(people.get(name)))
  return cookies.get(name)
}

const comes = {
  desk: (page) => page.locator('.chats .chat').first().waitFor(),
  widget: (page) => page.locator('dragoman-chat .launch').waitFor(),
}

const uses = {
  async desk(page) {
    await page.locator('.chats .chat a').first().click()
    await page.getByRole('log').locator('.item').first().waitFor()
    await page.keyboard.press('Escape')
    for (let i = 0; i < 10; i++) await page.keyboard.press('j', { delay: 20 })
    for (let i = 0; i < 10; i++) await page.keyboard.press('k', { delay: 20 })
    await page.getByRole('log').locator('.item').first().waitFor()
    await page.keyboard.press('r')
    await page.keyboard.type('We look into it.', { delay: 20 })
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+k')
    await page.keyboard.type('close', { delay: 20 })
    await page.keyboard.press('Escape')
    await page.locator('.views a').nth(1).click()
    await page.locator('.views a').nth(0).click()
  },

  async widget(page) {
    await page.locator('dragoman-chat .launch').click()
    const box = page.getByRole('textbox', { name: 'Write a message' })
    await box.click()
    await page.keyboard.type('Where is my order?', { delay: 20 })
    await page.keyboard.press('Enter')
    await page.getByRole('log').getByText('Where is my order?').first().waitFor()
  },
}

// shop is a customer's page of another origin with the widget in it.
let served
async function shop(channel) {
  served ??= await new Promise((done) => {
    const s = createServer((req, res) => {
      const id = new URL(req.url, 'http://x').searchParams.get('channel')
      res.setHeader('Content-Type', 'text/html; charset=utf-8')
      res.end(`<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title><h1>Shop</h1><p>Everything for your garden.</p>
<script src="${hub.url}/widget.js" data-channel="${id}" async></script></html>`)
    }).listen(0, '127.0.0.1', () => done(s))
  })
  return `http://localhost:${served.address().port}/?channel=${channel}`
}

const answer = (a) => process.stdout.write(JSON.stringify(a) + '\n')
for await (const line of createInterface({ input: process.stdin })) {
  const { do: what, ...more } = JSON.parse(line)
  try {
    answer(await orders[what](more))
  } catch (err) {
    answer({ error: String(err.stack ?? err) })
  }
}
served?.close()
await hub.chromium?.close()
await hub.stop()
rmSync(data, { recursive: true, force: true })
