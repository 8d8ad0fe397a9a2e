// The flow of the recorded frames, which are those of the Go SDK.
import {
  buttons, closeConversation, custom, fileDownload, fileUpload, gtmTag, starRating, stream, text, textFeedback, thumbsRating,
  toolResult, toolUse,
} from '../../index.js'

const references = {
  knowledge_base_id: 3, knowledge_item_images: {},
  knowledge_items: [{ knowledge_item_id: 7, title: 'Returns', url: 'https://shop.example/returns' }],
}

export const parcel = () => ({
  name: 'parcel',
  states: [
    { name: 'Greeting', initial: true, events: ['greet'] },
    { name: 'Answer', events: ['stream'] },
    { name: 'Rest' },
  ],
  transitions: [
    { dest: 'Answer', conditions: ['asks'] },
    { source: 'Answer', dest: 'Rest', unless: ['asks', 'breaks_condition'] },
  ],
  conditions: {
    asks: (c) => (c.text.includes('parcel') ? { score: 0.9, data: { about: 'parcel' } } : 0),
    async breaks_condition() { throw new Error('no idea') },
  },
  events: {
    async *greet(c) {
      yield text(`Hello ${c.userId}!`)
      yield `You are in ${c.metadata.lang}.`
    },
    *all_layers() {
      yield fileUpload('Send the bill', { pdf: 5_000_000 })
      yield fileDownload({ content: 'Your report', name: 'report.pdf', url: 'https://files.example/report.pdf' })
      yield thumbsRating()
      yield starRating({ hint: 'How was it?', explanation: '5 is best' })
      yield textFeedback({ hint: 'Tell us more', placeholder: 'type here', fullConversation: true })
      yield toolUse({ id: 't1', name: 'get_order', args: { number: 'A-1' } })
      yield toolResult({ id: 't1', name: 'get_order', result: 'shipped' })
      yield gtmTag({ event: 'lead' })
      yield custom('map', { lat: 1.5 }, { meta: { zoom: 3 }, state: { seen: true } })
      yield closeConversation()
    },
    stream: () => stream(['a ', 'b ', 'c'], { references }),
    async *remember(c) {
      c.status = { count: (c.status.count ?? 0) + 1 }
      yield text(`Call ${c.status.count}`)
    },
    async *press(c) {
      yield buttons(`${c.text} is ${c.pressed}`, [{ id: 'y', title: 'Yes' }, { title: 'No' }, { title: 'Site', url: 'https://shop.example' }])
      yield buttons('', [], { once: true })
    },
    both: [async () => text('one'), async function* () { yield text('two') }],
    async silent() {},
    async *breaks() {
      yield text('so far')
      throw new Error('oh')
    },
    async *breaks_stream() {
      yield stream((async function* () {
        yield 'half'
        throw new Error('the source is dry')
      })())
    },
    async *ask_model(c) {
      const a = await c.ai.llm({
        config: 'gpt', messages: [{ role: 'user', content: 'Be short.' }], temperature: 0, maxTokens: 10, toolChoice: 'auto',
        tools: [{ name: 'get_order', description: 'Finds an order', parameters: { type: 'object' } }],
      })
      yield text(`${a.text} (${a.stopReason}, ${a.usage.output}, ${a.content[2].tool_use.name})`)
    },
    stream_model: (c) => stream(c.ai.stream({ config: 'gpt' })),
    async *look_up(c) {
      const found = await c.ai.retrieve('docs', c.text)
      yield text(`Found ${found.knowledge_items.length}`, { references: found })
    },
    prompted: async (c) => text(await c.ai.prompt('tone')),
  },
})
