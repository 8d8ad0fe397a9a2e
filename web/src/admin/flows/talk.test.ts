import { expect, test } from 'vitest'
import { API } from '../../core/api'
import { freeTestChannel } from './talk'

test('trials of a flow end, also when another one was tried out since, and those of others go on', async () => {
  const calls: string[] = []
  const answers: Record<string, unknown> = {
    '/v1/channels': { items: [{ id: 'x', connector: 'simulator', name: 'Flow test', flow: 'new' }] },
    '/v1/conversations': { items: [{ id: '1', flow: 'old' }, { id: '2', flow: 'new' }, { id: '3', flow: 'old.draft' }] },
  }
  const api = new API(((path: string, init?: RequestInit) => {
    const { pathname } = new URL(path, 'http://hub')
    if (init?.method && init.method !== 'GET') calls.push(pathname)
    return Promise.resolve(new Response(JSON.stringify(answers[pathname] ?? {}), { headers: { 'Content-Type': 'application/json' } }))
  }) as typeof fetch)
  await freeTestChannel(api, ['old', 'old.draft'])
  expect(calls.sort()).toEqual(['/v1/conversations/1/close', '/v1/conversations/3/close'])
})
