import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import { Reader, Socket } from '../socket.js'
import { frame, listen, Mailbox } from './support/server.js'

async function pair(t, options) {
  const peers = new Mailbox()
  const host = await listen(t, () => peers)
  const socket = new Socket(`ws://${host}/path?a=b`, options)
  t.after(() => socket.terminate())
  const messages = new Mailbox()
  socket.addEventListener('message', ({ data }) => messages.put(data))
  const closed = new Promise((resolve) => socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason })))
  await once(socket, 'open')
  return { socket, messages, closed, peer: await peers.take('peer') }
}

test('texts of all lengths go both ways', async (t) => {
  const { socket, messages, peer } = await pair(t)
  for (const length of [0, 1, 125, 126, 65535, 65536, 3 << 20]) {
    const text = 'ä'.repeat(length / 2) + 'x'.repeat(length % 2)
    socket.send(text)
    assert.equal(await peer.frames.take(), text)
    peer.send(text)
    assert.equal(await messages.take(), text)
  }
  assert.equal(peer.url, '/path?a=b')
})

test('a message in parts, with a ping between them, byte by byte', async (t) => {
  const { messages, peer } = await pair(t)
  const bytes = Buffer.concat([frame(1, 'one ', false), frame(9, 'x'), frame(0, 'two ', false), frame(0, 'three')])
  for (const byte of bytes) peer.tcp.write(Buffer.of(byte))
  assert.equal(await messages.take(), 'one two three')
})

test('both sides may close, with a code', async (t) => {
  const ours = await pair(t)
  ours.socket.close(1000, 'bye')
  assert.deepEqual(await ours.peer.closed.take(), { code: 1000 })
  assert.equal((await ours.closed).code, 1000)
  assert.throws(() => ours.socket.send('late'))
  const theirs = await pair(t)
  theirs.peer.close(4000, 'No RPC worker')
  assert.deepEqual(await theirs.closed, { code: 4000, reason: 'No RPC worker' })
  const torn = await pair(t)
  torn.peer.tcp.destroy()
  assert.equal((await torn.closed).code, 1006)
})

for (const [name, code, bytes] of [
  ['reserved bits', 1002, Buffer.of(0xc1, 0)],
  ['a masked frame', 1002, Buffer.of(0x81, 0x80, 0, 0, 0, 0)],
  ['an unknown opcode', 1002, frame(3, 'x')],
  ['a part without a beginning', 1002, frame(0, 'x')],
  ['a beginning within a message', 1002, Buffer.concat([frame(1, 'x', false), frame(1, 'y')])],
  ['a long ping', 1002, frame(9, 'x'.repeat(126))],
  ['a ping in parts', 1002, frame(9, 'x', false)],
  ['text that is no UTF-8', 1007, frame(1, Buffer.of(0xff))],
  ['a large message', 1009, frame(1, 'x'.repeat(101))],
  ['a large message in parts', 1009, Buffer.concat([frame(1, 'x'.repeat(60), false), frame(0, 'x'.repeat(60))])],
  ['a length beyond all numbers', 1009, Buffer.of(0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255)],
]) {
  test(`${name}: closed with ${code}`, async (t) => {
    const { closed, peer } = await pair(t, { maxFrame: 100 })
    peer.tcp.write(bytes)
    assert.equal((await closed).code, code)
    assert.equal((await peer.closed.take()).code, code)
  })
}

test('refused, wrong and silent handshakes are errors', async (t) => {
  const failure = (url, options) => new Promise((resolve) => {
    const socket = new Socket(url, options)
    socket.addEventListener('error', ({ error, status }) => resolve({ status, message: error.message }))
  })
  const refusing = await listen(t, () => 403)
  assert.equal((await failure(`ws://${refusing}/`)).status, 403)
  const servers = []
  const answer = async (text) => {
    const server = net.createServer((tcp) => tcp.on('error', () => {}).write(text)).listen(0, '127.0.0.1')
    servers.push(server)
    await once(server, 'listening')
    return `ws://127.0.0.1:${server.address().port}/`
  }
  t.after(() => servers.forEach((s) => s.close()))
  const wrong = await answer('HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n')
  assert.match((await failure(wrong)).message, /wrong Sec-WebSocket-Accept/)
  assert.match((await failure(await answer(''), { handshakeTimeout: 20 })).message, /timed out/)
})

test('any bytes give messages or an error, never more', () => {
  let seed = 7
  const random = (n) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n
  for (let round = 0; round < 3000; round++) {
    const reader = new Reader(1000)
    const bytes = Buffer.from(Array.from({ length: random(60) }, () => (random(3) ? random(256) : [0x81, 0x01, 0x00, 0x89][random(4)])))
    try {
      for (let at = 0; at < bytes.length;) {
        const step = 1 + random(5)
        for (const { opcode, data } of reader.push(bytes.subarray(at, at + step))) assert.ok(opcode < 11 && data.length <= 1000)
        at += step
      }
    } catch (error) {
      assert.ok([1002, 1009].includes(error.code), error.stack)
    }
  }
})
