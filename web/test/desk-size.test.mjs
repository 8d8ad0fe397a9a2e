// The desk's budgets: what is loaded, and how it bears long lists and long conversations.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { sound, start, until } from './harness.mjs' //

const hub = await start()
const kB = 1000

// weigh gives the size of files as they go over the wire.
async function weigh(files) {
  let sum = 0
  for (const f of files) sum += gzipSync(Buffer.from(await (await fetch(hub.url + '/' + f)).arrayBuffer()), { level: 9 }).length
  return sum
}

// The lists are longer than what one would plant in a test: the page gets them from here, page by page, as the hub gives them.
const conversation = (i, agent) => {
  const at = new Date(Date.UTC(2026, 0, 1) - i * 60_000).toISOString()
  return {
    id: 'c' + i, channel: 'x', contact: { id: 'p' + i, name: 'Person ' + i }, state: 'assigned', assignee: agent, last_seq: 5, unread: i % 3, preview: 'message ' + i,
    thread: { address: 'p' + i }, opened_at: at, updated_at: at, turn: 'next_reply', waiting_since: at, priority: 0, tags: [],
  }
}

const said = (seq, id) => ({
  pos: seq, seq, kind: 'message', at: new Date(Date.UTC(2026, 0, 1) + seq * 1000).toISOString(), conversation: id, direction: 'in', status: 'received',
  sender: { type: 'contact' }, message: { stack: [{ type: 'text', payload: { content: 'message ' + seq + (seq % 7 ? '' : ' with many more words, so that it stands on two lines, as some do') } }] },
})

// serve gives the page its lists. What it answers with sends events down the stream, all in one go.
async function serve(page, agent, conversations, messages) {
  const list = Array.from({ length: conversations }, (_, i) => conversation(i, agent))
  if (list[0]) list[0].last_seq = messages
  await page.route(/\/v1\/conversations\?/, (route) => {
    const q = new URL(route.request().url()).searchParams
    if (q.get('state') && q.get('state') !== 'assigned') return route.fulfill({ json: { items: [] } })
    const from = Number(q.get('cursor') ?? 0)
    const to = from + 5 * Number(q.get('limit')) // five pages in one: the test has something else to do than to scroll
    return route.fulfill({ json: { items: list.slice(from, to), ...(to < list.length ? { next: String(to) } : {}) } })
  })
  await page.route(/\/v1\/conversations\/c\d+$/, (route) => route.fulfill({ json: list[Number(/c(\d+)$/.exec(route.request().url())[1])] }))
  await page.route(/\/v1\/conversations\/c\d+\/events/, (route) => {
    const url = new URL(route.request().url())
    const id = url.pathname.split('/')[3]
    const last = id === 'c0' ? messages : 5
    const limit = Number(url.searchParams.get('limit'))
    const before = Number(url.searchParams.get('before') ?? 0)
    const first = before ? Math.max(1, before - limit) : Number(url.searchParams.get('after')) + 1
    const end = Math.min(last, before ? before - 1 : first + limit - 1)
    const items = Array.from({ length: Math.max(0, end - first + 1) }, (_, i) => said(first + i, id))
    return route.fulfill({ json: { items, ...(!before && end < last ? { next: 'a' + end } : {}) } })
  })
  await page.route(/\/v1\/conversations\/c\d+\/(read|presence|typing)/, (route) => route.fulfill({ json: { others: [] } }))
  await page.route(/\/v1\/conversations\/c\d+\/messages$/, () => {}) // they stay under way
  // a stream ends with what was sent, the page comes back at once, and the next one stays silent until there is something
  let asks = 0
  let silent
  await page.route('/v1/events', (route) => (asks++ ? (silent = route) : route.fulfill({ contentType: 'text/event-stream', body: ':\n\n' })))
  return async (events) => {
    await until('it listens', () => silent)
    const route = silent
    silent = undefined
    await route.fulfill({ contentType: 'text/event-stream', body: events.map((e) => `id: 1.${e.pos}\nevent: ${e.kind}\ndata: ${JSON.stringify(e)}\n\n`).join('') })
  }
}

