package visitor_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/wake"
)

// slowReader opened a stream and does not read.
type slowReader struct {
	w *world
	c net.Conn
}

func (w *world) dialSlow(k *tab, pos int64) slowReader {
	w.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(w.http.URL, "http://"))
	w.must(err)
	w.t.Cleanup(func() { c.Close() })
	_, err = fmt.Fprintf(c, "GET /visitor/%s/stream?after=%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n", k.site, pos, k.token)
	w.must(err)
	w.must(c.SetReadDeadline(time.Now().Add(patience)))
	_, err = io.ReadFull(c, make([]byte, 15)) // it has begun
	w.must(err)
	return slowReader{w, c}
}

// cutOff reads what was on the way and fails unless the server has ended the stream.
func (s slowReader) cutOff() {
	s.w.t.Helper()
	s.w.must(s.c.SetReadDeadline(time.Now().Add(patience)))
	if _, err := io.Copy(io.Discard, s.c); err != nil && strings.Contains(err.Error(), "timeout") {
		s.w.t.Error("a slow reader is not cut off")
	}
}

func typing(w *world, conv chat.ConversationID) wake.Typing {
	return wake.Typing{Workspace: w.ws, Conversation: conv, On: true, Sender: chat.Party{Type: chat.PartyAgent, ID: "bo@inside", Name: "Bo"}}
}
