package desk

import (
	"context"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Consequence is what becomes of a conversation that a queue cannot keep. Where it goes nowhere it waits on.
type Consequence struct {
	Queue string `json:"queue,omitempty" maxLength:"100" doc:"Into this queue."`
	Flow  string `json:"flow,omitempty" maxLength:"100" doc:"To the newest version of this flow."`
	Close bool   `json:"close,omitempty" doc:"It is closed."`
	Say   string `json:"say,omitempty" maxLength:"2000" doc:"What the contact is told, before anything else; alone: and it waits on."`
}

// Bounds of passing on, so that queues and flows that name one another do not pass a conversation round in circles.
const (
	maxPassed = 10          // queues, one after the other
	flowPause = time.Minute // between two times that a conversation is given to a flow on arrival
)

// receive looks whether the queue takes a conversation that has just come. True: it does not wait here any more.
func (t *turn) receive(row *store.WaitingConversation, e chat.Event) (gone bool, err error) {
	q := t.p.queues[row.Queue]
	if q == nil {
		return false, nil
	}
	if what, why := q.refuses(row, t.tx.Now()); what != nil {
		if gone, err = t.pass(row, *what, why, e.Action); gone || err != nil {
			return gone, err
		}
	}
	if row.Due = q.due(row.Since); row.Due.IsZero() {
		return false, nil
	}
	return false, t.tx.KeepWait(row.Conversation, row.Due, row.Asked)
}

// refuses tells what becomes of a conversation that comes when the queue is closed or full; nil if it is taken.
func (q *queue) refuses(row *store.WaitingConversation, now time.Time) (*Consequence, string) {
	switch {
	case q.settings.WhenClosed != nil && !q.hours.Open(now):
		return q.settings.WhenClosed, chat.ReasonQueueClosed
	case q.settings.WhenFull != nil && q.settings.Limit > 0 && q.before(row) >= q.settings.Limit:
		return q.settings.WhenFull, chat.ReasonQueueFull
	default:
		return nil, ""
	}
}

// before counts those who came into the line earlier.
func (q *queue) before(row *store.WaitingConversation) (n int) {
	if len(q.line) < q.settings.Limit {
		return len(q.line)
	}
	for _, w := range q.line {
		if w.since.Before(row.Since) || w.since.Equal(row.Since) && w.Conversation < row.Conversation {
			n++
		}
	}
	return n
}

// due is when the longest wait of who came at a moment is over; zero: never.
func (q *queue) due(since time.Time) time.Time {
	if q.settings.MaxWaitSeconds == 0 || q.settings.AfterMaxWait == nil {
		return time.Time{}
	}
	return q.hours.After(since, time.Duration(q.settings.MaxWaitSeconds)*time.Second)
}

// setDues brings the longest waits up to date after queues or business hours have changed.
func (t *turn) setDues() error {
	for _, w := range t.p.waiting {
		q := t.p.queues[w.queue]
		if q == nil {
			continue
		}
		if due := q.due(w.since).Truncate(time.Microsecond); !due.Equal(w.due) {
			w.due = due
			if err := t.tx.KeepWait(w.Conversation, due, w.asked); err != nil && !movedOn(err) {
				return err
			}
		}
	}
	return nil
}

// pass does what a queue wants done with a conversation that has just come.
func (t *turn) pass(row *store.WaitingConversation, what Consequence, why string, action chat.ActionID) (gone bool, err error) {
	if what.Flow != "" {
		fresh, err := t.freshForFlow()
		if err != nil {
			return false, err
		}
		if !fresh {
			what.Flow = "" // the flow has just sent it here
		}
	}
	to, err := what.place(t.tx.Context(), t.Store, t.tx.Workspace(), *row, why, func(name string) bool { return t.p.queues[name] != nil })
	if err != nil || to == nil && what.Say == "" {
		return false, err
	}
	_, err = t.tx.Append(&store.Pass{
		Workspace: t.tx.Workspace(), Conversation: row.Conversation, Queue: row.Queue, Say: what.Say, To: to, Action: action,
	})
	if movedOn(err) {
		return true, nil // the event that says where it is comes
	}
	return to != nil, err
}

// freshForFlow tells that the conversation was not given to a flow lately, and remembers that it is now.
func (t *turn) freshForFlow() (bool, error) {
	state, err := t.tx.State()
	if err != nil {
		return false, err
	}
	if last, err := time.Parse(time.RFC3339Nano, state); err == nil && t.tx.Now().Sub(last) < flowPause {
		return false, nil
	}
	t.tx.SetState(t.tx.Now().Format(time.RFC3339Nano))
	return true, nil
}

// place is where the conversation goes; nil: nowhere.
func (c Consequence) place(ctx context.Context, s *store.Store, ws chat.WorkspaceID, w store.WaitingConversation, why string, exists func(string) bool) (*chat.PlaceData, error) {
	switch {
	case c.Queue != "":
		if c.Queue == w.Queue || slices.Contains(w.Passed, c.Queue) || len(w.Passed) >= maxPassed || !exists(c.Queue) {
			return nil, nil
		}
		return &chat.PlaceData{State: chat.StateQueued, Queue: c.Queue, Reason: why, Passed: append(slices.Clone(w.Passed), w.Queue)}, nil
	case c.Flow != "":
		f, err := s.Flow(ctx, ws, c.Flow, 0)
		if chat.CodeOf(err) == chat.CodeNotFound {
			return nil, nil
		}
		return &chat.PlaceData{State: chat.StateBot, Flow: f.Name, Version: f.Version, Reason: why}, err
	case c.Close:
		return &chat.PlaceData{State: chat.StateClosed, Reason: why}, nil
	default:
		return nil, nil
	}
}

// passOverdue does what queues want done with those who have waited for the longest time.
func (r *Router) passOverdue(ctx context.Context) error {
	due, err := r.Store.LongWaits(ctx, overdueBatch)
	if err != nil || len(due) == 0 {
		return err
	}
	queues := map[chat.WorkspaceID]map[string]store.Queue{}
	cmds := make([]store.Command, 0, len(due))
	for _, l := range due {
		if queues[l.Workspace] == nil {
			if queues[l.Workspace], err = r.queuesOf(ctx, l.Workspace); err != nil {
				return err
			}
		}
		cmd, err := r.passOn(ctx, l, queues[l.Workspace])
		if err != nil {
			return err
		}
		cmds = append(cmds, cmd)
	}
	return r.appendAll(ctx, cmds)
}

func (r *Router) queuesOf(ctx context.Context, ws chat.WorkspaceID) (map[string]store.Queue, error) {
	rows, err := r.Store.Queues(ctx, ws)
	out := make(map[string]store.Queue, len(rows))
	for _, row := range rows {
		out[row.Name] = row
	}
	return out, err
}

// passOn is what becomes of a conversation that has waited for too long.
func (r *Router) passOn(ctx context.Context, l store.LongWait, queues map[string]store.Queue) (*store.Pass, error) {
	cmd := &store.Pass{Workspace: l.Workspace, Conversation: l.Conversation, Queue: l.Queue, Overdue: true, Action: chat.ActionID(chat.NewID())}
	what := settingsOf(queues[l.Queue]).AfterMaxWait
	if what == nil {
		return cmd, nil
	}
	var err error
	cmd.Say = what.Say
	cmd.To, err = what.place(ctx, r.Store, l.Workspace, store.WaitingConversation{Queue: l.Queue, Passed: l.Passed}, chat.ReasonMaxWait, func(name string) bool {
		_, there := queues[name]
		return there
	})
	return cmd, err
}
