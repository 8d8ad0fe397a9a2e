// The widget on a customer's page of another origin, under a policy that lists the hub alone, with Trusted Types on.
import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { after, test } from 'node:test'
import { axe, looks, shot, sound, start, until, wait } from './harness.mjs'

const hub = await start()
const secret = 'a-secret-of-the-shop-for-browser-tests'

// A customer's site. Its pages are as strict as they can be; the query says what is in them.
const served = createServer((req, res) => {
  const q = new URL(req.url, 'http://x').searchParams
  res.setHeader('Content-Type', 'text/html; charset=utf-8')
  res.setHeader(
    'Content-Security-Policy',
    `default-src 'none'; script-src ${hub.url}; connect-src ${hub.url}; require-trusted-types-for 'script'; trusted-types 'none'; base-uri 'none'`,
  )
  const tag = `<script src="${hub.url}/widget.js" data-channel="${q.get('channel')}" async></script>`
  const head = q.get('at') === 'head'
  res.end(`<!doctype html><html lang="${q.get('lang') ?? 'en'}" dir="${q.get('dir') ?? 'ltr'}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Shop</title>${head ? tag : ''}</head>
<body><main><h1>Shop</h1><p id="words">Everything for your garden.</p><label>Name <input id="name"></label></main>${head ? '' : tag}</body></html>`)
})
await new Promise((done) => served.listen(0, '127.0.0.1', done))
const site = `http://localhost:${served.address().port}`
after(() => served.close())

let made = 0
const channel = (settings = {}, more = {}) =>
  hub.api('POST', '/v1/channels', { connector: 'webchat', name: 'Site ' + ++made, settings: { title: 'Ask the shop', allowed_origins: [site], ...settings }, ...more }).then((c) => c.id)
const withBot = await channel({ speaks_first: true }, { flow: 'welcome' })
const withPeople = await channel({ identity_secret: secret }, { queue: 'support' })

// visit opens the customer's page.
async function visit(id, { width = 1024, height = 768, theme = 'light', query = '', context, ...more } = {}) {
  context ??= await (await hub.browser()).newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: 'reduce', ...more })
  context.setDefaultTimeout(wait)
  const page = await hub.tab(context)
  page.calls = []
  page.on('request', (r) => r.url().startsWith(hub.url) && page.calls.push(r.method() + ' ' + new URL(r.url()).pathname.split('/').at(-1)))
  await page.addInitScript(() => {
    window.breaches = []
    addEventListener('securitypolicyviolation', (e) => window.breaches.push(e.violatedDirective + ' ' + e.blockedURI))
  })
  await page.goto(`${site}/?channel=${id}&${query}`)
  await page.locator('dragoman-chat').waitFor({ state: 'attached' })
  return page
}

const box = (page) => page.getByRole('textbox', { name: 'Write a message' })
const log = (page) => page.getByRole('log')
const launcher = (page) => page.locator('dragoman-chat .launch')

async function open(page) {
  await launcher(page).click()
  await box(page).waitFor()
}

async function write(page, text) {
  await box(page).fill(text)
  await page.keyboard.press('Enter')
}

async function done(page) {
  sound(page)
  assert.deepEqual(await page.evaluate(() => window.breaches), [], 'the page’s policy was broken')
  await page.context().close()
}

// conversations are those of a channel, as the desk sees them.
const conversations = (id) => hub.api('GET', '/v1/conversations?channel=' + id).then((r) => r.items)
const conversation = (id) => until('a conversation', async () => (await conversations(id)).find((c) => c.state !== 'closed'))
const said = async (id) => (await hub.api('GET', `/v1/conversations/${id}/events?limit=500`)).items.filter((e) => e.kind === 'message')
const answer = (c, text) => hub.api('POST', `/v1/conversations/${c.id}/messages`, { text })
const words = (e) => e.message.stack.map((x) => x.payload.content ?? x.payload.title ?? x.payload.name).join()

