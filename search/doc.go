// Package search finds people and what was said.
//
// An index of words follows the log at a pace that leaves the database to those who write; package store keeps it. The package
// must not decide who sees what: the reader's sight is handed in.
package search
