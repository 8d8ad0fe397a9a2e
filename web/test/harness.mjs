// What browser tests need: a real hub on a fresh folder, Debian's Chromium, people who have signed in, and conversations.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { after } from 'node:test'
import { chromium } from 'playwright-core'

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const binary = process.env.DRAGOMAN_BINARY ?? new URL('../../dragoman', import.meta.url).pathname
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
export const wait = 60_000 // what a slow, loaded machine may take

// until polls for a condition and gives its answer.
export async function until(what, look, time = wait) {
  const end = Date.now() + time
  for (;;) {
    const got = await look()
    if (got) return got
    if (Date.now() > end) assert.fail('in vain: ' + what)
    await new Promise((done) => setTimeout(done, 30))
  }
}

// start runs a hub; it ends with the test file. To be called at the file's top, not within a test. With fresh: as a newcomer has it, no token is fixed.
export async function start({ args = [], fresh = false } = {}) {
  const data = mkdtempSync(join(tmpdir(), 'dragoman-web-'))
  const hub = new Hub(data, args, fresh)
  await hub.start()
  after(async () => {
    await hub.chromium?.close()
    await hub.stop()
    rmSync(data, { recursive: true, force: true })
  })
  return hub
}

export class Hub {
  token = 'an-admin-token-for-browser-tests'
  out = ''

  constructor(data, args, fresh) {
    Object.assign(this, { data, args, fresh, address: '127.0.0.1:0' })
  }

  // start answers once the hub does.
  async start() {
    const env = { ...process.env }
    delete env.DRAGOMAN_ADMIN_TOKEN
    if (!this.fresh) env.DRAGOMAN_ADMIN_TOKEN = this.token
    this.child = spawn(binary, ['serve', '--listen', this.address, '--data', this.data, '--log-level', 'warn', '--rate', '5000', '--away-after', '0', ...this.args], { env })
    let said = ''
    const hear = (b) => {
      said += b
      this.out += b
    }
    this.child.stdout.on('data', hear)
    this.child.stderr.on('data', hear)
    this.url = await until('the hub starts: ' + binary, async () => {
      if (this.child.exitCode !== null) assert.fail('the hub ended: ' + said)
      const url = /listens on (http:\S+?),/.exec(said)?.[1]
      return url && said.includes('All calls:') && (await fetch(url + '/readyz').then((r) => r.ok, () => false)) && url
    })
    this.address = new URL(this.url).host // a second start has the same one
    this.note = JSON.parse(readFileSync(join(this.data, 'server.json'), 'utf8'))
    if (this.fresh) this.token = readFileSync(join(this.data, 'admin-token'), 'utf8').trim()
  }

  async stop(signal = 'SIGTERM') {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = new Promise((done) => this.child.once('exit', done))
    this.child.kill(signal)
    await ended
  }

