package worker

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
)

// incoming is any frame from the hub.
type incoming struct {
	Type    string          `json:"type"`
	Status  int             `json:"status"`
	Payload json.RawMessage `json:"payload"`
}

// outgoing is any frame to the hub.
type outgoing struct {
	Type string `json:"type"`
	Data any    `json:"data"`
}

// request is one call of a function.
type request struct {
	Name string
	ctx  map[string]json.RawMessage // to be echoed: everything but the conversation's messages
	conv *Conversation
}

// result is one frame of an answer.
type result struct {
	Ctx       map[string]json.RawMessage `json:"ctx"`
	Node      string                     `json:"node_type"` // action or condition
	Group     string                     `json:"stack_group_id"`
	StackID   any                        `json:"stack_id"`
	Stack     any                        `json:"stack"`
	LastChunk bool                       `json:"last_chunk"`
	Last      bool                       `json:"last"`
}

// wireElement is a layer as the hub stores it.
type wireElement struct {
	Type      string `json:"type"`
	Streaming bool   `json:"streaming"`
	Meta      any    `json:"meta"`
	State     any    `json:"state"`
	Flow      string `json:"fsm_definition"`
	Payload   any    `json:"payload"`
}

func parseFrame(raw []byte) (incoming, error) {
	var f incoming
	if err := json.Unmarshal(raw, &f); err != nil {
		return incoming{}, fmt.Errorf("worker: frame: %w", err)
	}
	if f.Type == "" {
		return incoming{}, errors.New("worker: frame without a type")
	}
	return f, nil
}

// parseRequest reads the payload of an rpc_request. Only the name and the conversation's id must be there.
func parseRequest(payload json.RawMessage) (*request, error) {
	var p struct {
		Name string                     `json:"name"`
		Ctx  map[string]json.RawMessage `json:"ctx"`
	}
	if err := json.Unmarshal(payload, &p); err != nil {
		return nil, fmt.Errorf("worker: call: %w", err)
	}
	if p.Name == "" {
		return nil, errors.New("worker: call without a name")
	}
	c := &Conversation{
		Metadata:   metadata(p.Ctx["initial_conversation_metadata"]),
		transition: p.Ctx["transition_data"],
		state:      p.Ctx["state"],
		status:     p.Ctx["status"],
	}
	var id, user, channel ID
	for key, target := range map[string]any{
		"conversation_id": &id, "user_id": &user, "bot_channel_name": &channel, "conv_mml": &c.Messages,
	} {
		if raw, ok := p.Ctx[key]; ok {
			if err := json.Unmarshal(raw, target); err != nil {
				return nil, fmt.Errorf("worker: call of %q: %s: %w", p.Name, key, err)
			}
		}
	}
	if id == "" {
		return nil, fmt.Errorf("worker: call of %q without a conversation id", p.Name)
	}
	c.ID, c.UserID, c.channel = string(id), string(user), string(channel)
	delete(p.Ctx, "conv_mml")
	return &request{p.Name, p.Ctx, c}, nil
}

// metadata reads an object; some clients send it as a text that holds one.
func metadata(raw json.RawMessage) map[string]any {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	m := map[string]any{}
	if json.Unmarshal(raw, &m) != nil || m == nil {
		return map[string]any{}
	}
	return m
}

// isEvent tells events from conditions: only events get the data of a transition.
func (r *request) isEvent() bool {
	_, ok := r.ctx["transition_data"]
	return ok
}

// echo is the context to send back, with the status as it is now.
func (r *request) echo() map[string]json.RawMessage {
	if r.conv.status != nil {
		r.ctx["status"] = r.conv.status
	}
	return r.ctx
}

// newID makes a UUID of version 4.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
