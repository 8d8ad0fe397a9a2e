// Package telegram speaks the Telegram Bot API (10.x), by webhook or by long polling.
//
// It translates and nothing more: it must not store (but the poll offset, in Env.Notes), wait, repeat, split or
// throttle. The facts about the protocol that it relies on are in docs/protocols/telegram.md.
package telegram
