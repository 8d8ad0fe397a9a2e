// The first minute of a newcomer, signing in, and the frame.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { axe, everyLook, shot, sound, start, until } from './harness.mjs'

const hub = await start({ fresh: true })

test('start 01: the printed link sets a password and leads to the welcome page', async () => {
  const link = /http:\S+\/sign-in#drl_\w+/.exec(hub.out)?.[0]
  assert.ok(link, hub.out)
  const page = await hub.as(null, { path: link })
  await page.getByRole('heading', { name: 'Choose a password' }).waitFor()
  await until('the token leaves the address', () => new URL(page.url()).hash === '')
  await axe(page)
  await page.getByLabel('New password').fill('a good password')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Welcome, Admin' }).waitFor()
  await axe(page)
  await shot(page, 'welcome')
  await page.getByLabel('Name').fill('Grace')
  await page.getByLabel('E-mail').fill('grace@example.com')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: 'Welcome, Grace' }).waitFor()
  sound(page)
  await page.context().close()

  const again = await hub.as(null, { path: link })
  await again.getByLabel('New password').fill('another password')
  await again.keyboard.press('Enter')
  await again.getByRole('alert').waitFor()
  await again.context().close()
})

test('start 02: the sample flow hands over to a queue that the first user answers', async () => {
  const { items } = await hub.api('GET', '/v1/queues')
  const users = await hub.api('GET', '/v1/users')
  assert.deepEqual(items.map((q) => [q.name, q.members]), [['support', [users.items[0].id]]])
})

test('start 03: signing in, wrong and right, and out again', async () => {
  const ann = await hub.user({ name: 'Ann Agent', queues: ['support'] })
  const page = await hub.as(null, { path: '/desk?view=all' })
  await page.getByLabel('E-mail').fill(ann.email)
  await page.getByLabel('Password').fill('wrong')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('That is not right').waitFor()
  await axe(page)
  await shot(page, 'sign-in')
  await page.getByLabel('Password').fill(ann.password)
  await page.keyboard.press('Enter')
  await page.getByRole('navigation', { name: 'Pages' }).waitFor()
  await until('it is the desk', () => new URL(page.url()).pathname === '/desk')
  assert.equal(await page.getByRole('link', { name: 'Admin' }).count(), 0, 'an agent sees the door to the admin pages')
  await page.getByRole('button', { name: 'Ann Agent: settings and sign out' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  sound(page)
  await page.context().close()
})

test('start 04: a session that is ended elsewhere leads to the sign-in page', async () => {
  const eve = await hub.user({ name: 'Eve' })
  const page = await hub.as(eve)
  await page.getByRole('navigation', { name: 'Pages' }).waitFor()
  await hub.api('DELETE', `/v1/users/${eve.id}/sessions`)
  await page.reload()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await page.context().close()
})

test('start 04: signed out where the sign-in page cannot be loaded any more, as after an upgrade, one is told what to do', async () => {
  const page = await hub.as(await hub.user({ name: 'Ida' }))
  await page.getByRole('navigation', { name: 'Pages' }).waitFor()
  await page.route('**/assets/signin-*', (route) => route.abort())
  await page.getByRole('button', { name: /settings and sign out/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  const reload = page.getByRole('button', { name: 'Load again' })
  await reload.waitFor()
  await page.unroute('**/assets/signin-*')
  await reload.click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await page.context().close()
})

test('start 04: who signs in as somebody else, or out, does so in all tabs of the browser', async () => {
  const [una, ivo] = [await hub.user({ name: 'Una' }), await hub.user({ name: 'Ivo' })]
  const first = await hub.as(una)
  const button = (page, user) => page.getByRole('button', { name: user.name + ': settings and sign out' })
  await button(first, una).waitFor()
  await first.context().addCookies([await hub.cookie(ivo)])
  const second = await hub.tab(first.context(), '/desk')
  await button(first, ivo).waitFor()
  await button(second, ivo).click()
  await second.getByRole('menuitem', { name: 'Sign out' }).click()
  await first.getByRole('heading', { name: 'Sign in' }).waitFor()
  sound(second)
  await first.context().close()
})

test('start 05: every asset that the page names is there, with its type, and none is the page itself', async () => {
  const html = await (await fetch(hub.url + '/desk')).text()
  const assets = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((m) => m[1])
  assert.ok(assets.length >= 3, html)
  const manifest = await (await fetch(hub.url + '/assets/manifest.json')).json()
  for (const chunk of Object.values(manifest)) assets.push('/' + chunk.file)
  for (const a of new Set(assets)) {
    const res = await fetch(hub.url + a)
    assert.equal(res.status, 200, a)
    assert.match(res.headers.get('content-type'), /javascript|css|svg/, a)
    assert.match(res.headers.get('cache-control'), /immutable/, a)
    assert.ok(!(await res.text()).startsWith('<!doctype'), a)
  }
  assert.equal((await fetch(hub.url + '/assets/gone.js')).status, 404)
})

test('start 06: the sign-in page in every look', async () => {
  await everyLook(hub, null, '/sign-in', 'sign-in', (page) => page.locator('input[name=email]').waitFor())
})

test('start 07: settings: theme, language, single keys', async () => {
  const bob = await hub.user({ name: 'Bob' })
  const page = await hub.as(bob)
  await page.getByRole('button', { name: /settings/ }).click()
  await page.getByRole('menuitem', { name: 'Settings' }).click()
  await page.getByLabel('Colours').selectOption('dark')
  await until('it is dark', () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme === 'dark'))
  await axe(page)
  await page.getByLabel('Language').selectOption('ar')
  await page.locator('html[dir=rtl]').waitFor()
  await page.getByRole('navigation').first().waitFor()
  sound(page)
  await page.context().close()
})
