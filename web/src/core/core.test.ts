import { expect, test, vi } from 'vitest'
import { API, queryOf } from './api'
import { Drafts } from './drafts'
import { newID } from './id'
import { memoryKeep } from './keep'
import { isSingle, Keys, nameOf } from './keys'
import { Problem } from './problem'
import { isPage, placeOf } from './router'
import { may, readLink, readSession, type Session } from './session'
import { readSettings, writeSettings } from './settings'
import { Store } from './store'
import { forget, unsent } from './unsent'

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } })

test('writes prove where they come from and carry a key', async () => {
  const asked: [string, RequestInit][] = []
  const api = new API(((p: string, i: RequestInit) => (asked.push([p, i]), Promise.resolve(json({ ok: 1 })))) as typeof fetch)
  api.csrf = 'secret'
  await api.post('/v1/x', { a: 1 })
  await api.post('/v1/x', {}, 'mine')
  await api.get('/v1/x', { a: 'b c', none: undefined })
  const headers = asked.map(([, i]) => i.headers as Record<string, string>)
  expect(headers[0]).toMatchObject({ 'X-CSRF-Token': 'secret', 'Content-Type': 'application/json' })
  expect(headers[0]!['Idempotency-Key']).toMatch(/^[0-9a-f-]{36}$/)
  expect(headers[1]!['Idempotency-Key']).toBe('mine')
  expect(headers[2]!['X-CSRF-Token']).toBeUndefined()
  expect(asked[2]![0]).toBe('/v1/x?a=b+c')
})

test('refusals are problems with readable words', async () => {
  const answers = [
    json({ code: 'invalid', detail: '', errors: [{ path: 'body.email', detail: 'is none' }, { path: 'body.email_2', detail: '' }, { path: 'body.names[1].x', detail: 'is long' }] }, 422),
    json({ code: 'throttled', detail: 'slowly' }, 429, { 'Retry-After': '7' }),
    new Response('<html>', { status: 502, statusText: 'Bad Gateway' }),
    json({ code: 'unauthorized', detail: 'who?' }, 401),
  ]
  const api = new API((() => Promise.resolve(answers.shift() ?? Promise.reject(new TypeError('x')))) as typeof fetch)
  api.onSignedOut = vi.fn()
  const fail = async () => (await api.get('/v1/x').catch((e: unknown) => e)) as Problem
  const one = await fail()
  expect([one.message.trim(), one.of('email'), one.of('name'), one.of('names'), one.passing]).toEqual(['is none  is long', 'is none', '', 'is long', false])
  expect(await fail()).toMatchObject({ retryAfter: 7, passing: true })
  expect(await fail()).toMatchObject({ status: 502, code: 'http_502', passing: true })
  await fail()
  expect(api.onSignedOut).toHaveBeenCalledOnce()
  expect(await fail()).toMatchObject({ status: 0, code: 'offline', passing: true })
})

test('lists are read to their end', async () => {
  const pages = [json({ items: [1, 2], next: 'x' }), json({ items: [3] })]
  const api = new API((() => Promise.resolve(pages.shift()!)) as typeof fetch)
  expect(await api.all<number>('/v1/x')).toEqual([1, 2, 3])
})

test('who signs out leaves nothing unsent behind', () => {
  const keep = memoryKeep()
  const drafts = new Drafts(keep, 'ann')
  drafts.set('1', { text: 'half', note: true, mentions: [{ id: 'bob', name: 'Bob' }] })
  drafts.set('2', { text: ' ', note: true })
  new Drafts(keep, 'anna').set('1', { text: 'of somebody else', note: false })
  keep.set('dragoman.outbox.ann', '[{}]')
  keep.set('dragoman.settings', '{}')
  expect(drafts.get('1').mentions).toEqual([{ id: 'bob', name: 'Bob' }])
  expect(unsent(keep, 'ann')).toEqual({ drafts: 1, waiting: 1 })
  forget(keep, 'ann')
  expect(keep.keys()).toEqual(['dragoman.draft.anna.1', 'dragoman.settings'])
  keep.set('dragoman.outbox.ann', 'nonsense')
  expect(unsent(keep, 'ann')).toEqual({ drafts: 0, waiting: 0 })
})

