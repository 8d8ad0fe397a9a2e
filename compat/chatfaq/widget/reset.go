package widget

import (
	"context"
	"encoding/json"

	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// statusName is the variable of a flow in which workers keep their own memory.
const statusName = "status"

// reset takes the conversation back to a message of it, so that what came later counts no more, for the flow as for readers.
func (k *socket) reset(ctx context.Context, r *room, raw json.RawMessage) error {
	v := k.s.feed.viewOf(r)
	var id int64
	if json.Unmarshal(raw, &id) != nil {
		return chat.Faultf(chat.CodeInvalid, "the id of a message")
	}
	pos, ok := k.s.numbers.position(id)
	if !ok {
		return chat.Faultf(chat.CodeNotFound, "no such message in this conversation")
	}
	e, err := k.s.Store.EventAt(ctx, v.workspace, pos)
	if chat.CodeOf(err) == chat.CodeNotFound || err == nil && e.Conversation != v.conversation {
		return chat.Faultf(chat.CodeNotFound, "no such message in this conversation")
	}
	if err != nil {
		return err
	}
	d, err := k.s.before(ctx, v, e)
	if err != nil {
		return err
	}
	_, err = k.s.Store.Append(ctx, &store.Record{
		Workspace: v.workspace, Conversation: v.conversation, Kind: chat.KindRewound, Data: encoded(d),
		Sender: chat.Party{Type: chat.PartyContact, ID: k.thread.Address},
	})
	return err
}

// before tells how things stood at an event.
func (s *Server) before(ctx context.Context, v view, e chat.Event) (chat.RewoundData, error) {
	d := chat.RewoundData{Seq: e.Seq}
	if e.Kind == chat.KindFlowStep { // the end of a turn stands behind what came of the step
		var rec bot.Record
		if json.Unmarshal(e.Data, &rec) == nil {
			d.Seq += int64(rec.Follow)
		}
	}
	steps, err := s.Store.EventsOfKinds(ctx, v.workspace, v.conversation, chat.KindFlowStep, chat.KindCallResult)
	if err != nil {
		return d, err
	}
	status, later := json.RawMessage(nil), false
	for _, x := range steps {
		switch x.Kind {
		case chat.KindFlowStep:
			var rec bot.Record
			if x.Seq <= d.Seq && json.Unmarshal(x.Data, &rec) == nil {
				d.State = rec.Trace.State
			}
		case chat.KindCallResult:
			var result struct {
				Vars map[string]json.RawMessage `json:"vars"`
			}
			if json.Unmarshal(x.Data, &result) != nil || result.Vars[statusName] == nil {
				continue
			}
			if later = later || x.Seq > d.Seq; x.Seq <= d.Seq {
				status = result.Vars[statusName]
			}
		default:
		}
	}
	if later {
		if status == nil {
			status = json.RawMessage("{}")
		}
		d.Vars = map[string]json.RawMessage{statusName: status}
	}
	return d, nil
}
