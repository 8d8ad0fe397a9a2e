package api

import (
	"context"
	"net"
)

type connKey struct{}

// WithConn lets event streams know the connection on which they are: it is for the server's ConnContext.
func WithConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// streamBuffer is how much of a stream the system may keep for a client that does not read. Left to itself it takes some megabytes from
// each: more to copy, to keep, and to be late by.
const streamBuffer = 64 << 10

// narrow bounds that, where the connection is known.
func narrow(ctx context.Context) {
	c, _ := ctx.Value(connKey{}).(net.Conn)
	if secure, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = secure.NetConn()
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(streamBuffer) // an error costs memory only
	}
}
