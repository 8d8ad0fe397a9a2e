export interface Layer {
  type: string
  payload: any
  meta?: object
  state?: object
  streaming?: boolean
}

/** One bubble. A stack may be empty: then it only says that the bot's turn is over. */
export interface Message {
  id?: number | null
  stack: Layer[]
  stack_id?: string | null
  stack_group_id?: string | null
  sender: { type: 'human' | 'bot' | 'system'; id?: string; platform?: string }
  last?: boolean
  last_chunk?: boolean
  /** Milliseconds since 1970. */
  send_time?: number
  [key: string]: unknown
}

export interface ConversationRecord {
  id: number
  platform_conversation_id: string
  name: string
  [key: string]: unknown
}

export interface ClientOptions {
  /** Of the hub: https://hub.example, with a path if it has one. */
  url: string
  /** Name of the flow. */
  flow: string
  /** Letters, digits, "_" and "-". Without it a new conversation begins. */
  conversation?: string | number
  user?: string | number
  token?: string
  /** Kept when the conversation is new; the flow's functions see it. */
  metadata?: unknown
  /** A state to force. */
  stateOverride?: string
  /** Milliseconds before the next try to connect; 1000. */
  retryAfter?: number
  WebSocket?: new (url: string) => any
  fetch?: typeof globalThis.fetch
}

export type State = 'connecting' | 'open' | 'waiting' | 'closed'

interface ClientEvents {
  message: CustomEvent<Message>
  turn: CustomEvent<Message[]>
  state: CustomEvent<State>
  fault: CustomEvent<unknown>
}

/** An EventTarget, seen as one of its four events alone. */
export class Client {
  constructor(options: ClientOptions)
  readonly messages: Message[]
  readonly state: State
  readonly reason: string
  readonly conversation: string
  readonly user: string
  /** The bot has its turn: what is sent now is answered after it. */
  readonly locked: boolean
  connect(): Promise<void>
  close(): void
  send(given: string | Layer[]): void
  /** Waits for the bot's turn to end, sends, and gives the bubbles of the answer. */
  ask(given: string | Layer[], options?: { timeout?: number }): Promise<Message[]>
  /** Undoes all that was said after the message with this id. */
  reset(id: number): void
  conversations(): Promise<ConversationRecord[]>
  history(id: number): Promise<Message[]>
  resume(): Promise<void>
  feedback(source: Message, data: object): Promise<{ id: number }>
  upload(bubble: Message, file: File): Promise<void>
  addEventListener<K extends keyof ClientEvents>(type: K, listener: (event: ClientEvents[K]) => void, options?: boolean | AddEventListenerOptions): void
  removeEventListener<K extends keyof ClientEvents>(type: K, listener: (event: ClientEvents[K]) => void, options?: boolean | EventListenerOptions): void
}
