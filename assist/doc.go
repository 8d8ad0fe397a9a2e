// Package assist is what agents work with: canned replies that are filled in, fields of conversations and contacts, and actions that
// call other systems' hooks.
//
// Filling in and checking are pure functions. The package stores nothing, writes no SQL and knows no HTTP but that of the hooks.
package assist
