import type { Layer, Message } from './client.js'

export * from './client.js'

type Given<T> = T | Promise<T>
type Words = Iterable<string> | AsyncIterable<string>
type Yielded = OutLayer | string

/** What the functions of layers give, and events yield. */
export interface OutLayer extends Layer {
  deltas?: Words
  references?: References | {}
}

export interface KnowledgeItem {
  knowledge_item_id?: number | string
  title: string
  url: string
  content?: string
  [key: string]: unknown
}

export interface References {
  knowledge_base_id?: number | string
  knowledge_items: KnowledgeItem[]
  knowledge_item_images: Record<string, string>
}

export interface LayerOptions {
  meta?: object
  /** Found again in Conversation.state by the next calls, until a layer without one. */
  state?: object
}

export function text(content: string, options?: LayerOptions & { references?: References | {}; toolCalls?: unknown[] }): OutLayer
export function stream(deltas: Words, options?: LayerOptions & { references?: References | {} }): OutLayer
/** files: the largest size in bytes by extension. */
export function fileUpload(content: string, files: Record<string, number>, options?: LayerOptions & { maxFiles?: number }): OutLayer
export function fileDownload(file: { content?: string; name: string; url: string }, options?: LayerOptions): OutLayer
export function thumbsRating(options?: LayerOptions & { hint?: string; fullConversation?: boolean }): OutLayer
export function starRating(options?: LayerOptions & { hint?: string; stars?: number; explanation?: string; fullConversation?: boolean }): OutLayer
export function textFeedback(options?: LayerOptions & { hint?: string; placeholder?: string; fullConversation?: boolean }): OutLayer
/** once: they vanish when one is pressed. A button gives its id (or else its title) back, or opens a page. */
export function buttons(content: string, list: { id?: string | number; title: string; url?: string }[], options?: LayerOptions & { once?: boolean }): OutLayer
export function toolUse(use: { id: string; name: string; args?: object }, options?: LayerOptions): OutLayer
export function toolResult(result: { id: string; name: string; result: unknown }, options?: LayerOptions): OutLayer
export function gtmTag(tag: object, options?: LayerOptions): OutLayer
export function closeConversation(options?: LayerOptions): OutLayer
export function custom(type: string, payload: unknown, options?: LayerOptions): OutLayer

/** A number, true or false, or a score with data for the events of the state that it leads to. */
export type Score = number | boolean | { score: number; data?: unknown }
export type Condition = (c: Conversation) => Given<Score>
/** Best an async generator; a promise of one layer, of several, or of none will do. */
export type Event = (c: Conversation) =>
  | AsyncIterable<Yielded> | Iterable<Yielded>
  | Given<Yielded | Iterable<Yielded> | AsyncIterable<Yielded> | void>

export interface Flow {
  /** Letters, digits, "_" and "-". */
  name: string
  states: { name: string; initial?: boolean; events?: string[] }[]
  transitions?: { source?: string; dest: string; conditions?: string[]; unless?: string[] }[]
  conditions?: Record<string, Condition>
  /** Several under one name run in turn, as one turn of the bot. */
  events?: Record<string, Event | Event[]>
  /** Replace a different flow of this name; else the hub refuses this one. */
  overwrite?: boolean
  authenticationRequired?: boolean
  /** What a person reads when an event fails. */
  errorText?: string
}

/** Throws an error that lists all that is wrong. */
export function checkFlow(flow: Flow): void

export class Conversation {
  readonly id: string
  readonly userId: string
  readonly metadata: Record<string, any>
  /** Oldest first; the beginning may be cut. */
  readonly messages: Message[]
  /** What the winning condition gave along; undefined in conditions. */
  readonly data: any
  readonly state: any
  /** The memory of this conversation: what is assigned comes back with the following calls. */
  status: any
  /** Aborts when the connection is lost, the worker stops or the call takes too long. */
  readonly signal: AbortSignal
  readonly ai: AI
  /** Of the newest human message. */
  readonly text: string
  readonly payload: any
  /** Id of the button that the newest human message pressed; '' if it pressed none. */
  readonly pressed: string
  readonly lastHuman: Message | undefined
}

