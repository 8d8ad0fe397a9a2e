import { newID } from './id'
import { Problem, readProblem } from './problem'

export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  body?: unknown // JSON, or a Blob or FormData as it is
  key?: string // Idempotency-Key; writes that may be repeated bring their own
  signal?: AbortSignal
  headers?: Record<string, string>
}

export interface List<T> {
  items: T[]
  next?: string
}

// API calls the hub with the session's cookie.
export class API {
  csrf = ''
  onSignedOut: () => void = () => {}

  constructor(
    private readonly fetcher: typeof fetch = (...a) => fetch(...a),
    private readonly timeout = 30_000,
  ) {}

  // call answers with the JSON; a refusal, a time-out or a dead line is a Problem.
  async call<T>(path: string, c: Call = {}): Promise<T> {
    const res = await this.send(path, c)
    if (!res.ok) {
      const problem = await readProblem(res)
      if (problem.status === 401 && path.startsWith('/v1/')) this.onSignedOut()
      throw problem
    }
    if (res.status === 204 || res.headers.get('Content-Length') === '0') return undefined as T
    return (await res.json().catch(() => {
      throw new Problem(0, 'cut', 'The answer ended too early.')
    })) as T
  }

  private async send(path: string, c: Call): Promise<Response> {
    const headers: Record<string, string> = { Accept: 'application/json', ...c.headers }
    const method = c.method ?? (c.body === undefined ? 'GET' : 'POST')
    let body: BodyInit | undefined
    if (c.body instanceof Blob || c.body instanceof FormData) body = c.body
    else if (c.body !== undefined) {
      headers['Content-Type'] = 'application/json'
      body = JSON.stringify(c.body)
    }
    if (method !== 'GET') {
      if (this.csrf) headers['X-CSRF-Token'] = this.csrf
      if (path.startsWith('/v1/')) headers['Idempotency-Key'] = c.key ?? newID()
    }
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(), this.timeout)
    const leave = () => stop.abort()
    c.signal?.addEventListener('abort', leave)
    try {
      return await this.fetcher(path, { method, headers, body: body ?? null, signal: stop.signal, credentials: 'same-origin', cache: 'no-store' })
    } catch (err) {
      if (c.signal?.aborted) throw err
      throw new Problem(0, 'offline', 'The hub cannot be reached.')
    } finally {
      clearTimeout(timer)
      c.signal?.removeEventListener('abort', leave)
    }
  }

  get<T>(path: string, query: Record<string, string | number | undefined> = {}, signal?: AbortSignal): Promise<T> {
    return this.call<T>(path + queryOf(query), signal ? { signal } : {})
  }

  // all reads a list to its end, at most so many pages.
  async all<T>(path: string, query: Record<string, string | number | undefined> = {}, pages = 20): Promise<T[]> {
    const out: T[] = []
    for (let cursor: string | undefined; pages > 0; pages--) {
      const page = await this.get<List<T>>(path, { limit: 200, ...query, cursor })
      out.push(...page.items)
      if (!(cursor = page.next)) break
    }
    return out
  }

  post<T>(path: string, body: unknown = {}, key?: string): Promise<T> {
    return this.call<T>(path, { method: 'POST', body, ...(key ? { key } : {}) })
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.call<T>(path, { method: 'PUT', body })
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.call<T>(path, { method: 'PATCH', body })
  }

  delete<T>(path: string): Promise<T> {
    return this.call<T>(path, { method: 'DELETE' })
  }
}

// queryOf leaves out what is undefined or empty.
export function queryOf(query: Record<string, string | number | undefined>): string {
  const q = new URLSearchParams()
  for (const [k, v] of Object.entries(query)) if (v !== undefined && v !== '') q.set(k, String(v))
  const s = q.toString()
  return s && '?' + s
}
