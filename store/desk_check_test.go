package store

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store/pgtest"
)

// TestCheckFindsFlaws puts rows beside what the log says, one after the other, and looks whether somebody notices.
func TestCheckFindsFlaws(t *testing.T) {
	for name, dsn := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "d.db"), "postgres": pgtest.Start(t)} {
		t.Run(name, func(t *testing.T) {
			s, ctx := openWarm(t, dsn), t.Context()
			ws, err := s.AddWorkspace(ctx, "", "w")
			if err != nil {
				t.Fatal(err)
			}
			ch, err := s.AddChannel(ctx, Channel{Workspace: ws.ID, Connector: "sim", Name: "x", Queue: "support"})
			if err != nil {
				t.Fatal(err)
			}
			for address, to := range map[string]chat.PlaceData{
				"q": {State: chat.StateQueued, Queue: "sales"}, "a": {State: chat.StateAssigned, Assignee: "ann"},
				"b": {State: chat.StateBot, Flow: "f", Version: 1}, "c": {State: chat.StateClosed},
			} {
				in := chat.Incoming{
					Key: address, Kind: chat.KindMessage, Thread: chat.Thread{Address: address}, Message: &chat.Message{Stack: []chat.Element{chat.Plain("hi")}},
				}
				res, err := s.Append(ctx, &Receive{Channel: ch.ID, In: in})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Append(ctx, &Place{Workspace: ws.ID, Conversation: res.Events[0].Conversation, To: to}); err != nil {
					t.Fatal(err)
				}
			}
			if flaws, err := s.Check(ctx, ws.ID); err != nil || len(flaws) > 0 {
				t.Fatal("at first: ", flaws, err)
			}
			for _, c := range []struct{ set, thread, undo, want string }{
				{"state = 'bot'", "a", "state = 'assigned'", "the log says assigned"},
				{"assignee = 'bob'", "a", "assignee = 'ann'", "the log says ann"},
				{"assignee = ''", "a", "assignee = 'ann'", "assigned to nobody"},
				{"queue = 'support'", "q", "queue = 'sales'", "the log says sales"},
				{"assignee = 'ann'", "q", "assignee = ''", "ann has it"},
				{"snoozed_until = 5", "q", "snoozed_until = 0", "no agent has it"},
				{"flow = ''", "b", "flow = 'f'", "there is no flow"},
				{"queue = 'sales'", "b", "queue = ''", "and also sales"},
				{"last_seq = last_seq + 1", "c", "last_seq = last_seq - 1", "its log ends at"},
				{"unread = 3", "c", "unread = 0", "somebody has to read"},
				{"closed_at = 0", "c", "closed_at = 7", "closed_at 0"},
			} {
				change := func(set string) {
					if err := s.engine.exec(ctx, stmt{sql: "UPDATE conversations SET " + set + " WHERE thread = $1", args: []any{c.thread}}); err != nil {
						t.Fatal(err)
					}
				}
				change(c.set)
				flaws, err := s.Check(ctx, ws.ID)
				if err != nil || len(flaws) == 0 || !strings.Contains(flaws[0].What, c.want) {
					t.Errorf("%s: %+v, %v", c.set, flaws, err)
				}
				change(c.undo)
			}
			offer := stmt{sql: `INSERT INTO offers (workspace, conversation, agents, offered_at, until_at) SELECT workspace, no, '["ann"]', 1, 0 FROM conversations
 WHERE thread = 'a'`}
			if err := s.engine.exec(ctx, offer); err != nil {
				t.Fatal(err)
			}
			if flaws, err := s.Check(ctx, ws.ID); err != nil || len(flaws) != 1 || !strings.Contains(flaws[0].What, "still offered") {
				t.Errorf("an offer of what does not wait: %+v, %v", flaws, err)
			}
		})
	}
}
