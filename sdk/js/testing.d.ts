import type { Layer, Message } from './client.js'
import type { AI, Conversation, Flow } from './index.js'

export interface Reply {
  /** Where the conversation is now. */
  state: string
  /** Whether a transition led there; if none did, nothing was answered. */
  fired: boolean
  layers: Layer[]
  types: string[]
  /** The texts of all bubbles, a line each. */
  text: string
}

/** One conversation with a flow, without a hub. What a function throws is thrown. */
export class Talk {
  constructor(flow: Flow, options?: { ai?: (c: Conversation) => Partial<AI>; metadata?: object; userId?: string })
  readonly messages: Message[]
  readonly state: string
  readonly status: any
  open(): Promise<Reply>
  say(text: string): Promise<Reply>
  send(...stack: Layer[]): Promise<Reply>
}
