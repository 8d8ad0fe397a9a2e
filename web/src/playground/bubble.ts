// ChatEvent is an event of the log, as far as it is shown here.
export interface ChatEvent {
  pos: number
  seq: number
  kind: string
  at: string
  conversation?: string
  direction?: 'in' | 'out'
  sender?: { type: string; id?: string; name?: string }
  message?: { stack: Element[] }
  data?: unknown
  status?: string
  external_id?: string
  action?: string
}

interface Element {
  type: string
  payload: Record<string, unknown>
}

export interface VisitorMessage {
  key: string
  at: string
  from: string
  id?: string
  name?: string
  unread?: boolean
  gone?: boolean
  parts: { type: string; text?: string; title?: string; name?: string; url?: string; buttons?: Choice[] }[]
}

export interface Choice {
  title: string
  payload?: string
  url?: string
}

// Bubble is one message on the phone.
export interface Bubble {
  key: string
  id?: string // of the sender's making
  mine: boolean
  from: string
  parts: { text: string; buttons: Choice[] }[]
  at: number
  status: string
}

const text = (v: unknown): string => (typeof v === 'string' ? v : '')

// wordsOf finds what of an element can be read.
export function wordsOf(e: Element): string {
  const p = e.payload
  const found = text(p.content) || text(p.title) || text(p.caption) || text(p.text)
  return found || (text(p.name) && `[${e.type}: ${text(p.name)}]`) || `[${e.type}]`
}

export function choicesOf(e: Element): Choice[] {
  return Array.isArray(e.payload.buttons) ? (e.payload.buttons as Choice[]).filter((b) => typeof b?.title === 'string') : []
}

export function fromEvent(e: ChatEvent): Bubble {
  return {
    key: String(e.pos),
    mine: e.direction === 'in',
    from: e.sender?.name || e.sender?.type || '',
    parts: (e.message?.stack ?? []).map((x) => ({ text: wordsOf(x), buttons: choicesOf(x) })),
    at: Date.parse(e.at),
    status: e.status ?? '',
  }
}

export function fromVisitor(m: VisitorMessage): Bubble {
  return {
    key: m.key,
    ...(m.id ? { id: m.id } : {}),
    mine: m.from === 'me',
    from: m.name || m.from,
    parts: m.gone ? [] : m.parts.map((p) => ({ text: p.text || p.title || p.name || `[${p.type}]`, buttons: p.buttons ?? [] })),
    at: Date.parse(m.at),
    status: m.from === 'me' ? 'sent' : '',
  }
}
