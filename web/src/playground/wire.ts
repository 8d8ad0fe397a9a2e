import type { Recorder, Side } from './record'

// recording is fetch whose requests and replies are kept. Of an event stream the reply is its head; its frames are told by who reads it.
export function recording(rec: Recorder, side: Side, fetcher: typeof fetch = (...a) => fetch(...a)): typeof fetch {
  return async (input, init) => {
    const url = String(input)
    const body = typeof init?.body === 'string' ? init.body : init?.body ? '(binary)' : ''
    const n = rec.request({ side, method: init?.method ?? 'GET', url, headers: { ...(init?.headers as Record<string, string>) }, body })
    const began = performance.now()
    let res: Response
    try {
      res = await fetcher(input, init)
    } catch (err) {
      rec.reply(n, 0, err instanceof Error ? err.message : String(err), [], '', performance.now() - began)
      throw err
    }
    const ms = performance.now() - began
    const stream = res.headers.get('Content-Type')?.startsWith('text/event-stream')
    const text = stream ? '' : await res.clone().text().catch(() => '')
    rec.reply(n, res.status, res.statusText, [...res.headers], text, ms)
    return res
  }
}
