package bot

import (
	"encoding/json"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// write keeps the step: first what was decided, then what comes of it.
func (r *Runner) write(tx *store.Tx, e chat.Event, mem memory, rec Record, effects []Effect) error {
	for _, effect := range effects {
		if _, signal := effect.(Typing); !signal {
			rec.Follow++
		}
	}
	raw, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	body, err := json.Marshal(mem)
	if err != nil {
		return err
	}
	tx.SetState(string(body))
	_, err = tx.Append(&store.Record{
		Workspace: tx.Workspace(), Conversation: e.Conversation, Kind: chat.KindFlowStep, Sender: mem.sender(), Data: raw, Action: e.Action,
	})
	if err != nil {
		return err
	}
	for _, effect := range effects {
		cmd, err := r.command(tx, e, mem, effect)
		if err != nil {
			return err
		}
		if cmd == nil {
			continue
		}
		if _, err := tx.Append(cmd); err != nil {
			return err
		}
	}
	return nil
}

func (m memory) sender() chat.Party { return chat.Party{Type: chat.PartyBot, ID: m.Flow} }

// command turns an effect into what the log takes; nil for what is not stored.
func (r *Runner) command(tx *store.Tx, e chat.Event, mem memory, effect Effect) (store.Command, error) {
	ws, conv, by := tx.Workspace(), e.Conversation, mem.sender()
	switch x := effect.(type) {
	case Say:
		return &store.Post{Workspace: ws, Conversation: conv, Kind: chat.KindMessage, Sender: by, Message: x.Message, Action: e.Action}, nil
	case Note:
		return &store.Post{Workspace: ws, Conversation: conv, Kind: chat.KindNote, Sender: by, Message: chat.TextMessage(x.Text), Action: e.Action}, nil
	case HandOver:
		here, err := tx.Conversation()
		if err != nil {
			return nil, err
		}
		queue, err := r.queue(tx, here, x.Queue)
		return &store.Place{
			Workspace: ws, Conversation: conv, Expect: []chat.State{chat.StateBot}, By: by, Action: e.Action,
			To: chat.PlaceData{State: chat.StateQueued, Queue: queue, Reason: x.Note},
		}, err
	case Close:
		return &store.Place{
			Workspace: ws, Conversation: conv, By: by, Action: e.Action, To: chat.PlaceData{State: chat.StateClosed, Reason: x.Reason},
		}, nil
	case Call:
		raw, err := json.Marshal(x)
		return &store.Record{Workspace: ws, Conversation: conv, Kind: chat.KindCall, Sender: by, Data: raw, Action: e.Action}, err
	default: // Typing: a signal, not an event
		return nil, nil
	}
}
