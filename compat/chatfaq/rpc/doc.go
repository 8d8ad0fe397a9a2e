// Package rpc lets outside workers run the functions of flows over ChatFAQ's worker protocol, so that its Python SDK connects
// unmodified: one socket for calls, one for language models and knowledge, one for parsers.
//
// It is a bot.Caller. It decides nothing about a conversation: the flow says what is called, and the log keeps what came of it.
package rpc
