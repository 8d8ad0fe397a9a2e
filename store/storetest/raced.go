//go:build race

package storetest

// raced says that the race detector is on: SQLite, which is Go here, is ten times slower then.
const raced = true