  // api calls with the admin token and answers with the JSON; refusals fail.
  async api(method, path, body, headers = {}) {
    const res = await fetch(this.url + path, {
      method,
      headers: { Authorization: 'Bearer ' + this.token, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await res.text()
    assert.ok(res.ok, `${method} ${path}: ${res.status} ${text}`)
    return text ? JSON.parse(text) : undefined
  }

  // user makes a user with a password, and for agents an agent who is active in the queues.
  async user({ name = 'Ann', email, role = 'agent', queues = [], capacity = 0, state = 'active' } = {}) {
    email ??= name.toLowerCase().replace(/\W+/g, '.') + '@example.com'
    const password = 'a good password'
    const made = await this.api('POST', '/v1/users', { email, name, role })
    await this.api('POST', '/login/link', { token: made.link.token, password })
    await this.api('PUT', `/v1/agents/${made.id}`, { name, capacity })
    for (const q of queues) await this.queue(q, { members: [made.id] })
    if (state !== 'inactive') await this.api('POST', `/v1/agents/${made.id}/state`, { state })
    return { id: made.id, name, email, password }
  }

  // queue makes a queue or adds members to it.
  async queue(name, { title, rule = 'everyone', members = [], settings } = {}) {
    const { items } = await this.api('GET', '/v1/queues')
    const was = items.find((q) => q.name === name)
    await this.api('PUT', '/v1/queues/' + name, {
      title: title ?? was?.title ?? '',
      rule: was?.rule ?? rule,
      members: [...new Set([...(was?.members ?? []), ...members])],
      ...(settings ? { settings } : {}),
    })
  }

  // say lets a contact write on the sample channel (or another simulated one); the answer is the conversation.
  async say(from, text, more = {}) {
    const res = await fetch(`${this.url}/in/${more.channel ?? this.note.channel}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: 'Bearer ' + (more.key ?? this.note.key) },
      body: JSON.stringify({ from, name: from, text, ...more.body }),
    })
    assert.ok(res.ok, `${res.status} ${await res.text()}`)
    return until('the conversation of ' + from, async () => {
      const { items } = await this.api('GET', `/v1/conversations?limit=200&channel=${more.channel ?? this.note.channel}`)
      return items.find((c) => c.thread.address === from && c.state !== 'closed')
    })
  }

  // channel makes a simulated channel without a flow: what is written there waits in the queue.
  async channel(name, more = {}) {
    const key = 'key-of-' + name.toLowerCase() + '-0123456789abcdef'
    const made = await this.api('POST', '/v1/channels', { connector: 'simulator', name, settings: { key }, ...more })
    return { channel: made.id, key }
  }

  // browser starts Chromium once per hub.
  async browser() {
    if (!this.chromium) {
      this.chromium = await chromium.launch({ executablePath: process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync), args: flags })
    }
    return this.chromium
  }

  // as opens a page for a user who has signed in. Errors of the page and breaches of its policy fail the test at check.
  async as(user, { path = '/desk', width = 1440, height = 900, theme = 'light', locale = 'en', settings = {}, ...more } = {}) {
    const context = await (await this.browser()).newContext({ viewport: { width, height }, colorScheme: theme, locale, baseURL: this.url, reducedMotion: 'reduce', ...more })
    context.setDefaultTimeout(wait)
    if (process.env.DRAGOMAN_PAGES) await this.serveFrom(context, process.env.DRAGOMAN_PAGES)
    if (user) await context.addCookies([await this.session(user)])
    if (Object.keys(settings).length) {
      await context.addInitScript((s) => localStorage.setItem('dragoman.settings', s), JSON.stringify(settings))
    }
    const page = await this.tab(context)
    await page.goto(path)
    return page
  }

  // serveFrom takes the pages from a folder such as web/dist/pages instead of the binary, under the same policy: a change of the pages can be
  // tried without building the program.
  async serveFrom(context, folder) {
    const headers = { 'content-security-policy': (await fetch(this.url + '/desk')).headers.get('content-security-policy') }
    const types = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.html': 'text/html' }
    await context.route(/^http:\/\/[^/]+\/(assets\/.*|desk.*|admin.*|wall.*|playground.*|sign-in.*|welcome.*)?$/, (route) => {
      const { pathname } = new URL(route.request().url())
      const file = join(folder, extname(pathname) ? pathname : 'index.html')
      return existsSync(file) ? route.fulfill({ body: readFileSync(file), headers: { ...headers, 'content-type': types[extname(file)] ?? 'application/json' } }) : route.continue()
    })
  }

  // tab opens one more tab beside the others of a browser.
  async tab(context, path) {
    const page = await context.newPage()
    page.bareRoute = page.route.bind(page)
    page.route = async (...a) => {
      await page.bareRoute(...a)
      await this.routed(page)
    }
    page.wrongs = []
    page.on('pageerror', (e) => page.wrongs.push(String(e)))
    page.on('console', (m) => {
      if (m.type() === 'error' && !/Failed to load resource|ERR_/.test(m.text())) page.wrongs.push(m.text())
    })
    if (path) await page.goto(path)
    return page
  }

  // routed makes sure that the calls of a page that is there come to us by now: that its browser has said they will is not yet that they do.
  async routed(page) {
    if (!page.url().startsWith('http')) return
    const probe = this.url + '/is-it-routed'
    await page.bareRoute(probe, (r) => r.fulfill({ status: 204, headers: { 'Access-Control-Allow-Origin': '*' } }))
    await until('calls come to us', () => page.evaluate((url) => fetch(url).then((r) => r.status === 204, () => false), probe))
    await page.unroute(probe)
  }

  // session is the cookie of a user, the one of before as long as that is good: to check a password is dear, as it has to be.
  async session(user) {
    const good = user.cookie && (await fetch(this.url + '/v1/session', { headers: { Cookie: `${user.cookie.name}=${user.cookie.value}` } })).ok
    if (!good) user.cookie = await this.cookie(user)
    return user.cookie
  }

  // cookie signs a user in.
  async cookie(user) {
    const res = await fetch(this.url + '/login', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email: user.email, password: user.password }),
    })
    assert.equal(res.status, 200, await res.clone().text())
    const [name, value] = res.headers.getSetCookie()[0].split(';')[0].split('=')
    return { name, value, url: this.url, httpOnly: true, sameSite: 'Lax' }
  }
}

// sound fails when a page reported an error or broke its own policy.
export function sound(page) {
  assert.deepEqual(page.wrongs, [])
}

// axe examines a page from an isolated world, so that its policy stays on. Closed things must be invisible, too.
export async function axe(page, { skip = [], only } = {}) {
  const cdp = await page.context().newCDPSession(page)
  const { frameTree } = await cdp.send('Page.getFrameTree')
  const { executionContextId: contextId } = await cdp.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: 'axe' })
  await cdp.send('Runtime.evaluate', { expression: axeSource, contextId })
  const rules = Object.fromEntries(skip.map((r) => [r, { enabled: false }]))
  const expression = `axe.run(${only ? JSON.stringify(only) : 'document'}, ${JSON.stringify({ rules, resultTypes: ['violations'] })}).then((r) => JSON.stringify(
    r.violations.map((v) => v.id + ': ' + v.help + ': ' + v.nodes.map((n) => n.target.join(' ') + ' ' + (n.any[0]?.message ?? '')).slice(0, 4).join(' | '))))`
  const { result, exceptionDetails } = await cdp.send('Runtime.evaluate', { expression, contextId, awaitPromise: true, returnByValue: true })
  await cdp.detach()
  assert.ok(!exceptionDetails, exceptionDetails?.exception?.description)
  assert.deepEqual(JSON.parse(result.value), [])
  const painted = await page.evaluate(() => [...document.querySelectorAll('dialog:not([open])')].filter((d) => d.checkVisibility()).length)
  assert.equal(painted, 0, 'a closed dialog is painted')
}

// shots takes pictures at the given widths and looks, into DRAGOMAN_SHOTS; without it nothing is taken.
export async function shot(page, name) {
  const dir = process.env.DRAGOMAN_SHOTS
  if (!dir) return
  mkdirSync(dir, { recursive: true })
  await page.screenshot({ path: join(dir, name + '.png') })
}

// What has a dark name is the same page once more, in the dark.
export const looks = [
  { name: 'wide-light', dark: 'wide-dark', width: 1440, height: 900, theme: 'light', locale: 'en' },
  { name: 'middle', width: 768, height: 1024, theme: 'light', locale: 'de' },
  { name: 'narrow', width: 320, height: 640, theme: 'light', locale: 'en' },
  { name: 'rtl', width: 1440, height: 900, theme: 'light', locale: 'ar' },
]

async function examine(page, name, look) {
  await shot(page, `${name}-${look}`)
  await axe(page)
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  assert.ok(wide <= 0, `${name} at ${look}: ${wide} px too wide`)
}

// everyLook opens a path in all looks, examines each one and takes its picture; act brings the page where it shall be.
export async function everyLook(hub, user, path, name, act = async () => {}) {
  for (const look of looks) {
    const page = await hub.as(user, { path, ...look })
    await act(page, look)
    await examine(page, name, look.name)
    if (look.dark) {
      await page.emulateMedia({ colorScheme: 'dark' })
      await examine(page, name, look.dark)
    }
    sound(page)
    await page.context().close()
  }
}
