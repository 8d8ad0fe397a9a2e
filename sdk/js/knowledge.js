// Knowledge reads and writes the hub's knowledge bases over its REST calls. It runs in Node and in browsers.

const timeout = 60_000
const itemsAtOnce = 100

export class Knowledge {
  #base
  #token
  #fetch

  // See index.d.ts for the options. url and token must be there.
  constructor({ url, token, fetch = globalThis.fetch.bind(globalThis) }) {
    const base = new URL(url)
    base.protocol = base.protocol.replace('ws', 'http')
    if (!base.pathname.endsWith('/')) base.pathname += '/'
    this.#base = new URL('back/api/language-model/', base)
    this.#token = token
    this.#fetch = fetch
  }

  // items gives the items of a base whose metadata have the given members, all without any.
  async *items(base, metadata = null) {
    for (let offset = 0; ;) {
      const query = new URLSearchParams({ knowledge_base__name: base, metadata: JSON.stringify(metadata), limit: itemsAtOnce, offset })
      const { count, results } = await this.#call('GET', `knowledge-items/?${query}`)
      yield* results
      offset += results.length
      if (results.length === 0 || offset >= count) return
    }
  }

  // add stores a new item: { knowledge_base, title, content, url, section, role, page_number, metadata }.
  add(item) {
    return this.#call('POST', 'knowledge-items/', item)
  }

  // change sets members of an item.
  change(id, members) {
    return this.#call('PATCH', `knowledge-items/${encodeURIComponent(id)}/`, members)
  }

  // prompt reads a stored prompt.
  async prompt(name) {
    const { results } = await this.#call('GET', `prompt-configs/?${new URLSearchParams({ name })}`)
    if (results.length === 0) throw new Error(`no prompt ${JSON.stringify(name)}`)
    return results[0].prompt
  }

  // read has a connected worker's parser read a page into a base, and does not wait for it.
  read(base, parser, page) {
    return this.#call('POST', 'data-sources/', { knowledge_base: base, parser, original_url: page })
  }

  // source tells how far a source is.
  source(id) {
    return this.#call('GET', `data-sources/${encodeURIComponent(id)}/`)
  }

  async #call(method, path, body) {
    const response = await this.#fetch(new URL(path, this.#base), {
      method, signal: AbortSignal.timeout(timeout), ...(body && { body: JSON.stringify(body) }),
      headers: { authorization: `Token ${this.#token}`, ...(body && { 'content-type': 'application/json' }) },
    })
    if (!response.ok) {
      const said = (await response.text()).slice(0, 500)
      throw Object.assign(new Error(`${method} ${path.split('?')[0]}: HTTP ${response.status}: ${said}`), { status: response.status })
    }
    return response.json()
  }
}
