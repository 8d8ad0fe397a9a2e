package desk

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Telling who waits: how often at the most, and to how many of a line.
const (
	tellPause = time.Minute
	maxTelled = 1000
	tellTicks = 5 // between two looks
)

// tellWaits tells those who wait how that goes on, where their queues do so.
func (r *Router) tellWaits(ctx context.Context) error {
	queues, err := r.Store.Telling(ctx)
	errs := []error{err}
	for _, q := range queues {
		errs = append(errs, r.tellQueue(ctx, q))
	}
	return errors.Join(errs...)
}

func (r *Router) tellQueue(ctx context.Context, at store.QueueName) error {
	o, err := ReadOutlook(ctx, r.Store, at.Workspace, at.Queue)
	if err != nil {
		return err
	}
	if !o.Open {
		return nil
	}
	line, err := r.Store.WaitingIn(ctx, at.Workspace, at.Queue, maxTelled)
	if err != nil {
		return err
	}
	var cmds []store.Command
	for i, w := range line {
		wait, known := o.Estimate(i + 1)
		text := tellText(o.Settings.TellWait, i+1, wait, known)
		if text == "" || text == w.Told || r.Store.Now().Sub(w.ToldAt) < tellPause {
			continue
		}
		cmds = append(cmds, &store.TellWait{
			Workspace: at.Workspace, Conversation: w.Conversation, Queue: at.Queue, Text: text, Pause: tellPause, Action: chat.ActionID(chat.NewID()),
		})
	}
	return r.appendAll(ctx, cmds)
}

// appendAll does what is still possible; where another node, or a person, was faster there is nothing to do.
func (r *Router) appendAll(ctx context.Context, cmds []store.Command) error {
	_, failed := r.Store.AppendAll(ctx, cmds)
	var errs []error
	for _, err := range failed {
		if !movedOn(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Outlook is what somebody who comes to a queue has to expect.
type Outlook struct {
	Settings Settings
	Open     bool // by the business hours
	Waiting  int
	Oldest   time.Time // since when somebody has waited the longest; zero: nobody waits
	Free     int       // members who can take one more
	Busy     int       // members who are there and have no room
	Away     int
	room     int // how many more the free can take, what is offered included; below 0: no limit
	accepts  []int
}

// ReadOutlook reads it from the store.
func ReadOutlook(ctx context.Context, s *store.Store, ws chat.WorkspaceID, queue string) (o Outlook, err error) {
	row, err := queueNamed(ctx, s, ws, queue)
	if err != nil {
		return o, err
	}
	o.Settings = settingsOf(row)
	calendars, err := calendarsOf(ctx, s, ws)
	if err != nil {
		return o, err
	}
	o.Open = calendars[o.Settings.Hours].Open(s.Now())
	if o.Waiting, o.Oldest, err = s.LineLength(ctx, ws, queue); err != nil {
		return o, err
	}
	if o.accepts, err = s.Accepts(ctx, ws, queue, estimateWindow); err != nil {
		return o, err
	}
	return o, o.count(ctx, s, ws, row.Agents)
}

// count looks at the members.
func (o *Outlook) count(ctx context.Context, s *store.Store, ws chat.WorkspaceID, members []string) error {
	agents, err := agentsNow(ctx, s, ws)
	if err != nil {
		return err
	}
	for _, id := range members {
		a := agents[id]
		if a == nil {
			continue
		}
		free, why := a.free()
		switch {
		case free && a.Capacity == 0:
			o.Free, o.room = o.Free+1, -1
		case free:
			o.Free++
			if o.room >= 0 {
				o.room += a.Capacity - a.Load
			}
		case why == AtCapacity:
			o.Busy++
		default:
			o.Away++
		}
	}
	return nil
}

// Estimate says how long who stands at a position of the line waits; false: nobody knows.
func (o Outlook) Estimate(position int) (time.Duration, bool) {
	return Estimate(position, o.room, o.accepts)
}

// queueNamed reads one queue.
func queueNamed(ctx context.Context, s *store.Store, ws chat.WorkspaceID, name string) (store.Queue, error) {
	rows, err := s.Queues(ctx, ws)
	if err != nil {
		return store.Queue{}, err
	}
	for _, row := range rows {
		if row.Name == name {
			return row, nil
		}
	}
	return store.Queue{}, chat.Faultf(chat.CodeNotFound, "no such queue")
}

// agentsNow reads all agents with their loads, offers included.
func agentsNow(ctx context.Context, s *store.Store, ws chat.WorkspaceID) (map[string]*Agent, error) {
	rows, err := s.Agents(ctx, ws)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*Agent, len(rows))
	for _, a := range rows {
		out[a.ID] = &Agent{ID: AgentID(a.ID), Available: a.Available, Capacity: a.Capacity, IdleSince: a.StateAt, Skills: a.Skills}
	}
	held, err := s.Assigned(ctx, ws)
	if err != nil {
		return nil, err
	}
	for _, id := range held {
		if a := out[id]; a != nil {
			a.Load++
		}
	}
	offers, err := s.OutstandingOffers(ctx, ws)
	for id, n := range offers {
		if a := out[id]; a != nil {
			a.Load += n
		}
	}
	return out, err
}

// readFacts reads what an expression may know of a conversation.
func readFacts(ctx context.Context, s *store.Store, ws chat.WorkspaceID, id chat.ConversationID) (*Facts, error) {
	conv, err := s.Conversation(ctx, ws, id)
	if err != nil {
		return nil, err
	}
	contact, err := s.Contact(ctx, ws, conv.Contact.ID)
	if err != nil {
		return nil, err
	}
	return factsOf(conv, contact.Language, contact.Properties), nil
}

// clip cuts a text to a number of bytes, between letters.
func clip(s string, n int) string {
	if len(s) <= n {
		return strings.ToValidUTF8(s, "")
	}
	s = s[:n]
	for len(s) > 0 && !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}