export interface LLMRequest {
  config: string
  messages?: { role: 'system' | 'user' | 'assistant'; content: unknown }[]
  temperature?: number
  maxTokens?: number
  seed?: number
  thinking?: unknown
  tools?: { name: string; description?: string; parameters?: object }[]
  toolChoice?: string
  /** JSON Schema of the answer, which is then in result. */
  schema?: object
  cache?: { name: string; ttl: number }
  /** false leaves out the stored conversation. */
  conversation?: boolean
}

export interface LLMAnswer {
  id: unknown
  text: string
  content: { type: string; text?: string | null; tool_use?: { id: string; name: string; args: any } | null; tool_result?: any }[]
  result: any
  stopReason: string
  usage: { input: number; output: number }
}

export interface AI {
  llm(request: LLMRequest): Promise<LLMAnswer>
  /** The answer's deltas, ready for stream(). Tools and schemas cannot be streamed. */
  stream(request: LLMRequest): AsyncIterable<string>
  retrieve(retriever: string, query: string, topK?: number): Promise<References>
  prompt(name: string): Promise<string>
}

export class HubError extends Error {
  errors: unknown
}

/** A piece of knowledge. knowledge_base is the number or the name of its base. */
export interface Item {
  id?: number
  knowledge_base?: number | string
  title?: string
  content: string
  url?: string | null
  section?: string | null
  role?: string | null
  page_number?: number | null
  metadata?: object
  [key: string]: unknown
}

/** Something that a parser reads. */
export interface Source {
  id: number
  knowledge_base: number
  parser: string
  original_url: string
  task_id: string
  status: 'pending' | 'finished' | 'failed'
}

export class Knowledge {
  /** url is that of the hub, as a worker has it. */
  constructor(options: { url: string | URL; token: string; fetch?: typeof globalThis.fetch })
  /** The items whose metadata have the given members, all without any. */
  items(base: string, metadata?: object | null): AsyncIterable<Item>
  add(item: Item): Promise<Item>
  change(id: number, members: Partial<Item>): Promise<Item>
  prompt(name: string): Promise<string>
  /** Has a connected worker's parser read a page, and does not wait for it. */
  read(base: number | string, parser: string, page: string): Promise<Source>
  source(id: number): Promise<Source>
}

/** Reads a source and yields what it finds; each item is stored at once. */
export type Parser = (
  source: { id: number; parser: string; url: string | null; csv: string | null; pdf: string | null },
  options: { signal: AbortSignal },
) => AsyncIterable<Item> | Iterable<Item>

export interface WorkerOptions {
  /** Of the hub: wss://hub.example, with a path if it has one; ws, http, https too. */
  url: string
  token: string
  flow: Flow
  /** By the names that sources call for. */
  parsers?: Record<string, Parser>
  logger?: { info?(line: string): void; warn(line: string): void; error(line: string): void }
  /** Calls that run side by side; 32. */
  concurrency?: number
  /** Largest frame from the hub in bytes; 16 MiB. */
  maxFrame?: number
  /** Milliseconds of a function; 600000. */
  callTimeout?: number
  /** Milliseconds between two frames of an answer of ai; 60000. */
  aiTimeout?: number
  /** Milliseconds between pings; 20000. */
  pingInterval?: number
  /** Milliseconds for a pong; as pingInterval. */
  pongTimeout?: number
  /** First wait before connecting again in milliseconds; 1000. It doubles up to 30 times. */
  backoff?: number
  /** Instead of the package's own client for Node. */
  WebSocket?: new (url: string) => any
  /** Of the package's own client: headers, handshakeTimeout, tls (options of node:tls). */
  socketOptions?: { headers?: Record<string, string>; handshakeTimeout?: number; tls?: object }
}

export class Worker {
  constructor(options: WorkerOptions)
  /** Serves until the signal aborts; connects again for ever. */
  run(options?: { signal?: AbortSignal }): Promise<void>
}

/** Runs the function that an rpc_request's payload names, without a connection, and gives each frame to send. */
export function handle(
  flow: Flow,
  request: { name: string; ctx: object },
  options: { send(frame: string): void; ai?: (c: Conversation) => Partial<AI>; signal?: AbortSignal },
): Promise<void>
