// Package api is Dragoman's own HTTP interface: REST, server-sent events and the platforms' webhooks.
//
// It reads requests, asks the store or the hub and writes answers. It decides nothing about messages, platforms or
// flows, and it keeps nothing that must survive. The OpenAPI document is made from the same code that answers.
package api
