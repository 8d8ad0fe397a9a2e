// Package worker writes the functions of a flow in Go, outside the hub: conditions that score a message and
// events that answer it. A Flow says what there is, a Worker connects it; package workertest runs a flow
// without a hub.
//
// It speaks ChatFAQ's worker protocol, so it also works with a ChatFAQ server. The hub keeps the state and
// picks the transition; this package only runs functions, and must keep nothing between two calls: the next
// call of a conversation may go to another process.
package worker
