package rpc

import (
	"context"
	"net/http"
)

// parse serves the socket of workers that read data sources. The hub reads its documents itself, so that nothing is ever asked of them;
// but the SDK works only while all its sockets are open.
func (s *Server) parse(w http.ResponseWriter, r *http.Request) {
	s.accept(w, r, kind{
		opened: func(*socket) {},
		closed: func(*socket) {},
		frame: func(_ context.Context, c *socket, in incoming) {
			switch in.Type {
			case typeParsers, typeParsed, typeItem:
				s.Log.Debug("rpc: parsers", "frame", in.Type, "caller", c.token.ID)
			default:
				c.send(errorFrame(notAChoice(in.Type)))
			}
		},
	})
}
