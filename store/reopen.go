package store

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// QueueLife is what a queue's settings say of how conversations end and begin again. The desk keeps them; the store obeys them.
type QueueLife struct {
	CloseAfter  int    `json:"close_after_minutes,omitempty"` // of silence; 0: never
	CloseCounts string `json:"close_counts,omitempty"`        // whose messages break it: CountOurs, CountAny
	CloseText   string `json:"close_text,omitempty"`          // what the contact is told when silence closes
	ReopenFor   int    `json:"reopen_minutes,omitempty"`      // after a close the contact comes back to the same agent, or queue
}

// What silence is: nothing of ours since, while it is the contact's turn; or nothing of anybody's.
const (
	CountOurs = "ours" // the default
	CountAny  = "any"
)

// queueLife reads a queue's settings; those of an unknown queue are empty.
func (u *unit) queueLife(ctx context.Context, k queueKey) (q QueueLife, err error) {
	err = u.run(ctx, []stmt{{
		sql: "SELECT settings FROM queues WHERE workspace = $1 AND name = $2", args: []any{k.ws, k.name},
		scan: func(r scanner) error {
			var settings string
			if err := r.Scan(&settings); err != nil {
				return err
			}
			_ = json.Unmarshal([]byte(settings), &q) // checked when they were stored; what does not fit has its default
			return nil
		},
	}})
	return q, err
}

// goesOn is where a contact comes back to who writes soon after a close: to the agent who had the last conversation, if there is room,
// else to its queue. The zero value means a conversation like any other.
func (u *unit) goesOn(ctx context.Context, last *conversationRow) (to chat.PlaceData, err error) {
	if last == nil || last.queue == "" {
		return to, nil
	}
	life, err := u.queueLife(ctx, queueKey{last.ws, last.queue})
	if err != nil || life.ReopenFor <= 0 || micros(u.now)-last.closed > (time.Duration(life.ReopenFor)*time.Minute).Microseconds() {
		return to, err
	}
	to = chat.PlaceData{State: chat.StateQueued, Queue: last.queue, Reason: chat.ReasonReopened}
	if last.assignee == "" {
		return to, nil
	}
	err = u.hasRoom(ctx, agentKey{last.ws, last.assignee}, convKey{})
	if code := chat.CodeOf(err); code == chat.CodeConflict || code == chat.CodeNotFound {
		return to, nil
	}
	if err == nil {
		to.State, to.Assignee = chat.StateAssigned, last.assignee
	}
	return to, err
}

// Reopen lets an agent go on in a closed conversation: a new one begins behind the newest of the thread, and the agent has it.
type Reopen struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Agent        string
	By           chat.Party
	Action       chat.ActionID

	deed
}

func (c *Reopen) resolve(ctx context.Context, s *Store) error {
	if err := checkName("agent", c.Agent); err != nil {
		return err
	}
	return c.find(ctx, s, c.Workspace, c.Conversation, "", "")
}

func (c *Reopen) apply(ctx context.Context, u *unit) (Result, error) {
	conv, ch, err := u.conversationAndChannel(ctx, c.ws, c.Conversation)
	if err != nil {
		return Result{}, err
	}
	if _, err := u.agent(ctx, agentKey{c.ws, c.Agent}); err != nil {
		return Result{}, err
	}
	last, err := u.lastOf(ctx, conv)
	switch {
	case err != nil:
		return Result{}, err
	case conv.state != chat.StateClosed:
		return Result{}, chat.Faultf(chat.CodeConflict, "the conversation is open: it is "+string(conv.state))
	case last.state != chat.StateClosed:
		return Result{}, chat.Faultf(chat.CodeConflict, "another conversation with this contact is open: "+string(last.uid))
	case strings.HasPrefix(conv.thread, erasedThread):
		return Result{}, chat.Faultf(chat.CodeClosed, "the contact was erased")
	case !ch.active:
		return Result{}, chat.Faultf(chat.CodeForbidden, "the channel is switched off")
	}
	if err := u.isThere(ctx, conv); err != nil {
		return Result{}, err
	}
	queue, err := u.storedQueue(ctx, c.ws, conv.queue)
	if err != nil {
		return Result{}, err
	}
	by := c.By
	_, events := u.begin(ch, conv.contact, conv.threadBody, last, chat.PlaceData{
		State: chat.StateAssigned, Queue: queue, Assignee: c.Agent, Reason: chat.ReasonReopened,
	}, chat.Event{Kind: chat.KindOpened, Sender: &by, Action: c.Action}, chat.OpenedData{})
	return Result{Events: events}, nil
}

// isThere refuses a conversation whose address stands for nobody any more: its contact goes on under another one.
func (u *unit) isThere(ctx context.Context, conv *conversationRow) error {
	k := addressKey{conv.ws, conv.channel, conv.threadBody.Address}
	u.wantIdentity(k)
	if err := u.fetch(ctx); err != nil || u.identities[k] != nil {
		return err
	}
	return chat.Faultf(chat.CodeConflict, "the contact goes on under another address")
}

// lastOf is the conversation of the same thread that is open, or else the newest one.
func (u *unit) lastOf(ctx context.Context, conv *conversationRow) (*conversationRow, error) {
	tk := threadKey{conv.ws, conv.channel, conv.thread}
	u.wantLatest(tk)
	if err := u.fetch(ctx); err != nil {
		return nil, err
	}
	if last := u.latest[tk]; last != nil {
		return last, nil
	}
	return conv, nil
}
