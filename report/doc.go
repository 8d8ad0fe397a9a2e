// Package report counts what happens: a follower of the log that keeps sums by quarters of an hour, queue, channel and agent, and the
// reading of them as series. It appends nothing, and nothing waits for it; what it keeps can be thrown away and counted again.
package report