test('widget 01: one tag anywhere; no global names, no cookies, no change to the page, no effect on its keys', async () => {
  for (const at of ['head', 'body']) {
    const id = await channel({}, { queue: 'support' })
    const page = await visit(id, { query: 'at=' + at })
    const before = await page.evaluate(() => getComputedStyle(document.querySelector('#words')).cssText)
    const plain = await page.context().newPage()
    await plain.goto(`${site}/?channel=`)
    const names = (p) => p.evaluate(() => Object.getOwnPropertyNames(window).filter((n) => n !== 'breaches' && isNaN(n)).sort())
    assert.deepEqual((await names(page)).filter((n) => n !== 'breaches'), (await names(plain)).filter((n) => n !== 'breaches'))
    await page.evaluate(() => {
      window.keys = []
      for (const kind of ['keydown', 'keyup', 'keypress']) addEventListener(kind, (e) => window.keys.push(e.key))
    })
    await open(page)
    await write(page, 'jek?')
    await page.locator('#name').press('j')
    const keys = await page.evaluate(() => window.keys)
    assert.deepEqual([...new Set(keys)], ['j'], 'keys of the widget reached the page')
    assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector('#words')).cssText), before)
    assert.deepEqual(await page.context().cookies(), [])
    assert.equal(await page.evaluate(() => document.cookie), '')
    await done(page)
  }
})

test('widget 02: at most 6 kB, one file; no connection before the first click, unless a conversation is open', async () => {
  const size = readFileSync(new URL('../dist/widget/widget.js.gz', import.meta.url)).length
  assert.ok(size <= 6000, `widget.js has ${size} bytes compressed`)
  const sent = readFileSync(new URL('../dist/widget/widget.js.br', import.meta.url)).length
  assert.ok(sent <= 5400, `widget.js has ${sent} bytes as browsers get it`)
  const page = await visit(withPeople)
  await page.waitForLoadState('networkidle')
  assert.deepEqual(page.calls, ['GET widget.js'])
  await open(page)
  await write(page, 'hello')
  await until('the stream', () => page.calls.includes('GET stream'))
  page.calls.length = 0
  await page.reload()
  await until('the stream comes back without a click', () => page.calls.includes('GET stream'))
  const c = await conversation(withPeople)
  await answer(c, 'are you there?')
  await launcher(page).getByText('1').waitFor()
  await hub.api('POST', `/v1/conversations/${c.id}/close`, {})
  await until('it is closed', () => page.evaluate((k) => localStorage[k].includes('"closed"'), 'dragoman.' + withPeople))
  await page.reload()
  page.calls.length = 0
  await page.waitForLoadState('networkidle')
  assert.deepEqual(page.calls.filter((x) => !/widget/.test(x)), [])
  await done(page)
})

test('widget 03: under a policy that lists the hub alone, with Trusted Types on', async () => {
  const page = await visit(withBot)
  await open(page)
  await log(page).getByText('I am the sample flow').waitFor()
  await page.getByRole('button', { name: 'Order status' }).click()
  await log(page).getByText('What is the number of your order?').waitFor()
  await write(page, '<img src=x onerror=alert(1)> **1042**')
  await log(page).getByText('<img src=x onerror=alert(1)>').waitFor()
  await done(page)
})

test('widget 04: the button is there after a frame and moves nothing', async () => {
  const page = await visit(withBot, { query: 'at=head' })
  const shift = await page.evaluate(
    () => new Promise((done) => {
      let sum = 0
      new PerformanceObserver((l) => l.getEntries().forEach((e) => (sum += e.value))).observe({ type: 'layout-shift', buffered: true })
      requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum), 200)))
    }),
  )
  assert.equal(shift, 0)
  const again = await page.evaluate(
    () => new Promise((done) => {
      const e = document.querySelector('dragoman-chat')
      e.remove()
      document.body.append(e)
      requestAnimationFrame(() => done(e.shadowRoot.querySelector('.launch').getBoundingClientRect().width))
    }),
  )
  assert.equal(again, 60)
  await done(page)
})

