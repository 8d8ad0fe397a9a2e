// The frames recorded for the Go SDK, in both directions, over real sockets.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Worker } from '../index.js'
import { parcel } from './support/parcel.js'
import { startHub } from './support/server.js'

const folder = new URL('../../worker/testdata/', import.meta.url)
const files = readdirSync(folder).filter((name) => name.endsWith('.json'))

test('there are recorded frames', () => assert.ok(files.length >= 10))

for (const file of files) {
  const { about, steps } = JSON.parse(readFileSync(new URL(file, folder)))
  test(`${file}: ${about}`, async (t) => {
    const hub = await startHub(t, Worker, parcel())
    const peers = { rpc: await hub.rpc.take('rpc socket'), ai: await hub.ai.take('ai socket') }
    const registration = await peers.rpc.next('registration')
    const names = new Map()
    for (const [i, { socket = 'rpc', hub: given, worker: want }] of steps.entries()) {
      if (given) {
        peers[socket].send(given)
        continue
      }
      const got = steps.length === 1 ? registration : await peers[socket].next(`frame of step ${i}`)
      assert.deepEqual(bind(want, got, names), want, `step ${i}`)
    }
    await hub.stop()
    assert.equal(peers.rpc.frames.size + peers.ai.frames.size, 0, 'more frames than recorded')
  })
}

// bind puts the placeholders of want into got, where they stand for UUIDs: "$" for any, "$x" for one that is the
// same wherever $x stands and different from all others.
function bind(want, got, names) {
  if (typeof want === 'string' && want.startsWith('$')) {
    assert.match(String(got), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    if (want === '$') return want
    if (!names.has(got) && ![...names.values()].includes(want)) names.set(got, want)
    return names.get(got)
  }
  if (Array.isArray(got)) return got.map((value, i) => bind(want?.[i], value, names))
  if (got && typeof got === 'object') {
    return Object.fromEntries(Object.entries(got).map(([key, value]) => [key, bind(want?.[key], value, names)]))
  }
  return got
}
