package widget

import (
	"bytes"
	"encoding/json"
	"regexp"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/mml"
)

// renew gives the pictures of an answer's sources links that are good now: the worker took over what a search gave it, maybe long ago. Only
// for what we said: a client could name files that are not its own.
func (s *Server) renew(v view, i item, l *mml.Layer) {
	if i.event.Direction != chat.Out || !bytes.Contains(l.Payload, []byte("/files/")) {
		return
	}
	var payload map[string]json.RawMessage
	if json.Unmarshal(l.Payload, &payload) != nil || len(payload["references"]) == 0 {
		return
	}
	ours, err := regexp.Compile(`"` + regexp.QuoteMeta(v.base) + `/files/([0-9a-f-]{36})\?sig=[^"\\]*"`)
	if err != nil {
		return // an address that is no text
	}
	payload["references"] = ours.ReplaceAllFunc(payload["references"], func(old []byte) []byte {
		id := chat.FileID(ours.FindSubmatch(old)[1])
		return encoded(v.base + s.Hub.FileLink(v.workspace, id))
	})
	l.Payload = encoded(payload)
}
