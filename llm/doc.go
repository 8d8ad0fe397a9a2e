// Package llm asks language models: any endpoint that speaks the chat completions of OpenAI's API, and keeps in which workspace which
// endpoint is known under which name.
//
// It knows no conversation, no prompt and no tool of ours; it sends what it is given and reads what comes back. No error or log line
// of it shows a key.
package llm