test('widget 05: opens at once with the history of the local copy, then brings it up to date', async () => {
  const id = await channel({}, { queue: 'support' })
  const page = await visit(id)
  await open(page)
  await write(page, 'what I said before')
  const c = await conversation(id)
  await answer(c, 'what you said before')
  await log(page).getByText('what you said before').waitFor()
  await page.context().route(hub.url + '/visitor/**', (r) => setTimeout(() => r.continue().catch(() => {}), 1500)) // some come when nobody waits for them any more
  await page.reload()
  await answer(c, 'said meanwhile')
  // work is the main thread's own, in milliseconds, however many others want the processor
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
  const work = async () => (await cdp.send('Performance.getMetrics')).metrics.reduce((n, m) => n + (/^(Script|RecalcStyle|Layout)Duration$/.test(m.name) ? 1000 * m.value : 0), 0)
  const before = await work()
  const there = await page.evaluate(() => {
    const chat = document.querySelector('dragoman-chat')
    chat.open()
    const said = chat.shadowRoot.querySelector('.list').textContent
    chat.shadowRoot.querySelector('.panel').getBoundingClientRect()
    return said.includes('what you said before')
  })
  const took = (await work()) - before
  assert.ok(there && took < 100, `there: ${there}, opened with ${took} ms of work`)
  await log(page).getByText('said meanwhile').waitFor()
  await page.context().unrouteAll({ behavior: 'ignoreErrors' })
  await done(page)
})

test('widget 06: a message is pending at once; sent, delivered and read follow, in words', async () => {
  const id = await channel({}, { queue: 'support' })
  const ann = await hub.user({ name: 'Ann Six' })
  const page = await visit(id)
  await open(page)
  let go
  const held = new Promise((r) => (go = r))
  await page.route('**/messages', async (r) => {
    await held
    await r.continue()
  })
  await write(page, 'how far am I?')
  const mine = log(page).locator('.row.me')
  await mine.getByText('Sending').waitFor()
  go()
  await mine.getByText('Sent', { exact: true }).waitFor()
  const c = await conversation(id)
  await hub.api('POST', `/v1/conversations/${c.id}/assign`, { assignee: ann.id })
  await mine.getByText('Delivered').waitFor()
  await hub.api('POST', `/v1/conversations/${c.id}/read`, {})
  await mine.getByText('Read', { exact: true }).waitFor()
  await axe(page)
  // and one that the hub refuses stays, with a way to try again
  await page.unroute('**/messages')
  let refused = true
  await page.route('**/messages', (r) => (refused ? r.fulfill({ status: 422, headers: { 'Access-Control-Allow-Origin': '*' }, body: '{}' }) : r.continue()))
  await write(page, 'no luck')
  const again = log(page).getByRole('button', { name: 'Not sent. Try again' })
  await again.waitFor()
  refused = false
  await again.click()
  await until('it arrives', async () => (await said(c.id)).some((e) => words(e) === 'no luck'))
  await again.waitFor({ state: 'detached' })
  await done(page)
})

test('widget 07: offline, messages wait, survive a reload, go out once and in order', async () => {
  const id = await channel({}, { queue: 'support' })
  const page = await visit(id)
  await open(page)
  await write(page, 'zero')
  const c = await conversation(id)
  await log(page).getByText('Sent', { exact: true }).waitFor()
  const context = page.context()
  await context.route(hub.url + '/visitor/**', (r) => r.abort('internetdisconnected'))
  await hub.routed(page)
  for (const text of ['one', 'two', 'three']) await write(page, text)
  await log(page).getByText('Sending').last().waitFor()
  await page.reload()
  await open2(page)
  await until('all three wait', async () => (await log(page).getByText('Sending').count()) === 3)
  await context.unroute(hub.url + '/visitor/**')
  await page.evaluate(() => dispatchEvent(new Event('online')))
  await until('all are there', async () => (await said(c.id)).length >= 4)
  assert.deepEqual((await said(c.id)).map(words), ['zero', 'one', 'two', 'three'])
  await until('nothing waits', async () => (await log(page).getByText('Sending').count()) === 0)
  assert.equal(await log(page).locator('.row.me').count(), 4)
  await done(page)
})

// open2 opens a widget that may have no words yet.
async function open2(page) {
  await launcher(page).click()
  await page.locator('dragoman-chat textarea').waitFor()
}

test('widget 08: never stops trying, and says so in one quiet line', async () => {
  const id = await channel({}, { queue: 'support' })
  const page = await visit(id)
  await open(page)
  await write(page, 'hello')
  const c = await conversation(id)
  await until('the stream', () => page.calls.includes('GET stream'))
  await hub.stop('SIGKILL')
  const line = page.getByText('No connection. Your messages are kept and sent later.')
  await line.waitFor()
  assert.equal(await line.getAttribute('role'), 'status')
  await write(page, 'said while the hub was away')
  await hub.start()
  await line.waitFor({ state: 'hidden' })
  await until('it arrives', async () => (await said(c.id)).some((e) => words(e) === 'said while the hub was away'))
  await answer(c, 'welcome back')
  await log(page).getByText('welcome back').waitFor()
  await done(page)
})

