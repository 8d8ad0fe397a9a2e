// What the API answers, as far as these pages look at it.
export interface Failure {
  class: string
  code?: string
  detail?: string
}

export interface Element {
  type: string
  payload?: Record<string, unknown>
}

export interface ChatEvent {
  pos: number
  seq: number
  kind: string
  at: string
  conversation?: string
  channel?: string
  direction?: 'in' | 'out'
  sender?: { type: string; id?: string; name?: string }
  message?: { stack: Element[] }
  data?: Record<string, unknown>
  status?: string
  error?: Failure
  external_id?: string
}

export interface Property {
  type: string
  title?: string
  description?: string
  default?: unknown
  enum?: string[]
  pattern?: string
  writeOnly?: boolean
}

export interface Connector {
  name: string
  title: string
  settings: { properties: Record<string, Property>; required?: string[] }
  abilities: string[]
}

export interface Channel {
  id: string
  connector: string
  name: string
  status: 'active' | 'off' | 'error'
  detail?: string
  webhook_url?: string
  settings: Record<string, unknown>
  abilities: string[]
  flow?: string
  queue?: string
  created_at: string
}

export interface FlowVersion {
  name: string
  version: number
  created_at: string
}

export interface Queue {
  name: string
  title?: string
  rule: string
  settings: Record<string, unknown>
  members: string[]
}

export interface Agent {
  id: string
  name: string
  state: string
  available: boolean
  capacity?: number
  skills?: Record<string, number>
  load: number
}

export interface User {
  id: string
  email: string
  name: string
  role: string
  languages?: string[]
  status: 'active' | 'disabled'
  has_password: boolean
  totp: boolean
  created_at: string
  login_at?: string
}

export interface DeadLetter {
  id: string
  work: string
  event: ChatEvent
  attempts: number
  failure?: Failure
  progress?: unknown
  created_at: string
}

// textOf is what a message says, as far as it is words.
export function textOf(e: ChatEvent): string {
  return (e.message?.stack ?? [])
    .map((x) => {
      const p = x.payload ?? {}
      const words = p.content ?? p.caption ?? p.title ?? p.name ?? p.payload
      return typeof words === 'string' && words ? words : `[${x.type}]`
    })
    .join('\n')
}
