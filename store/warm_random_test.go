package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store/pgtest"
)

// TestWarmRowsAreTrue compares, after each of many random commands on two nodes, what a node would use unread with what is stored.
func TestWarmRowsAreTrue(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		s := openWarm(t, filepath.Join(t.TempDir(), "d.db"))
		warmRowsAreTrue(t, 200, s, s) // each step looks at all rows that came before
	})
	t.Run("postgres", func(t *testing.T) {
		dsn := pgtest.Start(t)
		warmRowsAreTrue(t, 150, openWarm(t, dsn), openWarm(t, dsn))
	})
}

func openWarm(t *testing.T, dsn string) *Store {
	s, err := Open(t.Context(), Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func warmRowsAreTrue(t *testing.T, steps int, nodes ...*Store) {
	ctx := t.Context()
	ws, err := nodes[0].AddWorkspace(ctx, "", "w")
	if err != nil {
		t.Fatal(err)
	}
	ch, err := nodes[0].AddChannel(ctx, Channel{Workspace: ws.ID, Connector: "sim", Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	no, err := nodes[0].workspaceNo(ctx, ws.ID)
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	warm := 0
	for i := range steps {
		node := nodes[r.IntN(len(nodes))]
		cmd := anyCommand(ctx, t, r, node, ws.ID, ch.ID, i)
		if _, err := node.Append(ctx, cmd); err != nil && chat.CodeOf(err) == "" {
			t.Fatalf("seed %d, step %d: %T: %v", seed, i, cmd, err)
		}
		for n, s := range nodes {
			found, err := compareWarm(ctx, s, no)
			if err != nil {
				t.Fatalf("seed %d, step %d, node %d, after %T %+v: %v", seed, i, n, cmd, cmd, err)
			}
			warm += found
		}
	}
	if warm < steps {
		t.Errorf("only %d warm rows were compared", warm)
	}
}

func anyCommand(ctx context.Context, t *testing.T, r *rand.Rand, s *Store, ws chat.WorkspaceID, ch chat.ChannelID, i int) Command {
	address := func() string { return string(rune('a' + r.IntN(4))) }
	a := address()
	in := chat.Incoming{
		Key: fmt.Sprint(i), ID: fmt.Sprint(i), Kind: chat.KindMessage, Thread: chat.Thread{Address: a}, Sender: chat.Person{Address: a, Name: fmt.Sprint(a, r.IntN(2))},
		Message: &chat.Message{Stack: []chat.Element{chat.Plain(fmt.Sprint("hi ", i))}},
	}
	convs, _, err := s.Conversations(ctx, ws, ConversationFilter{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	people, _, err := s.Contacts(ctx, ws, "", "", 50)
	if err != nil {
		t.Fatal(err)
	}
	pick := func() chat.ConversationID { return convs[r.IntN(len(convs))].ID }
	what := r.IntN(14)
	if len(convs) == 0 || len(people) == 0 {
		what = 0
	}
	switch what {
	case 6:
		in.Kind, in.ID, in.Message = chat.KindBlocked, "", nil
	case 7:
		in.Kind, in.ID, in.Message, in.MovedTo = chat.KindMoved, "", nil, address()
	case 8, 9:
		return &Place{Workspace: ws, Conversation: pick(), To: chat.PlaceData{State: chat.StateClosed}}
	case 10:
		name := fmt.Sprint("by hand ", i)
		return &PatchContact{Workspace: ws, Contact: people[r.IntN(len(people))].ID, Name: &name}
	case 11:
		return &Erase{Workspace: ws, Contact: people[r.IntN(len(people))].ID}
	case 12:
		return &Post{Workspace: ws, Conversation: pick(), Kind: chat.KindMessage, Message: chat.TextMessage("x")}
	case 13:
		return &Report{Workspace: ws, Conversation: pick(), Seq: 1, MovedTo: address(), Blocked: r.IntN(2) == 0, Quiet: true, Receipt: chat.ReceiptData{Status: chat.Sent}}
	}
	return &Receive{Channel: ch, In: in}
}

// compareWarm tells how many rows a node would go on with, and which of them is not what is stored.
func compareWarm(ctx context.Context, s *Store, ws int64) (found int, err error) {
	err = s.transact(ctx, nil, func(u *unit) error {
		u.cold = true
		u.lock(ws)
		if err := u.fetch(ctx); err != nil {
			return err
		}
		s.warm.mu.Lock()
		defer s.warm.mu.Unlock()
		rows, w := s.warm.rows[ws], u.workspaces[ws]
		if rows == nil || rows.head != w.head || rows.epoch != w.epoch {
			return nil
		}
		for k := range rows.convs {
			u.wantConversationNo(k)
		}
		for k := range rows.latest {
			u.wantLatest(k)
		}
		for k := range rows.identities {
			u.wantIdentity(k)
		}
		if err := u.fetch(ctx); err != nil {
			return err
		}
		for k, c := range rows.convs {
			if !reflect.DeepEqual(c, u.convs[k]) || rows.byUID[uidKey{string(c.uid)}] != c {
				return fmt.Errorf("conversation: warm %+v, stored %+v", c, u.convs[k])
			}
		}
		for k, c := range rows.latest {
			if stored := u.latest[k]; !reflect.DeepEqual(c, stored) || rows.convs[convKey{c.ws, c.no}] != c {
				return fmt.Errorf("latest of %v: warm %+v, stored %+v", k, c, stored)
			}
		}
		for k, i := range rows.identities {
			if !reflect.DeepEqual(i, u.identities[k]) {
				return fmt.Errorf("identity: warm %+v, stored %+v", i, u.identities[k])
			}
		}
		for k, c := range rows.contacts {
			if stored := u.contacts[k]; stored != nil && !reflect.DeepEqual(c, stored) {
				return fmt.Errorf("contact: warm %+v, stored %+v", c, stored)
			}
		}
		found = len(rows.convs) + len(rows.identities)
		return nil
	})
	return found, err
}
