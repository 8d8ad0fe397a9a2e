// Package storetest examines a database under the store: the promises of the log, on whatever it runs on.
//
// It speaks to the store as the rest of the program does and knows no SQL. It must not be imported but by tests.
package storetest

import (
	"testing"
)

// Database is a kind of database to examine.
type Database struct {
	// New makes an empty database and gives its address; it is gone after the test.
	New func(tb testing.TB) (dsn string)
	// Nodes says that several stores may have one database open at once.
	Nodes bool
	// Outage makes a database whose server can be stopped and started again; nil if there is no server.
	Outage func(tb testing.TB) (dsn string, stop, start func())
	// Dump gives every byte that somebody who gets hold of the database finds there.
	Dump func(tb testing.TB, dsn string) []byte
	// Spawn starts a process that calls Victim on a database. It gives the lines that the process writes, until its end, and a
	// function that kills it (-9) and waits.
	Spawn func(tb testing.TB, dsn string) (lines <-chan string, kill func())
	// Steps is how many commands the model test tries in one history.
	Steps int
}

// examination is one promise and how it is tested.
type examination struct {
	name  string
	nodes bool // needs several nodes
	run   func(t *testing.T, db Database)
}

// Run examines a database. The examinations run side by side, each on a database of its own.
func Run(t *testing.T, db Database) {
	t.Helper()
	for _, list := range [][]examination{
		appending(), conversing(), receipting(), following(), working(), reading(), lasting(), odd(), people(), knowing(), living(),
	} {
		for _, e := range list {
			if e.nodes && !db.Nodes {
				continue
			}
			t.Run(e.name, func(t *testing.T) {
				t.Parallel()
				e.run(t, db)
			})
		}
	}
}