test('widget 09: two tabs of a visitor see one conversation', async () => {
  const id = await channel({}, { queue: 'support' })
  const one = await visit(id)
  await open(one)
  await write(one, 'from the first tab')
  const c = await conversation(id)
  const two = await visit(id, { context: one.context() })
  await open(two)
  await log(two).getByText('from the first tab').waitFor()
  await write(two, 'from the second tab')
  await log(one).getByText('from the second tab').waitFor()
  await answer(c, 'to both')
  for (const page of [one, two]) {
    await log(page).getByText('to both').waitFor()
    await until('each message is there once', async () => (await log(page).locator('.row').count()) === 3) // what one tab keeps, the other one takes up
  }
  assert.equal((await conversations(id)).length, 1)
  sound(two)
  await done(one)
})

const identity = (sub, name) => {
  const part = (v) => Buffer.from(JSON.stringify(v)).toString('base64url')
  const text = part({ alg: 'HS256', typ: 'JWT' }) + '.' + part({ sub, name, exp: Math.floor(Date.now() / 1000) + 3600 })
  return text + '.' + createHmac('sha256', secret).update(text).digest('base64url')
}

test('widget 10: anonymous by default, known by the site’s signature; the anonymous thread goes on', async () => {
  const id = await channel({ identity_secret: secret }, { queue: 'support' })
  const page = await visit(id)
  await open(page)
  await write(page, 'said as nobody')
  let c = await conversation(id)
  assert.equal(c.contact.name, 'Visitor')
  const user = randomUUID()
  await page.evaluate((x) => document.querySelector('dragoman-chat').identify(x), identity(user, 'Grace'))
  await write(page, 'said as Grace')
  await until('both are one', async () => {
    const all = await conversations(id)
    return all.length === 1 && all[0].id === c.id && all[0].contact.name === 'Grace' && (await said(c.id)).length === 2
  })
  await until('both are shown', async () => (await log(page).locator('.row.me').count()) === 2)
  // on another device
  const other = await visit(id)
  await other.evaluate((x) => document.querySelector('dragoman-chat').identify(x), identity(user, 'Grace'))
  await open(other)
  await log(other).getByText('said as nobody').waitFor()
  // signing out forgets
  await other.evaluate(() => document.querySelector('dragoman-chat').identify(null))
  await log(other).getByText('said as nobody').waitFor({ state: 'detached' })
  await assert.rejects(other.evaluate(() => document.querySelector('dragoman-chat').identify('x.y.z')))
  await done(other)
  await done(page)
})

test('widget 11: typing both ways, expiring; who joined, where one stands, and closing time before the first message', async () => {
  const id = await channel({}, { queue: 'support' })
  const ann = await hub.user({ name: 'Ann Eleven' })
  const page = await visit(id)
  await open(page)
  await write(page, 'hello')
  const c = await conversation(id)
  const number = async () => Number(/You are number (\d+)/.exec(await page.getByRole('status').filter({ hasText: 'number' }).first().textContent())?.[1])
  assert.equal(await number(), (await hub.api('GET', `/v1/conversations/${c.id}/waiting`)).position)
  await hub.api('POST', `/v1/conversations/${c.id}/assign`, { assignee: ann.id })
  await page.getByText('Ann Eleven has joined').waitFor()
  await until('typing', async () => {
    await hub.api('POST', `/v1/conversations/${c.id}/typing`, {})
    return page.getByText('is writing…').isVisible()
  })
  await page.getByText('is writing…').waitFor({ state: 'hidden' }) // by itself
  await until('the desk hears typing', async () => {
    await box(page).pressSequentially('x')
    return page.calls.includes('POST typing')
  })
  await done(page)

  await hub.api('PUT', '/v1/hours/never', { time_zone: 'UTC', week: {} })
  const late = await visit(await channel({ hours: 'never' }, { queue: 'support' }))
  await open(late)
  await late.getByText('We are closed now. Leave a message and we will answer.').waitFor()
  await done(late)
})

