package store

import (
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store/pgtest"
)

// A node that freezes in the middle of a transaction does not stop a workspace for the others.
func TestFrozenNodeLosesItsLock(t *testing.T) {
	ctx, dsn := t.Context(), pgtest.Start(t)
	frozen, other := openWarm(t, dsn), openWarm(t, dsn)
	ws, err := other.AddWorkspace(ctx, "", "w")
	if err != nil {
		t.Fatal(err)
	}
	ch, err := other.AddChannel(ctx, Channel{Workspace: ws.ID, Connector: "sim", Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	no, err := other.workspaceNo(ctx, ws.ID)
	if err != nil {
		t.Fatal(err)
	}
	limit := ""
	err = frozen.transact(ctx, []int64{no}, func(u *unit) error {
		err := u.run(ctx, []stmt{
			{sql: "SHOW idle_in_transaction_session_timeout", scan: func(r scanner) error { return r.Scan(&limit) }},
			{sql: "SET LOCAL idle_in_transaction_session_timeout = '50ms'"}, // a test has no 15 seconds
		})
		if err != nil {
			return err
		}
		in := chat.Incoming{
			Key: "1", Kind: chat.KindMessage, Thread: chat.Thread{Address: "a"}, Message: &chat.Message{Stack: []chat.Element{chat.Plain("hi")}},
		}
		if _, err := other.Append(ctx, &Receive{Channel: ch.ID, In: in}); err != nil {
			t.Error("the other node:", err)
		}
		u.workspaces[no].dirty = true // what the frozen one would have written, long after
		return nil
	})
	if err == nil {
		t.Error("the frozen node committed what was true before")
	}
	if limit != "15s" {
		t.Errorf("the limit is %q", limit)
	}
	if w, err := other.Workspace(ctx, ws.ID); err != nil || w.Head == 0 {
		t.Error("the head:", w, err)
	}
}
