package widget

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/mml"
)

// renew makes links to our files good for now, where a worker took them over, maybe long ago: those of pictures from a search, in the
// sources of an answer, and of what it offers for download. Only in what we said, and what was such a link once: others could name files
// that they were never given.
func (s *Server) renew(v view, i item, l *mml.Layer) {
	if i.event.Direction != chat.Out || !bytes.Contains(l.Payload, []byte("/files/")) {
		return
	}
	ours, err := regexp.Compile(`"` + regexp.QuoteMeta(v.base) + `/files/([0-9a-f-]{36})\?(sig=[^"\\]*)"`)
	if err != nil {
		return // an address that is no text
	}
	fresh := func(raw json.RawMessage) json.RawMessage {
		return ours.ReplaceAllFunc(raw, func(old []byte) []byte {
			found := ours.FindSubmatch(old)
			query, err := url.ParseQuery(string(found[2]))
			link := s.Hub.RenewFileLink(v.workspace, chat.FileID(found[1]), query)
			if err != nil || link == "" {
				return old
			}
			return encoded(v.base + link)
		})
	}
	var payload map[string]json.RawMessage
	switch {
	case l.Type == mml.TypeFileDownload:
		l.Payload = fresh(l.Payload)
	case json.Unmarshal(l.Payload, &payload) == nil && payload["references"] != nil:
		payload["references"] = fresh(payload["references"])
		l.Payload = encoded(payload)
	}
}