test('widget 12: choices of a bot are buttons, also answered by typing; the chosen one stays as text', async () => {
  const page = await visit(withBot)
  await open(page)
  const person = page.getByRole('button', { name: 'Talk to a person' })
  await person.waitFor()
  await page.getByRole('button', { name: 'Order status' }).click()
  await log(page).locator('.row.me').getByText('Order status').waitFor()
  await log(page).getByText('What is the number of your order?').waitFor()
  await person.waitFor({ state: 'detached' })
  await done(page)
  const typing = await visit(withBot)
  await open(typing)
  await typing.getByRole('button', { name: 'Order status' }).waitFor()
  await write(typing, 'my order, please')
  await log(typing).getByText('What is the number of your order?').waitFor()
  await done(typing)
})

test('widget 13: attachments by button, paste and drop, with progress and a stated limit', async () => {
  const id = await channel({ max_file_bytes: 2 * 1024 * 1024 }, { queue: 'support' })
  const page = await visit(id)
  await open(page)
  const attach = page.getByRole('button', { name: 'Attach a file' })
  assert.match(await attach.getAttribute('title'), /At most 2 MB/)
  const chooser = page.waitForEvent('filechooser')
  await attach.click()
  await (await chooser).setFiles({ name: 'plan.txt', mimeType: 'text/plain', buffer: Buffer.from('the plan') })
  await log(page).getByRole('link', { name: /plan\.txt/ }).waitFor()
  const give = (kind, name, size) =>
    page.evaluate(([kind, name, size]) => {
      const data = new DataTransfer()
      data.items.add(new File([new Uint8Array(size)], name, { type: 'text/csv' }))
      const target = document.querySelector('dragoman-chat').shadowRoot.querySelector(kind === 'paste' ? 'textarea' : '.list')
      const e = kind === 'paste' ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }) : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })
      target.dispatchEvent(e)
    }, [kind, name, size])
  await page.evaluate(() => {
    window.progress = []
    const line = document.querySelector('dragoman-chat').shadowRoot.querySelectorAll('[role=status]')[0]
    new MutationObserver(() => window.progress.push(line.textContent)).observe(line, { childList: true, characterData: true, subtree: true })
  })
  await give('paste', 'pasted.csv', 5)
  await log(page).getByRole('link', { name: /pasted\.csv/ }).waitFor()
  await give('drop', 'dropped.csv', 500_000)
  await log(page).getByRole('link', { name: /dropped\.csv/ }).waitFor()
  assert.ok((await page.evaluate(() => window.progress)).some((t) => /dropped\.csv \d+ %/.test(t)), 'no progress was told')
  await give('drop', 'large.csv', 3 * 1024 * 1024)
  await page.getByText('large.csv: At most 2 MB').waitFor()
  const c = await conversation(id)
  const all = await said(c.id)
  assert.deepEqual(all.map(words), ['plan.txt', 'pasted.csv', 'dropped.csv'])
  const link = await log(page).getByRole('link', { name: /plan\.txt/ }).getAttribute('href')
  assert.equal(await (await fetch(link)).text(), 'the plan')
  await done(page)
})

test('widget 14: Esc closes and returns focus; opening puts it into the box; the panel does not trap the page', async () => {
  const page = await visit(withPeople)
  await launcher(page).focus()
  await page.keyboard.press('Enter')
  await box(page).waitFor()
  const focused = () => page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.className || document.activeElement.shadowRoot?.activeElement?.tagName || document.activeElement.id)
  await until('the field has the focus', async () => (await focused()) === 'TEXTAREA')
  assert.equal(await page.getByRole('dialog', { name: 'Ask the shop' }).getAttribute('aria-modal'), null)
  await page.locator('#name').fill('the page is there')
  await box(page).focus()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await until('the button has the focus', async () => (await focused()) === 'me launch')
  assert.equal(await launcher(page).getAttribute('aria-expanded'), 'false')
  // with keys alone from the page into the widget and out again
  await page.keyboard.press('Enter')
  const seen = new Set()
  for (let n = 0; n < 20 && !seen.has('name'); n++) {
    await page.keyboard.press('Tab')
    seen.add(await focused())
  }
  assert.ok(seen.has('name') || seen.has(''), 'the focus stays in the panel: ' + [...seen])
  await done(page)
})