test('size 01: what is loaded stays within its budget', async () => {
  const manifest = await (await fetch(hub.url + '/assets/manifest.json')).json()
  const all = Object.values(manifest)
  const entry = all.find((c) => c.isEntry && c.file.endsWith('.js'))
  const withImports = (chunk, seen = new Set()) => {
    if (!chunk || seen.has(chunk.file)) return seen
    seen.add(chunk.file)
    for (const i of chunk.imports ?? []) withImports(manifest[i], seen)
    return seen
  }
  const page = (name) => all.find((c) => c.src === `src/${name}/index.tsx`)
  const first = new Set([...withImports(entry), ...withImports(page('desk'))])
  const texts = all.filter((c) => /^src\/(desk\/)?locales\/en\.json$/.test(c.src ?? '')).map((c) => c.file)
  const js = await weigh([...first, ...texts])
  assert.ok(js < 60 * kB, `the desk's first load is ${js} bytes`)
  for (const name of ['admin', 'wall', 'playground']) {
    const own = [...withImports(page(name))].filter((f) => !withImports(entry).has(f))
    const size = await weigh(own)
    assert.ok(size < 45 * kB, `${name}: ${size} bytes`)
  }
  const css = await weigh([...new Set(all.flatMap((c) => [...(c.css ?? []), ...(c.file.endsWith('.css') ? [c.file] : [])]))])
  assert.ok(css < 20 * kB, `all styles: ${css} bytes`)
  const desk = await weigh([...new Set([...(entry.css ?? []), ...(page('desk').css ?? []), ...all.filter((c) => c.src === 'src/parts/style.css').map((c) => c.file)])])
  assert.ok(desk < 14 * kB, `the desk's styles: ${desk} bytes`)
})

// counter tells what deeds cost a page, in figures that are the same on every machine: how often its functions, and the branches and loops in
// them, are run, how often it changes the document, how often it is laid out, and how many formats of dates and numbers are made, which are
// dear and no function of ours. work is the only time among them: the main thread's own, in milliseconds, however many others want the processor;
// what is allowed is what nobody may wait longer for. It begins before the page is loaded.
async function counter(page) {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Profiler.enable')
  await cdp.send('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  await page.addInitScript(() => {
    window.changes = 0
    new MutationObserver((list) => (window.changes += list.length)).observe(document, { childList: true, subtree: true, attributes: true, characterData: true })
    window.formats = 0
    for (const name of ['DateTimeFormat', 'NumberFormat', 'ListFormat']) Intl[name] = new Proxy(Intl[name], { construct: (of, args) => (window.formats++, new of(...args)) })
  })
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
  const take = async () => {
    const { result } = await cdp.send('Profiler.takePreciseCoverage') // and begins anew
    const own = result.filter((r) => r.url.includes('/assets/'))
    return own.flatMap((r) => r.functions).flatMap((f) => f.ranges).reduce((n, r) => n + r.count, 0)
  }
  let requests = 0
  page.on('request', (r) => (requests += /\/v1\/(?!events)/.test(r.url())))
  return async (what, most, deed, undo = async () => {}) => {
    const seen = async () => {
      const { metrics } = await cdp.send('Performance.getMetrics')
      const sum = (...names) => metrics.reduce((n, m) => n + (names.includes(m.name) ? m.value : 0), 0)
      const work = 1000 * sum('ScriptDuration', 'RecalcStyleDuration', 'LayoutDuration')
      return { ...(await page.evaluate(() => ({ changes: window.changes, formats: window.formats }))), layouts: sum('LayoutCount'), work }
    }
    const least = { runs: Infinity, changes: Infinity, formats: Infinity, layouts: Infinity, work: Infinity, requests: Infinity }
    // the least of several: a clock that ticks meanwhile is not the deed's
    for (let i = 0; i < 4; i++) {
      await take()
      const before = await seen()
      requests = 0
      await deed(i)
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50))))
      least.runs = Math.min(least.runs, await take())
      for (const [k, v] of Object.entries(await seen())) least[k] = Math.min(least[k], v - before[k])
      least.requests = Math.min(least.requests, requests)
      await undo(i)
    }
    for (const [k, v] of Object.entries(most)) assert.ok(least[k] <= v, `${what}: ${least[k]} ${k}, at most ${v}`)
  }
}

