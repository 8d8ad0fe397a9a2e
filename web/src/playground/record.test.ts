import { expect, test } from 'vitest'
import { curl, everything, exported, Recorder, shows, type Asked } from './record'
import { body, header, words } from './redact'
import { recording } from './wire'

const asked = (more: Partial<Asked> = {}): Asked => ({
  side: 'agent',
  method: 'POST',
  url: '/v1/conversations/1/messages',
  headers: { Accept: 'application/json', 'Content-Type': 'application/json', 'X-CSRF-Token': 'csrf-secret', 'Idempotency-Key': 'k1' },
  body: `{"text":"it's"}`,
  ...more,
})

test('no secret is ever kept', () => {
  expect([header('Authorization', 'Bearer abc'), header('Cookie', 'a=b'), header('X-CSRF-Token', 'x'), header('X-Action-Id', 'a1')]).toEqual(['Bearer ***', '***', '***', 'a1'])
  expect(words('use drg_abcdefghijklmnopqrst now, /files/12?exp=1&sig=abc and ?token=abc&x=1')).toBe('use drg_*** now, /files/12?*** and ?token=***&x=1')
  expect(JSON.parse(body('{"token":"t","csrf_token":"c","settings":{"key":"k","title":"T"},"key":"ab.3","list":[{"password":"p"}],"n":1}'))).toEqual({
    token: '***', csrf_token: '***', settings: { key: '***', title: 'T' }, key: 'ab.3', list: [{ password: '***' }], n: 1,
  })
  const rec = new Recorder()
  const n = rec.request(asked({ url: '/x?token=visitor-secret', body: '{"token":"body-secret"}' }))
  rec.reply(n, 200, 'OK', [['set-cookie', 'cookie-secret']], '{"csrf_token":"reply-secret"}', 3)
  rec.frame('agent', { id: '4', kind: 'message', data: '{"text":"drg_frame-secret-0123456789"}' })
  const all = exported(rec.entries, 'http://hub', new Date(0)) + rec.entries.map((e) => curl(e, '')).join()
  expect(all).not.toMatch(/secret/)
})

test('cause and effect have one action, whichever is known first', () => {
  const rec = new Recorder()
  const n = rec.request(asked())
  rec.frame('consumer', { id: '9', kind: 'message', data: '{"parts":[]}' })
  rec.frame('agent', { id: '9', kind: 'message', data: '{"pos":9,"seq":3,"action":"a1"}' })
  rec.reply(n, 201, 'Created', [['x-action-id', 'a1']], '{"seq":3,"pos":9}', 5)
  rec.frame('consumer', { id: '9', kind: 'changed', data: '{}' })
  rec.frame('agent', { id: '', kind: 'typing', data: '{"conversation":"1"}' })
  expect(rec.entries.map((e) => [e.kind, e.action])).toEqual([
    ['request', 'a1'], ['notification', 'a1'], ['event', 'a1'], ['reply', 'a1'], ['notification', 'a1'], ['signal', ''],
  ])
  expect(rec.entries.filter((e) => shows({ ...everything, action: 'a1', kinds: new Set(['event']) }, e)).length).toBe(1)
})

test('it is bounded in number and in size', () => {
  const rec = new Recorder(3)
  for (let i = 0; i < 10; i++) rec.request(asked({ url: '/' + i }))
  expect([rec.entries.map((e) => e.url), rec.dropped]).toEqual([['/7', '/8', '/9'], 7])
  expect([rec.find(7), rec.find(9)?.url, rec.again(1, false)]).toEqual([undefined, '/8', undefined])
  const small = new Recorder(100, 5000, 1000)
  for (let i = 0; i < 50; i++) small.request(asked({ body: 'x'.repeat(3000) }))
  expect(new Recorder(9).request(asked({ body: 'x'.repeat(2_000_001) }))).toBe(1)
  expect(small.entries.length).toBeLessThan(6)
  expect(small.entries[0]).toMatchObject({ cut: 2000 })
})

test('filters: kind, side, text, sequence numbers', () => {
  const rec = new Recorder()
  rec.request(asked())
  for (const seq of [1, 2, 3]) rec.frame('agent', { id: String(seq), kind: 'message', data: JSON.stringify({ seq, text: 'Word ' + seq }) })
  const count = (f: Partial<typeof everything>) => rec.entries.filter((e) => shows({ ...everything, ...f }, e)).length
  expect([count({}), count({ text: 'wORD 2' }), count({ seq: '2' }), count({ seq: '2-' }), count({ seq: '-2' }), count({ seq: 'x' }), count({ side: 'consumer' }), count({ kinds: new Set(['event', 'request']) })]).toEqual([4, 1, 1, 2, 2, 0, 0, 4])
})

test('as curl, again, and paused', () => {
  const rec = new Recorder()
  const n = rec.request(asked())
  expect(curl(rec.find(n)!, 'http://hub')).toBe(
    `curl -X POST 'http://hub/v1/conversations/1/messages' \\\n  -H "Authorization: Bearer $TOKEN" \\\n  -H 'Content-Type: application/json' \\\n  -H 'Idempotency-Key: k1' \\\n  -d '{"text":"it'\\''s"}'`,
  )
  expect(rec.again(n, true)!.headers['Idempotency-Key']).toBe('k1')
  expect(rec.again(n, false)!.headers).toMatchObject({ 'X-CSRF-Token': 'csrf-secret' })
  expect(rec.again(n, false)!.headers['Idempotency-Key']).not.toBe('k1')
  rec.pause(true)
  expect([rec.request(asked()), rec.entries.length, rec.missed]).toEqual([0, 1, 1])
  rec.pause(false)
  rec.clear()
  expect([rec.entries.length, rec.request(asked()) > n]).toEqual([0, true])
})

test('fetch is recorded, the answer can still be read, and a dead line is told', async () => {
  const rec = new Recorder()
  const answers = [() => Promise.resolve(new Response('{"a":1}', { status: 201, headers: { 'X-Action-Id': 'a2' } })), () => Promise.reject(new TypeError('no way'))]
  const f = recording(rec, 'consumer', (() => answers.shift()!()) as typeof fetch)
  const res = await f('/v1/x', { method: 'POST', body: '{}', headers: { A: 'b' } })
  expect(await res.json()).toEqual({ a: 1 })
  await expect(f('/v1/y')).rejects.toThrow('no way')
  expect(rec.entries.map((e) => [e.kind, e.title, e.action, e.status])).toEqual([
    ['request', 'POST /v1/x', 'a2', undefined], ['reply', '201', 'a2', 201], ['request', 'GET /v1/y', '', undefined], ['reply', 'no way', '', 0],
  ])
})