test('widget 15: what comes is read out once and politely, never the whole history, and typing is not', async () => {
  const id = await channel({}, { queue: 'support' })
  const page = await visit(id)
  await open(page)
  await write(page, 'hello')
  const c = await conversation(id)
  await answer(c, 'first answer')
  await log(page).getByText('first answer').waitFor()
  await page.reload()
  await page.evaluate(() => {
    window.heard = []
    const root = document.querySelector('dragoman-chat').shadowRoot
    for (const e of root.querySelectorAll('[role=status],[aria-live]:not([aria-live=off])')) new MutationObserver(() => window.heard.push(e.textContent)).observe(e, { childList: true, characterData: true, subtree: true })
  })
  await open(page)
  await log(page).getByText('first answer').waitFor()
  assert.equal(await log(page).getAttribute('aria-live'), 'off')
  await hub.api('POST', `/v1/conversations/${c.id}/typing`, {})
  await answer(c, 'second answer')
  await log(page).getByText('second answer').waitFor()
  const heard = (await page.evaluate(() => window.heard)).filter((t) => /answer|writing/.test(t))
  assert.deepEqual(heard.length, 1, JSON.stringify(heard))
  assert.match(heard[0], /: second answer$/)
  await done(page)
})

test('widget 16: on a phone it is full height, does not zoom, and the keyboard does not hide the box', async () => {
  const page = await visit(withBot, { width: 390, height: 844, isMobile: true, hasTouch: true })
  await launcher(page).tap()
  await box(page).waitFor()
  const size = await page.evaluate(() => {
    const root = document.querySelector('dragoman-chat').shadowRoot
    const p = root.querySelector('.panel').getBoundingClientRect()
    return { p: [p.x, p.y, p.width, p.height], view: [innerWidth, innerHeight], font: parseFloat(getComputedStyle(root.querySelector('textarea')).fontSize) }
  })
  assert.deepEqual(size.p, [0, 0, ...size.view])
  assert.ok(size.font >= 16)
  assert.ok(!(await launcher(page).isVisible()), 'the button covers the panel')
  await page.setViewportSize({ width: 390, height: 420 }) // as a keyboard does
  await until('the box is above the keyboard', async () => {
    const low = await box(page).boundingBox()
    return low && low.y + low.height <= 420
  })
  await page.getByRole('button', { name: 'Close' }).tap()
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await done(page)
})

test('widget 17: reflow at 320 pixels, targets of 44, high contrast and less motion', async () => {
  const page = await visit(withBot, { width: 320, height: 640, forcedColors: 'active' })
  await open(page)
  await page.getByRole('button', { name: 'Order status' }).waitFor()
  const wrong = await page.evaluate(() => {
    const root = document.querySelector('dragoman-chat').shadowRoot
    const out = []
    for (const e of root.querySelectorAll('button, summary, textarea, a')) {
      const r = e.getBoundingClientRect()
      if (e.checkVisibility() && (r.width < 44 || r.height < 44)) out.push(e.outerHTML + r.width + 'x' + r.height)
      if (r.right > innerWidth || r.left < 0) out.push('outside: ' + e.outerHTML)
    }
    if (document.documentElement.scrollWidth > innerWidth) out.push('the page is too wide')
    const running = document.getAnimations().length
    if (running) out.push(running + ' animations')
    return out
  })
  assert.deepEqual(wrong, [])
  await done(page)
})

