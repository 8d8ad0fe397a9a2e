// Package desk is the human side: queues, agents, and who gets which conversation.
//
// It knows neither platforms nor flows: it reads and writes the log.
package desk
