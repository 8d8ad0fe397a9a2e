// What is recorded must show no secret: the time line is looked at over shoulders, exported and put into bug reports.

const secretHeader = /^(authorization|proxy-authorization|cookie|set-cookie|x-csrf-token|x-api-key)$/i
const secretMember = /token|secret|password|csrf|authorization|cookie|api_?key|^identity$|^recovery/i
const deepest = 40

export const hidden = '***'

// header hides a value; of a bearer token the scheme stays.
export function header(name: string, value: string): string {
  if (!secretHeader.test(name)) return words(value)
  return /^bearer\s/i.test(value) ? 'Bearer ' + hidden : hidden
}

// words hides what looks like a token, whatever it stands in, and the proof in a signed link.
export function words(s: string): string {
  return s
    .replace(/\bdr[a-z]_[\w-]{16,}/g, (t) => t.slice(0, 4) + hidden)
    .replace(/\bbearer\s+[\w.~+/=-]{8,}/gi, 'Bearer ' + hidden)
    .replace(/(\/files\/[\w-]+)\?[^\s"'<>]*/g, '$1?' + hidden)
    .replace(/([?&](?:token|key|sig|signature|secret)=)[^&\s"'#]+/gi, '$1' + hidden)
}

// value hides the secrets of JSON.
export function value(v: unknown, name = '', within = '', depth = 0): unknown {
  if (depth > deepest) return '…'
  if (typeof v === 'string') return v && (secretMember.test(name) || (name === 'key' && within === 'settings')) ? hidden : words(v)
  if (Array.isArray(v)) return v.map((x) => value(x, name, within, depth + 1))
  if (typeof v !== 'object' || v === null) return v
  return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, value(x, k, name, depth + 1)]))
}

// body is a body for people: JSON with one member a line, without secrets.
export function body(text: string): string {
  if (!text) return ''
  try {
    return JSON.stringify(value(JSON.parse(text)), null, 2)
  } catch {
    return words(text)
  }
}
