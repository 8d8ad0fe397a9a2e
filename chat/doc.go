// Package chat is the vocabulary of Dragoman: messages, events, contacts and the words for their states.
//
// Every other package speaks in these types. It holds data and pure functions on data only; it must not
// do I/O, read the clock or import any other package of this module.
package chat
