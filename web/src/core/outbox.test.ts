import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { memoryKeep } from './keep'
import { Outbox, type Waiting } from './outbox'
import { Problem } from './problem'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

function outbox(answer: (w: Waiting) => Promise<unknown>, keep = memoryKeep()) {
  const sent: string[] = []
  const box = new Outbox({ keep, name: 'box', send: answer, onChange: () => {}, onSent: (w) => sent.push(w.id), random: () => 0 })
  return { box, sent, keep }
}
const letter = (id: string, conversation = 'c') => ({ id, conversation, path: '/x', body: id })

test('order within a conversation holds, also when the first send fails for a while', async () => {
  let fails = 2
  const { box, sent } = outbox((w) => (w.id === '1' && fails-- > 0 ? Promise.reject(new Problem(503, 'unavailable', 'away')) : Promise.resolve()))
  box.add(letter('1'))
  box.add(letter('2'))
  box.add(letter('3', 'other'))
  await vi.advanceTimersByTimeAsync(0)
  expect(sent).toEqual(['3'])
  await vi.advanceTimersByTimeAsync(5_000) // its own timer: nobody reconnects here
  expect(sent).toEqual(['3', '1', '2'])
  expect(box.list).toEqual([])
})

test('what the hub refuses waits for a person, and does not hold the next one up', async () => {
  let good = false
  const { box, sent } = outbox((w) => (w.id === '1' && !good ? Promise.reject(new Problem(422, 'invalid', 'too long')) : Promise.resolve()))
  box.add(letter('1'))
  box.add(letter('2'))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(sent).toEqual(['2'])
  expect(box.list[0]).toMatchObject({ id: '1', failed: 'too long' })
  good = true
  box.retry('1')
  await vi.advanceTimersByTimeAsync(0)
  expect(sent).toEqual(['2', '1'])
})

test('what was not confirmed survives a reload and goes out once, under the same key', async () => {
  const keep = memoryKeep()
  const first = outbox(() => new Promise(() => {}), keep)
  first.box.add(letter('1'))
  await vi.advanceTimersByTimeAsync(0)
  first.box.stop()
  const keys: string[] = []
  const second = outbox((w) => (keys.push(w.id), Promise.resolve()), keep)
  await vi.advanceTimersByTimeAsync(0)
  expect(keys).toEqual(['1'])
  expect(second.sent).toEqual(['1'])
  const third = outbox(() => Promise.reject(new Error('nothing to send')), keep)
  await vi.advanceTimersByTimeAsync(0)
  expect(third.box.list).toEqual([])
})

test('what somebody else wrote into the place is not believed', () => {
  for (const bad of ['{', '7', '[7]', '[{"id":1}]']) {
    const keep = memoryKeep()
    keep.set('box', bad)
    expect(outbox(() => Promise.resolve(), keep).box.list).toEqual([])
  }
})

test('what was cleared stays so, whatever a late answer says', async () => {
  const keep = memoryKeep()
  let refuse = (_: Error) => {}
  const { box } = outbox(() => new Promise((_, no) => (refuse = no)), keep)
  box.add(letter('1'))
  await vi.advanceTimersByTimeAsync(0)
  box.stop()
  keep.set('box', null)
  refuse(new Problem(401, 'unauthorized', ''))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(keep.keys()).toEqual([])
})

test('who has stopped does not bring back what another one has sent', async () => {
  const keep = memoryKeep()
  let answer = (_: unknown) => {}
  const one = outbox(() => new Promise((yes) => (answer = yes)), keep)
  one.box.add(letter('1'))
  one.box.add(letter('2'))
  await vi.advanceTimersByTimeAsync(0)
  one.box.stop()
  const two = outbox((w) => (w.id === '3' ? Promise.reject(new Error('offline')) : Promise.resolve()), keep)
  two.box.add(letter('3', 'other'))
  await vi.advanceTimersByTimeAsync(0)
  expect(two.sent).toEqual(['1', '2'])
  answer({})
  await vi.advanceTimersByTimeAsync(0)
  expect((JSON.parse(keep.get('box')!) as { id: string }[]).map((w) => w.id)).toEqual(['3'])
  two.box.stop()
})

test('tabs do not take away what waits in the others', async () => {
  const keep = memoryKeep()
  const ids = () => (JSON.parse(keep.get('box') ?? '[]') as { id: string }[]).map((w) => w.id)
  const away = () => Promise.reject(new Error('offline'))
  let on = false
  const one = outbox(away, keep)
  const two = outbox(() => (on ? Promise.resolve() : away()), keep)
  one.box.add(letter('1'))
  two.box.add(letter('2'))
  await vi.advanceTimersByTimeAsync(0)
  expect(ids().sort()).toEqual(['1', '2'])
  on = true
  two.box.flush()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(ids()).toEqual(['1'])
  const three = outbox(() => Promise.resolve(), keep)
  await vi.advanceTimersByTimeAsync(0)
  expect(three.sent).toEqual(['1'])
  one.box.stop()
})
