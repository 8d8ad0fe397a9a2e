// Problem is an answer of the API that is none, in words for people.
export class Problem extends Error {
  constructor(
    readonly status: number, // 0: nobody answered
    readonly code: string,
    readonly detail: string,
    readonly errors: { path: string; detail: string }[] = [],
    readonly retryAfter = 0, // seconds
    readonly action = '',
  ) {
    super(detail || code)
    this.name = 'Problem'
  }

  // passing tells whether the same request may succeed later.
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }

  // of finds what is wrong with one field of the body: of('email') finds body.email and body.email[2], and not body.email_address.
  of(field: string): string {
    const at = 'body.' + field
    return this.errors.filter((e) => e.path === field || e.path === at || e.path.startsWith(at + '.') || e.path.startsWith(at + '[')).map((e) => e.detail).join(' ')
  }
}

const text = (v: unknown): string => (typeof v === 'string' ? v : '')

// readProblem makes a Problem of an answer, whatever its body is.
export async function readProblem(res: Response): Promise<Problem> {
  const body: unknown = await res.json().catch(() => null)
  const p = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const errors = (Array.isArray(p.errors) ? p.errors : []).map((e: Record<string, unknown>) => ({ path: text(e?.path), detail: text(e?.detail) }))
  const detail = text(p.detail) || errors.map((e) => e.detail).join(' ') || res.statusText
  return new Problem(res.status, text(p.code) || 'http_' + res.status, detail, errors, Number(res.headers.get('Retry-After')) || 0, text(p.action))
}
