// Package fit turns a message into parts that a platform can carry, by the platform's traits.
//
// It is pure: it does no I/O, reads no clock and keeps nothing. It does not interpret what people wrote:
// Markdown in a text stays as it is.
package fit