test('widget 18: colours by custom properties, right-to-left, words by the page’s language', async () => {
  const id = await channel({ color: '#ffdd00', greeting: 'Hi!', texts: { de: { send: 'Los' } } }, { queue: 'support' })
  const page = await visit(id, { query: 'lang=ar&dir=rtl' })
  await launcher(page).click()
  const arabic = page.getByRole('textbox', { name: 'اكتب رسالة' })
  await arabic.waitFor()
  const at = await page.evaluate(() => {
    const root = document.querySelector('dragoman-chat').shadowRoot
    const b = root.querySelector('.launch')
    return { left: b.getBoundingClientRect().left, dir: root.querySelector('.panel').dir, color: getComputedStyle(b).backgroundColor, on: getComputedStyle(b).color }
  })
  assert.deepEqual(at, { left: 16, dir: 'rtl', color: 'rgb(255, 221, 0)', on: 'rgb(0, 0, 0)' })
  await page.evaluate(() => {
    const { style } = document.querySelector('dragoman-chat')
    style.setProperty('--main', '#002244')
    style.setProperty('--on', '#ffffff')
  })
  assert.equal(await launcher(page).evaluate((e) => getComputedStyle(e).backgroundColor), 'rgb(0, 34, 68)')
  await axe(page)
  await done(page)
  const german = await visit(id, { query: 'lang=de-AT' })
  await launcher(german).click()
  await german.getByRole('button', { name: 'Los' }).waitFor()
  await german.getByRole('textbox', { name: 'Nachricht schreiben' }).waitFor()
  await done(german)
})

test('widget 19: the visitor saves the transcript, rates once, and deletes the data', async () => {
  const id = await channel({}, { queue: 'support' })
  const page = await visit(id)
  await open(page)
  await write(page, 'please help')
  const c = await conversation(id)
  await answer(c, 'here is help')
  await log(page).getByText('here is help').waitFor()
  const more = page.locator('dragoman-chat summary')
  assert.equal(await more.getAttribute('aria-label'), 'More')
  await more.click()
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Save transcript' }).click()
  assert.match(readFileSync(await (await download).path(), 'utf8'), /please help[\s\S]*here is help/)
  await hub.api('POST', `/v1/conversations/${c.id}/close`, {})
  await page.getByText('How was this chat?').waitFor()
  await axe(page)
  await page.getByRole('button', { name: '5 of 5' }).click()
  await page.getByText('Thank you!').waitFor()
  await page.getByText('How was this chat?').waitFor({ state: 'hidden' })
  const { items } = await hub.api('GET', `/v1/conversations/${c.id}/events?limit=500`)
  assert.deepEqual(items.filter((e) => e.kind === 'rated').map((e) => e.data.value), [5])
  page.on('dialog', (d) => d.accept())
  await more.click()
  await page.getByRole('button', { name: 'Delete my data' }).click()
  await page.getByText('Your data is deleted').waitFor()
  await until('nothing is shown', async () => (await log(page).locator('.row').count()) === 0)
  assert.deepEqual((await said(c.id)).filter((e) => e.message), [])
  await write(page, 'anew')
  await until('a new conversation', async () => (await conversations(id)).some((x) => x.id !== c.id && x.preview === 'anew'))
  await done(page)
})

test('widget 20: open, close, identify; events; removing it ends every timer and connection', async () => {
  const id = await channel({}, { queue: 'support' })
  const page = await visit(id)
  await page.evaluate(() => {
    window.told = []
    const chat = document.querySelector('dragoman-chat')
    for (const kind of ['open', 'message', 'unread']) chat.addEventListener(kind, (e) => window.told.push([kind, kind === 'message' ? e.detail.parts[0].text : e.detail]))
    chat.open()
  })
  await box(page).waitFor()
  await write(page, 'hello')
  const c = await conversation(id)
  await until('the stream', () => page.calls.includes('GET stream'))
  await page.evaluate(() => document.querySelector('dragoman-chat').close())
  await answer(c, 'unread answer')
  await launcher(page).getByText('1').waitFor()
  const told = () => page.evaluate(() => window.told)
  await until('the page is told', async () => (await told()).length >= 3)
  assert.deepEqual(await told(), [['open', null], ['message', 'unread answer'], ['unread', 1]])
  const ended = page.waitForEvent('requestfailed', (r) => r.url().includes('/stream'))
  await page.evaluate(() => {
    window.removed = document.querySelector('dragoman-chat')
    window.removed.remove()
  })
  await ended
  page.calls.length = 0
  await page.evaluate(() => dispatchEvent(new Event('online')))
  await answer(c, 'nobody hears')
  await page.waitForTimeout(1500)
  assert.deepEqual(page.calls, [])
  await page.evaluate(() => document.body.append(window.removed)) // and it can come back
  await until('it is live again', () => page.calls.includes('GET stream'))
  await launcher(page).getByText('2').waitFor()
  await done(page)
})

