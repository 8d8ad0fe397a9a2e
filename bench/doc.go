// Package bench measures the hub as its users meet it: over HTTP, in a process of its own, on real databases.
// README.md tells the results and how to repeat them. Everything else here is test code; nothing imports this package.
package bench
