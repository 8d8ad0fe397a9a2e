package api

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"

	"github.com/dragoman-hub/dragoman/chat"
)

// wanted is what a request with an Idempotency-Key asked the log for.
type wanted struct {
	conversation chat.ConversationID
	kind         chat.Kind
	seq          int64         // of the message that it is about; 0: it is a message itself
	message      *chat.Message // nil: without one
	mentions     []string
	emoji        string // of a reaction
}

// same tells whether the event that the log has under a key is what this request asks for. The log keeps the key with the event, in one
// transaction: so this holds across crashes and nodes, where a separately kept answer could be lost.
func (w wanted) same(e chat.Event) bool {
	if e.Kind != w.kind || e.Conversation != w.conversation || (e.Message == nil) != (w.message == nil) || !slices.Equal(e.Mentions, w.mentions) {
		return false
	}
	if w.seq != 0 {
		var target chat.ReactionData // has TargetData's members too
		if json.Unmarshal(e.Data, &target) != nil || target.Seq != w.seq {
			return false
		}
		if emoji := append(target.Added, ""); emoji[0] != w.emoji {
			return false
		}
	}
	return w.message == nil || sameMessage(*w.message, *e.Message)
}

func sameMessage(a, b chat.Message) bool {
	if len(a.Stack) != len(b.Stack) || replySeq(a) != replySeq(b) {
		return false
	}
	for i := range a.Stack {
		if a.Stack[i].Type != b.Stack[i].Type || !sameJSON(a.Stack[i].Payload, b.Stack[i].Payload) {
			return false
		}
	}
	return true
}

func replySeq(m chat.Message) int64 {
	if m.ReplyTo == nil {
		return 0
	}
	return m.ReplyTo.Seq
}

// sameJSON compares values, not texts; numbers by their digits.
func sameJSON(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, errX := anyJSON(a)
	y, errY := anyJSON(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}

func anyJSON(raw json.RawMessage) (v any, err error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	err = dec.Decode(&v)
	return v, err
}
