// Everything of the package but the helper for tests, which is "@dragoman/sdk/testing". Pages that only talk to
// a flow import "@dragoman/sdk/client".
export { Client } from './client.js'
export { checkFlow, Conversation, handle } from './flow.js'
export { HubError } from './ai.js'
export { Knowledge } from './knowledge.js'
export * from './layers.js'
export { Worker } from './worker.js'
