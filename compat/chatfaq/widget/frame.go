package widget

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/mml"
)

// agent is who speaks or listens.
type agent struct {
	Type      string `json:"type"`
	ID        string `json:"id,omitempty"`
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	Platform  string `json:"platform,omitempty"`
}

// response is a frame for the client. ID is null while the message grows.
type response struct {
	Type         string      `json:"type"`
	Status       int         `json:"status"`
	NodeType     string      `json:"node_type"`
	StackGroupID string      `json:"stack_group_id"`
	StackID      string      `json:"stack_id"`
	Stack        []mml.Layer `json:"stack"`
	LastChunk    bool        `json:"last_chunk"`
	Last         bool        `json:"last"`
	Sender       agent       `json:"sender"`
	Confidence   int         `json:"confidence"`
	SendTime     int64       `json:"send_time"` // milliseconds
	Receiver     agent       `json:"receiver"`
	ID           *int64      `json:"id"`
}

// frame is what waits to be written. A draft may be left out.
type frame struct {
	at    int64 // position in the log behind which it belongs
	draft bool
	data  []byte
}

// speaker is who a message of ours is from, in the protocol's words.
func speaker(i item, stack []mml.Layer) agent {
	a := agent{Type: "bot"}
	if len(stack) > 0 && stack[0].Type == mml.TypeToolResult {
		a.Type = "human"
	}
	if p := i.event.Sender; p != nil && p.Type == chat.PartyAgent {
		a.FirstName = p.Name
	}
	return a
}

// live makes the frame of an item that is not the contact's own.
func (s *Server) live(v view, i item) *frame {
	stack := s.stack(v, i)
	id := s.numbers.of(i.id)
	return &frame{at: i.at, data: encoded(response{
		Type: "response", Status: 200, NodeType: "action", StackGroupID: i.groupID, StackID: i.stackID, Stack: stack, LastChunk: true, Last: i.last,
		Sender: speaker(i, stack), Confidence: 1, SendTime: i.event.At.UnixMilli(), Receiver: agent{Type: "human", ID: v.user}, ID: &id,
	})}
}

// growing makes the frame of a message that is still being written.
func (s *Server) growing(v view, id string, m chat.Message) *frame {
	stack := mml.Drawn(mml.Layers(m))
	group := m.Meta["stack_group_id"]
	if group == "" {
		group = id
	}
	return &frame{draft: true, data: encoded(response{
		Type: "response", Status: 200, NodeType: "action", StackGroupID: group, StackID: id, Stack: stack,
		Sender: speaker(item{}, stack), Confidence: 1, SendTime: s.Now().UnixMilli(), Receiver: agent{Type: "human", ID: v.user},
	})}
}

// unlock ends the turn of a client alone. at 0: it belongs wherever it is.
func (s *Server) unlock(user string, pos int64) *frame {
	stackID := "u" + chat.NewID()
	id := s.numbers.of(pos)
	return &frame{data: encoded(response{
		Type: "response", Status: 200, NodeType: "action", StackGroupID: stackID, StackID: stackID, Stack: []mml.Layer{}, LastChunk: true, Last: true,
		Sender: agent{Type: "bot"}, Confidence: 1, SendTime: s.Now().UnixMilli(), Receiver: agent{Type: "human", ID: user}, ID: &id,
	})}
}

// invalid tells a client what is wrong with its frame.
func invalid(faults any) *frame {
	return &frame{data: encoded(map[string]any{"type": "response", "status": 400, "payload": faults})}
}

// view is for whom layers are made.
type view struct {
	workspace    chat.WorkspaceID
	channel      chat.ChannelID
	conversation chat.ConversationID
	number       int64
	user         string
	base         string // of links
}

// stack makes an item's layers, with links that are good now.
func (s *Server) stack(v view, i item) []mml.Layer {
	if i.event.Message == nil {
		return []mml.Layer{}
	}
	m := mml.WithLinks(*i.event.Message, func(id chat.FileID) string { return v.base + s.Hub.FileLink(v.workspace, id) })
	stack := mml.Drawn(mml.Layers(m))
	for n := range stack {
		switch stack[n].Type {
		case mml.TypeFileUpload:
			s.presign(v, i, &stack[n])
		case mml.TypeMessage, mml.TypeChunk, mml.TypeFileDownload:
			s.renew(v, i, &stack[n])
		}
	}
	return stack
}

func encoded(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic("widget: " + err.Error()) // plain data
	}
	return raw
}

// isoTime is a time as the protocol's REST calls write it.
func isoTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

func text(n int64) string { return strconv.FormatInt(n, 10) }
