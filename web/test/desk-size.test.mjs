// The desk's budgets: what is loaded, and how it bears long lists and long conversations.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { sound, start, until } from './harness.mjs'

const hub = await start()
const kB = 1000

// weigh gives the size of files as they go over the wire.
async function weigh(files) {
  let sum = 0
  for (const f of files) sum += gzipSync(Buffer.from(await (await fetch(hub.url + '/' + f)).arrayBuffer()), { level: 9 }).length
  return sum
}

// flood writes many messages at once, some at a time.
async function flood(n, one) {
  let next = 0
  await Promise.all(
    Array.from({ length: 48 }, async () => {
      while (next < n) await one(next++)
    }),
  )
}

async function post(channel, body) {
  const res = await fetch(`${hub.url}/in/${channel.channel}`, { method: 'POST', headers: { 'Content-Type': 'application/json', Authorization: 'Bearer ' + channel.key }, body: JSON.stringify(body) })
  assert.ok(res.ok, await res.text())
  await res.arrayBuffer()
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

test('size 02: five thousand conversations mount a few dozen rows, and keys stay quick', async () => {
  const boss = await hub.user({ name: 'Boss', role: 'supervisor' })
  const site = await hub.channel('Busy', { queue: 'nobody' })
  await flood(5000, (i) => post(site, { from: 'p' + i, name: 'Person ' + i, text: 'message ' + i }))
  const page = await hub.as(boss, { path: '/desk?view=all' })
  const rows = page.locator('.chats .chat')
  await rows.first().waitFor()
  // to the end of the list, page by page
  const box = page.locator('.chats')
  await until('all are listed', async () => {
    await box.evaluate((el) => el.scrollTo(0, el.scrollHeight))
    return (await page.locator('.chats li').first().getAttribute('aria-setsize')) === '5000'
  }, 120_000)
  assert.ok((await rows.count()) <= 60, `${await rows.count()} rows`)
  await box.evaluate((el) => el.scrollTo(0, 0))
  await rows.first().locator('a').click()
  await page.getByRole('log').waitFor()
  await page.evaluate(() => document.activeElement?.blur())
  const times = []
  for (let i = 0; i < 12; i++) {
    times.push(
      await page.evaluate(async () => {
        const was = location.href
        const before = performance.now()
        dispatchEvent(new KeyboardEvent('keydown', { key: 'j' }))
        while (location.href === was || !document.querySelector('.chat.open')) await new Promise((done) => requestAnimationFrame(done))
        return performance.now() - before
      }),
    )
  }
  const best = Math.min(...times)
  assert.ok(best < 150, `j takes ${times.map(Math.round)} ms`)
  await page.evaluate(() => history.replaceState(null, '', '/desk?view=all') || dispatchEvent(new PopStateEvent('popstate')))
  await post(site, { from: 'p17', name: 'Person 17', text: 'up I go' })
  await until('it is first', async () => (await rows.first().innerText()).includes('up I go'))
  sound(page)
  await page.context().close()
})

test('size 03: ten thousand messages in one conversation', async () => {
  const ann = await hub.user({ name: 'Ann' })
  const site = await hub.channel('Long', { queue: 'nobody' })
  const c = await hub.say('Long', 'message 0', site)
  await hub.api('POST', `/v1/conversations/${c.id}/assign`, { assignee: ann.id })
  await flood(9999, (i) => post(site, { from: 'Long', name: 'Long', text: 'message ' + (i + 1) }))
  const page = await hub.as(ann, { path: '/desk/c/' + c.id })
  const log = page.getByRole('log')
  await log.locator('.message').first().waitFor()
  const mounted = () => log.locator('.item').count()
  assert.ok((await mounted()) <= 130, `${await mounted()} items`)
  const oldest = async () => Number(await log.locator('.item[data-key^=m]').first().evaluate((el) => el.dataset.key.slice(1)))
  const end = await oldest()
  await until('a few hundred back', async () => {
    await log.evaluate((el) => el.scrollTo(0, 0))
    return (await oldest()) < end - 400
  })
  assert.ok((await mounted()) <= 130, `${await mounted()} items`)
  await page.getByRole('button', { name: 'To the newest' }).click()
  const bottom = () => log.evaluate((el) => el.scrollHeight - el.scrollTop - el.clientHeight)
  await until('at the end', async () => (await bottom()) < 5)
  await page.goto(`/desk/c/${c.id}#3000`)
  await log.locator('.message.marked').waitFor()
  assert.ok((await mounted()) <= 130, `${await mounted()} items`)
  await page.getByRole('button', { name: 'To the newest' }).click()
  await post(site, { from: 'Long', name: 'Long', text: 'the very last' })
  await log.getByText('the very last').waitFor()
  await until('at the end', async () => (await bottom()) < 5)
  const heap = await page.context().newCDPSession(page)
  await heap.send('HeapProfiler.collectGarbage')
  const { usedSize } = await heap.send('Runtime.getHeapUsage')
  assert.ok(usedSize < 80e6, `${usedSize} bytes of heap`)
  sound(page)
})