test('nobody signed in is no error', async () => {
  const api = new API((() => Promise.resolve(json({ code: 'unauthorized' }, 401))) as typeof fetch)
  expect(await readSession(api)).toBeNull()
  const ann = { rights: ['a'] } as Session
  expect([may(null, 'a'), may(ann, 'a'), may(ann, 'b'), may({ ...ann, all: true }, 'b')]).toEqual([false, true, false, true])
  expect([readLink('drl_' + 'a'.repeat(43)), readLink('drl_<script>'), readLink('')]).toEqual(['drl_' + 'a'.repeat(43), '', ''])
})

test('queries leave out what is not there', () => {
  expect(queryOf({ a: '', b: undefined, c: 0 })).toBe('?c=0')
  expect(queryOf({})).toBe('')
})

test('ids are of version 4 and differ', () => {
  const all = new Set(Array.from({ length: 500 }, () => newID()))
  expect(all.size).toBe(500)
  for (const id of all) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('a store tells of changes alone', () => {
  const s = new Store(1, (n: number, a: number) => n + a)
  const heard = vi.fn()
  const stop = s.on(heard)
  s.do(0)
  s.do(1, 1)
  stop()
  s.do(1)
  expect(heard).toHaveBeenCalledOnce()
  expect(s.state).toBe(4)
})

test('places', () => {
  const p = placeOf(new URL('http://x/desk/c/a%20b/%E0%A4%A?view=all#12'))
  expect([p.parts, p.query.get('view'), p.hash]).toEqual([['desk', 'c', 'a b', '%E0%A4%A'], 'all', '12'])
  expect([isPage('/desk/1'), isPage('/'), isPage('/docs'), isPage('/v1/me')]).toEqual([true, true, false, false])
})

test('drafts are kept for each conversation and user', () => {
  const keep = memoryKeep()
  const d = new Drafts(keep, 'ann')
  d.set('1', { text: 'half a', note: true, reply: 4 })
  d.set('2', { text: '  ', note: false })
  expect(new Drafts(keep, 'ann').get('1')).toEqual({ text: 'half a', note: true, reply: 4 })
  expect(new Drafts(keep, 'bob').get('1').text).toBe('')
  expect([...d.ids()]).toEqual(['1'])
  d.set('1', { text: '', note: false })
  expect(d.ids().size).toBe(0)
  keep.set('dragoman.draft.ann.3', '{broken')
  expect(d.get('3')).toEqual({ text: '', note: false })
})

const press = (key: string, o: Partial<KeyboardEvent> = {}) =>
  ({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, isComposing: false, defaultPrevented: false, target: null, preventDefault: vi.fn(), ...o }) as unknown as KeyboardEvent

test('keys: names, the newest wins, off and changed', () => {
  expect([nameOf(press('j')), nameOf(press('K', { ctrlKey: true })), nameOf(press('?', { shiftKey: true })), nameOf(press('R', { shiftKey: true }))]).toEqual(['J', 'Mod+K', '?', 'Shift+R'])
  expect([isSingle('j'), isSingle('Shift+R'), isSingle('Mod+K'), isSingle('Escape'), isSingle('?')]).toEqual([true, true, false, false, true])
  const keys = new Keys()
  const ran: string[] = []
  const bind = (id: string, k: string, more = {}) => keys.add({ id, keys: k, title: id, run: () => ran.push(id), ...more })
  bind('next', 'j')
  bind('palette', 'Mod+K', { anywhere: true })
  const stop = bind('other', 'j')
  expect(keys.press(press('j'))).toBe(true)
  stop()
  keys.press(press('j'))
  const field = { matches: (s: string) => s.includes('textarea') }
  expect(keys.press(press('j', { target: field as never }))).toBe(false)
  expect(keys.press(press('k', { ctrlKey: true, target: field as never }))).toBe(true)
  keys.set({ single: false, own: {} })
  expect(keys.press(press('j'))).toBe(false)
  keys.set({ single: true, own: { next: 'n' } })
  keys.press(press('n'))
  expect(keys.press(press('j'))).toBe(false)
  expect(ran).toEqual(['other', 'next', 'palette', 'next'])
})

test('settings survive, and nonsense does no harm', () => {
  const keep = memoryKeep()
  const s = readSettings(keep, ['de-DE'])
  expect(s).toMatchObject({ theme: 'auto', language: 'de', sound: true })
  writeSettings(keep, { ...s, theme: 'dark', keys: { single: false, own: { a: 'b' } } })
  expect(readSettings(keep, ['en'])).toMatchObject({ theme: 'dark', language: 'de', keys: { single: false, own: { a: 'b' } } })
  keep.set('dragoman.settings', '[')
  expect(readSettings(keep, []).theme).toBe('auto')
})
