import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stream, text } from '../index.js'
import { Talk } from '../testing.js'

// What each condition gives is said by the person: "a=0.5 b=1".
function weighing(transitions) {
  const score = (name) => (c) => {
    const word = c.text.split(' ').find((w) => w.startsWith(`${name}=`))
    return { score: Number(word?.slice(2) ?? 0), data: name }
  }
  return {
    name: 'weighing',
    states: [{ name: 'Start', initial: true }, ...transitions.map((_, i) => ({ name: `To${i}`, events: ['here'] }))],
    transitions: transitions.map((t, i) => ({ ...t, dest: `To${i}` })),
    conditions: { a: score('a'), b: score('b'), c: score('c') },
    events: { here: async (c) => text(`by ${typeof c.data === 'string' ? c.data : ''}`) },
  }
}

for (const [name, transitions, said, want] of [
  ['the best wins', [{ conditions: ['a'] }, { conditions: ['b'] }], 'a=0.5 b=0.6', 'To1 by b'],
  ['the first wins a tie', [{ conditions: ['a'] }, { conditions: ['b'] }], 'a=0.5 b=0.5', 'To0 by a'],
  ['none fires at 0', [{ conditions: ['a'] }], 'a=0', 'Start '],
  ['nor below', [{ conditions: ['a'], unless: ['b'] }], 'a=0.5 b=0.6', 'Start '],
  ['conditions mean or', [{ conditions: ['a', 'b'] }], 'b=0.4', 'To0 by b'],
  ['no condition is 1', [{ conditions: ['a'] }, {}], 'a=0.9', 'To1 by '],
  ['unless takes away', [{ unless: ['a', 'b'] }, { conditions: ['c'] }], 'a=0.2 b=0.7 c=0.4', 'To1 by c'],
  ['a negative unless counts as 0', [{ conditions: ['a'], unless: ['b'] }, { conditions: ['c'] }], 'a=0.5 b=-1 c=0.5', 'To0 by a'],
  ['only from its source', [{ source: 'To1' }, { conditions: ['a'] }], 'a=0.1', 'To1 by a'],
]) {
  test(`scoring: ${name}`, async () => {
    const talk = new Talk(weighing(transitions))
    await talk.open()
    const reply = await talk.say(said)
    assert.equal(`${reply.state} ${reply.text}`, want)
    assert.equal(reply.fired, reply.state !== 'Start')
  })
}

test('memory, AI, streams and failures', async () => {
  const flow = weighing([{ conditions: ['a'] }, { conditions: ['b'] }])
  flow.states[1].events = ['count', 'model']
  flow.states[2].events = ['fail']
  flow.events.count = async function* (c) {
    c.status.n = (c.status.n ?? 0) + 1
    yield text(`${c.status.n} of ${c.messages.length} ${c.userId} ${c.metadata.lang}`)
  }
  flow.events.model = (c) => stream(c.ai.stream({}))
  flow.events.fail = () => { throw new Error('broken') }
  const ai = () => ({ async *stream() { yield 'It '; yield 'comes.' } })
  const talk = new Talk(flow, { ai, userId: 'ann', metadata: { lang: 'en' } })
  await talk.open()
  assert.equal((await talk.say('a=1')).text, '1 of 1 ann en\nIt comes.')
  const second = await talk.say('a=1')
  assert.equal(second.text, '2 of 6 ann en\nIt comes.')
  assert.deepEqual(second.types, ['message', 'message_chunk'])
  await assert.rejects(talk.say('b=1'), /broken/)
  await assert.rejects(new Talk(flow).open().then(() => new Talk(flow)).then(async (bare) => {
    await bare.open()
    await bare.say('a=1')
  }), /no hub to ask/)
  assert.deepEqual(talk.status, { n: 2 })
})