test('size 02: five thousand conversations and ten thousand messages: few of them are mounted, and deeds stay cheap', async () => {
  const ann = await hub.user({ name: 'Ann' })
  const page = await hub.as(ann, { path: '/sign-in' })
  const rain = await serve(page, ann.id, 5000, 10_000)
  const cost = await counter(page)
  await page.goto('/desk')
  const rows = page.locator('.chats .chat')
  await rows.first().waitFor()
  const box = page.locator('.chats')
  await until('all are listed', async () => {
    await box.evaluate((el) => el.scrollTo(0, el.scrollHeight))
    return (await page.locator('.chats li').first().getAttribute('aria-setsize')) === '5000'
  }, 120_000)
  assert.ok((await rows.count()) <= 60, `${await rows.count()} rows`)
  await box.evaluate((el) => el.scrollTo(0, 0))
  await rows.first().locator('a').click()
  const log = page.getByRole('log')
  await log.getByText('message 10000').waitFor()
  const step = async (key) => {
    const was = page.url()
    await page.evaluate(() => document.activeElement?.blur())
    await page.keyboard.press(key)
    await until('another one is open', () => page.url() !== was)
    await log.locator('.item').first().waitFor()
  }
  await step('j')
  await step('k')
  const most = (runs, changes, requests = 0, layouts = 12) => ({ runs, changes, requests, layouts, formats: 0, work: 100 })
  await cost('the next conversation', most(20_000, 40, 8), (i) => step(i % 2 ? 'k' : 'j'))
  await cost('ten steps in quick succession', most(40_000, 110, 12, 16), async (i) => {
    const was = page.url()
    await page.evaluate(async (k) => {
      for (let n = 0; n < 10; n++) {
        document.body.dispatchEvent(new KeyboardEvent('keydown', { key: k, bubbles: true, cancelable: true }))
        await new Promise((done) => setTimeout(done)) // each in a task of its own, as keys come
      }
    }, i % 2 ? 'k' : 'j')
    await until('another one is open', () => page.url() !== was)
    await until('the mark rests', () => page.evaluate(() => document.querySelector('.chat.open a')?.pathname === location.pathname))
    await log.locator('.item').first().waitFor()
  })
  await page.locator('.composer textarea').click()
  await cost('a letter', most(1500, 10, 1), () => page.keyboard.press('x'))
  await cost('a message', most(12_000, 32, 5), async (i) => {
    await page.keyboard.press('Enter')
    await log.locator('[data-status=pending]').nth(i).waitFor()
  }, () => page.keyboard.insertText('more'))
  await page.evaluate(() => document.activeElement?.blur())
  const dialog = page.getByRole('dialog')
  const shut = () => page.keyboard.press('Escape').then(() => dialog.waitFor({ state: 'detached' }))
  for (const [what, keys] of [['the palette', 'Control+k'], ['passing on', 't'], ['a rest', 'z']]) await cost(what, most(10_000, 10, 3), () => page.keyboard.press(keys).then(() => dialog.waitFor()), shut)
  await cost('the panel', most(5000, 10, 3), () => page.keyboard.press('c'))
  const menu = page.locator('.filters button').first()
  await menu.click()
  await cost('another order', most(100_000, 50, 5), async (i) => {
    await page.getByRole('menuitemradio').nth(i % 2 ? 0 : 1).click()
    await rows.first().waitFor()
  }, () => menu.click())
  await page.keyboard.press('Escape')
  let seq = 5
  await cost('a hundred events', { ...most(130_000, 160, 3), work: 250 }, async () => {
    seq++
    await rain([...Array.from({ length: 99 }, (_, n) => said(seq, 'c' + (n + 10))), said(10_000 - 5 + seq, 'c0')])
    await log.getByText('message ' + (10_000 - 5 + seq)).waitFor()
  })
  assert.ok((await log.locator('.item').count()) <= 130)
  sound(page)
  await page.context().close()
})

test('size 03: ten thousand messages in one conversation', async () => {
  const bob = await hub.user({ name: 'Bob' })
  const page = await hub.as(bob, { path: '/sign-in' })
  await serve(page, bob.id, 3, 10_000)
  await page.goto('/desk/c/c0')
  const log = page.getByRole('log')
  await log.getByText('message 10000').waitFor()
  const mounted = () => log.locator('.item').count()
  const oldest = async () => Number(await log.locator('.item.is-message').first().evaluate((el) => el.dataset.key.slice(1)))
  assert.ok((await mounted()) <= 130, `${await mounted()} items`)
  await until('a thousand back', async () => {
    await log.evaluate((el) => el.scrollTo(0, 0))
    return (await oldest()) < 9000
  }, 120_000)
  assert.ok((await mounted()) <= 130, `${await mounted()} items`)
  await page.getByRole('button', { name: 'To the newest' }).click()
  const bottom = () => log.evaluate((el) => el.scrollHeight - el.scrollTop - el.clientHeight)
  await log.getByText('message 10000').waitFor()
  await until('at the end', async () => (await bottom()) < 5)
  await page.goto('/desk/c/c0#3000')
  await log.locator('.message.marked', { hasText: 'message 3000' }).waitFor()
  assert.ok((await mounted()) <= 130, `${await mounted()} items`)
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('HeapProfiler.collectGarbage')
  const { usedSize } = await cdp.send('Runtime.getHeapUsage')
  assert.ok(usedSize < 80e6, `${usedSize} bytes of heap`)
  sound(page)
})
