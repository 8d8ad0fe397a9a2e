package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/dragoman-hub/dragoman/chat"
)

// Flaw is a conversation of which the tables do not say what the log says, or that is in no place or in two.
type Flaw struct {
	Conversation chat.ConversationID `json:"conversation"`
	What         string              `json:"what"`
}

// maxFlaws bounds what Check answers, and checkPage the conversations that it reads at once.
const (
	maxFlaws  = 100
	checkPage = 500
)

// Check compares the conversations of a workspace with the log: each open one is with a bot, in a queue or with an agent, as the last
// event that moved it says, and only what waits is offered. It reads while others write: what is looked at is of one moment, the
// whole is not.
func (s *Store) Check(ctx context.Context, ws chat.WorkspaceID) ([]Flaw, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return nil, err
	}
	flaws, err := s.strayOffers(ctx, no)
	for at := int64(0); err == nil && len(flaws) < maxFlaws; {
		var page []placed
		if page, err = s.placedAfter(ctx, no, at); len(page) == 0 {
			break
		}
		for _, p := range page {
			at = p.no
			for _, what := range p.flaws() {
				flaws = append(flaws, Flaw{p.uid, what})
			}
		}
	}
	return flaws[:min(len(flaws), maxFlaws)], err
}

// placed is a conversation with what its log says of it.
type placed struct {
	conversationRow
	kind     chat.Kind // of the last event that moved it
	body     string    // and its body
	end      int64     // the last sequence number of its log
	previous struct {
		state  chat.State
		thread string
	}
}

func (s *Store) placedAfter(ctx context.Context, ws, after int64) ([]placed, error) {
	const moved = ` FROM events e WHERE e.workspace = c.workspace AND e.conversation = c.no
 AND e.kind IN ('opened', 'queued', 'assigned', 'bot', 'closed') ORDER BY e.seq DESC LIMIT 1`
	return list(ctx, s, func(r scanner) (p placed, err error) {
		err = p.scan(r, &p.kind, &p.body, &p.end, &p.previous.state, &p.previous.thread)
		return p, err
	}, "SELECT "+conversationColumns+", COALESCE((SELECT e.kind"+moved+"), ''), COALESCE((SELECT e.body"+moved+`), '{}'),
 COALESCE((SELECT MAX(e.seq) FROM events e WHERE e.workspace = c.workspace AND e.conversation = c.no), 0),
 COALESCE((SELECT x.state FROM conversations x WHERE x.uid = c.previous), ''), COALESCE((SELECT x.thread FROM conversations x WHERE x.uid = c.previous), '')
 FROM conversations c WHERE c.workspace = $1 AND c.no > $2 ORDER BY c.no LIMIT $3`, ws, after, checkPage)
}

// flaws tells what is wrong with a conversation.
func (p *placed) flaws() (found []string) {
	wrong := func(is bool, what string, args ...any) {
		if is {
			found = append(found, fmt.Sprintf(what, args...))
		}
	}
	state, to := p.toldState()
	wrong(p.state != state, "it is %s, and the log says %s", p.state, state)
	wrong(p.end != p.lastSeq, "its log ends at %d, not %d", p.end, p.lastSeq)
	wrong((p.closed != 0) != (p.state == chat.StateClosed), "it is %s with closed_at %d", p.state, p.closed)
	wrong(p.snoozed != 0 && p.state != chat.StateAssigned, "it rests, and no agent has it")
	wrong(p.previous.state != "" && p.previous.state != chat.StateClosed && p.previous.thread == p.thread, "it continues one that is open")
	switch p.state {
	case chat.StateAssigned:
		wrong(p.assignee == "", "it is assigned to nobody")
		wrong(to.known && to.Assignee != p.assignee, "%s has it, and the log says %s", p.assignee, to.Assignee)
	case chat.StateQueued:
		wrong(p.assignee != "", "it waits, and %s has it", p.assignee)
		wrong(to.Queue != "" && to.Queue != p.queue, "it waits in %s, and the log says %s", p.queue, to.Queue)
	case chat.StateBot:
		wrong(p.flow == "", "a bot has it, and there is no flow")
		wrong(p.assignee != "" || p.queue != "", "a bot has it, and also %s%s", p.assignee, p.queue)
	case chat.StateClosed:
		wrong(p.unread != 0 || p.waiting != 0, "it is closed, and somebody has to read or to answer")
	default:
		wrong(true, "there is no such state")
	}
	return found
}

// toldPlace is the part of a move's event that is compared.
type toldPlace struct {
	Queue    string `json:"queue"`
	Assignee string `json:"assignee"`
	known    bool   // it was not erased
}

// toldState is where the log says that a conversation is.
func (p *placed) toldState() (chat.State, toldPlace) {
	var body struct {
		Sender *chat.Party `json:"sender"` // goes with what is erased
		Data   toldPlace   `json:"data"`
	}
	_ = json.Unmarshal([]byte(p.body), &body) // ours
	body.Data.known = body.Sender != nil
	for state, kind := range placeKinds {
		if kind == p.kind {
			return state, body.Data
		}
	}
	if p.kind == chat.KindOpened {
		return chat.StateBot, toldPlace{}
	}
	return "", toldPlace{}
}

// strayOffers finds offers of what does not wait.
func (s *Store) strayOffers(ctx context.Context, ws int64) ([]Flaw, error) {
	return list(ctx, s, func(r scanner) (f Flaw, err error) {
		var state string
		err = r.Scan(&f.Conversation, &state)
		f.What = "it is " + state + ", and still offered"
		return f, err
	}, fmt.Sprintf(`SELECT c.uid, c.state FROM offers o JOIN conversations c ON c.workspace = o.workspace AND c.no = o.conversation
 WHERE o.workspace = $1 AND o.agents <> '[]' AND c.state <> 'queued' LIMIT %d`, maxFlaws), ws)
}
