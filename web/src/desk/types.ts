import type { Problem } from '../core/problem'

// The API's words, as the desk needs them.
export type State = 'bot' | 'queued' | 'assigned' | 'closed'
export type Turn = 'first_reply' | 'next_reply' | 'contact' | 'none'
export type Status = 'received' | 'queued' | 'sending' | 'unsure' | 'sent' | 'delivered' | 'read' | 'failed'

export interface Conversation {
  id: string
  channel: string
  contact: { id: string; name: string }
  state: State
  flow?: string
  assignee?: string
  queue?: string
  previous?: string
  last_seq: number
  unread: number
  preview: string
  thread: { address: string; group?: boolean; title?: string }
  opened_at: string
  updated_at: string
  closed_at?: string
  close_reason?: string
  last_in_at?: string
  first_reply_at?: string
  waiting_since?: string
  turn?: Turn
  due_at?: string
  snoozed?: boolean
  snoozed_until?: string
  priority?: number
  tags?: string[]
  fields?: Record<string, unknown>
}

export interface Party {
  type: 'contact' | 'bot' | 'agent' | 'system'
  id?: string
  name?: string
}

export interface Element {
  type: string
  payload?: Record<string, unknown>
}

export interface Message {
  stack: Element[]
  reply_to?: { seq?: number; quote?: string }
}

export interface Event {
  pos: number
  seq: number
  kind: string
  at: string
  conversation?: string
  direction?: 'in' | 'out'
  sender?: Party
  message?: Message
  mentions?: string[] // of a note
  data?: Record<string, unknown>
  status?: Status
  error?: { class: string; code?: string; detail?: string }
}

export interface Agent {
  id: string
  name: string
  capacity: number
  state: string
  available: boolean
  load: number
}

export interface Queue {
  name: string
  title?: string
  rule: string
  members: string[]
}

export interface Channel {
  id: string
  name: string
  connector: string
  title: string
  traits: {
    text_limit?: number
    elements: string[]
    media?: Record<string, { max_bytes?: number; mime?: string[] }>
    reply_window?: number
    initiate?: boolean
  }
  abilities: string[]
}

export interface Contact {
  id: string
  name: string
  language?: string
  properties: Record<string, unknown>
  identities: { channel: string; address: string; person?: Record<string, unknown>; blocked?: boolean }[]
}

// Typed is a value that is asked for: a field of conversations or contacts, or an input of an action.
export interface Typed {
  name: string
  title?: string
  type: 'text' | 'number' | 'choice' | 'date' | 'yes_no'
  choices?: string[]
  required?: boolean
}

export interface FieldDef extends Typed {
  of: 'conversation' | 'contact'
}

// Run is an action that another system was asked for and has not done yet, or has refused.
export interface Run {
  key: string // of idempotency: the hook can tell a second try from a new one
  conversation: string
  name: string
  title: string
  inputs: Record<string, unknown>
  at: string
  wrong?: Problem
}

export interface Canned {
  name: string
  shortcut: string
  title?: string
  text: string
  missing: string[]
}

export interface Offer {
  until?: string
  longest?: string // until when that can be extended
  agents: string[]
  at: string
}

export interface Presence {
  user: string
  name: string
  doing: 'looking' | 'typing' | 'gone'
  at: string
}

// textOf joins what a reader reads of a message.
export function textOf(m: Message | undefined): string {
  return (m?.stack ?? [])
    .map((e) => {
      const p = e.payload ?? {}
      for (const k of ['content', 'caption', 'title', 'question', 'payload', 'name']) if (typeof p[k] === 'string' && p[k]) return p[k] as string
      return ''
    })
    .filter(Boolean)
    .join('\n')
}

export const isMedia = (type: string): boolean => ['image', 'audio', 'voice', 'video', 'file', 'sticker'].includes(type)