test('widget 21: a form before the first message', async () => {
  const id = await channel({ form: [{ name: 'name', label: 'Your name', required: true }, { name: 'email', label: 'Your e-mail' }] }, { queue: 'support' })
  const page = await visit(id)
  await launcher(page).click()
  await page.getByLabel('Your name').waitFor()
  await axe(page)
  await write(page, 'hello')
  assert.equal(await box(page).inputValue(), 'hello', 'sent without a name')
  await page.getByLabel('Your name').fill('Grace')
  await box(page).press('Enter')
  const c = await conversation(id)
  assert.equal(c.contact.name, 'Grace')
  await page.getByLabel('Your name').waitFor({ state: 'detached' })
  await done(page)
})

test('widget 22: in all looks nothing is wrong for those who use other means', async () => {
  for (const look of looks) {
    const rtl = look.locale === 'ar'
    const page = await visit(withBot, { ...look, query: `lang=${look.locale}&dir=${rtl ? 'rtl' : 'ltr'}` })
    await shot(page, 'widget-closed-' + look.name)
    await axe(page)
    await launcher(page).click()
    await page.getByRole('button', { name: 'Order status' }).waitFor()
    await page.getByRole('button', { name: 'Order status' }).click()
    await log(page).getByText('What is the number').waitFor()
    await page.locator('dragoman-chat textarea').fill('1042')
    await page.keyboard.press('Enter')
    await log(page).getByText('is on its way').waitFor()
    await page.locator('dragoman-chat textarea').fill('thank you, that is good to know, and now a person please')
    await page.keyboard.press('Enter')
    await log(page).getByText('handing you over').waitFor()
    await axe(page)
    await shot(page, 'widget-' + look.name)
    if (look.dark) {
      await page.emulateMedia({ colorScheme: 'dark' })
      await axe(page)
      await shot(page, 'widget-' + look.dark)
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'hidden' })
      await axe(page)
      await shot(page, 'widget-closed-' + look.dark)
    }
    await done(page)
  }
})

test('widget 23: the page to try it on carries the widget of the sample channel', async () => {
  const page = await hub.as(null, { path: '/try' })
  await launcher(page).click()
  await log(page).getByText('I am the sample flow').waitFor()
  await axe(page)
  await shot(page, 'try')
  sound(page)
  await page.context().close()
})

test('widget 24: what an agent changes or takes back is so for the visitor too, and the desk offers it', async () => {
  const id = await channel({}, { queue: 'support' })
  const ann = await hub.user({ name: 'Ann Again' })
  const page = await visit(id)
  await open(page)
  await write(page, 'when?')
  const c = await conversation(id)
  await hub.api('POST', `/v1/conversations/${c.id}/assign`, { assignee: ann.id })
  const desk = await hub.as(ann, { path: '/desk/c/' + c.id })
  for (const text of ['at nein', 'never']) {
    await desk.getByLabel('Message to the customer').fill(text)
    await desk.keyboard.press('Enter')
    await log(page).getByText(text).waitFor()
  }
  const menu = async (text, item) => {
    const row = desk.locator('.message', { hasText: text })
    await row.hover()
    await row.getByRole('button', { name: 'React, copy, change' }).click()
    await desk.getByRole('menuitem', { name: item }).click()
  }
  await menu('never', 'Take back')
  await log(page).getByText('never').waitFor({ state: 'detached' })
  await menu('at nein', 'Edit')
  const field = desk.getByLabel('Message to the customer')
  await until('it can be changed', async () => (await field.inputValue()) === 'at nein')
  await field.fill('at nine')
  await until('it is written', async () => (await field.inputValue()) === 'at nine')
  await field.press('Enter')
  await until('the hub has it', async () => (await hub.api('GET', `/v1/conversations/${c.id}/events?limit=500`)).items.some((e) => e.kind === 'edited'))
  await log(page).getByText('at nine').waitFor()
  await log(page).getByText('at nein').waitFor({ state: 'detached' })
  await until('both are done', async () => (await hub.api('GET', `/v1/conversations/${c.id}/events?limit=500`)).items.filter((e) => ['edited', 'deleted'].includes(e.kind)).length === 2)
  assert.deepEqual((await hub.api('GET', '/v1/dead-letters?channel=' + id)).items, [])
  sound(desk)
  await desk.context().close()
  await done(page)
})
