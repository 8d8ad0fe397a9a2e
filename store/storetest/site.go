package storetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// patience bounds every wait: a machine with all cores busy is slow, not broken.
const patience = time.Minute

// site is a store with one workspace and one channel in it.
type site struct {
	*store.Store
	t   testing.TB
	db  Database
	o   store.Options
	ws  chat.WorkspaceID
	ch  chat.ChannelID
	key atomic.Int64
}

// outRoute sends every outgoing message to the work "out", in the lane of its conversation.
func outRoute() store.Route {
	return store.Route{Work: "out", Lane: func(e *chat.Event) string {
		if e.Kind == chat.KindMessage && e.Direction == chat.Out {
			return string(e.Conversation)
		}
		return ""
	}}
}

// newSite opens an empty database.
func newSite(t testing.TB, db Database, change ...func(*store.Options)) *site {
	t.Helper()
	return siteAt(t, db, db.New(t), change...)
}

func siteAt(t testing.TB, db Database, dsn string, change ...func(*store.Options)) *site {
	t.Helper()
	s := &site{t: t, db: db, o: store.Options{DSN: dsn, Sweep: 50 * time.Millisecond, Routes: []store.Route{outRoute()}}}
	for _, f := range change {
		f(&s.o)
	}
	s.Store = s.open()
	w, err := s.AddWorkspace(t.Context(), "", "first")
	must(t, err)
	s.ws = w.ID
	s.ch = s.channel(s.ws)
	return s
}

func (s *site) channel(ws chat.WorkspaceID) chat.ChannelID {
	s.t.Helper()
	c, err := s.AddChannel(s.t.Context(), store.Channel{Workspace: ws, Connector: "sim", Name: "channel", Settings: "{}"})
	must(s.t, err)
	return c.ID
}

// open opens the site's database once more: another node, or the same one later.
func (s *site) open() *store.Store {
	s.t.Helper()
	st, err := store.Open(s.t.Context(), s.o)
	must(s.t, err)
	s.t.Cleanup(func() {
		if err := st.Close(); err != nil {
			s.t.Logf("close: %v", err)
		}
	})
	return st
}

// reopen closes the store and opens it again.
func (s *site) reopen() {
	s.t.Helper()
	must(s.t, s.Close())
	s.Store = s.open()
}

// do appends what has to succeed.
func (s *site) do(cmd store.Command) store.Result {
	s.t.Helper()
	res, err := s.Append(s.t.Context(), cmd)
	must(s.t, err)
	return res
}

// refuses wants a command to fail with a code, and the log to stay as it is.
func (s *site) refuses(code chat.Code, cmd store.Command) {
	s.t.Helper()
	before := s.head()
	_, err := s.Append(s.t.Context(), cmd)
	if chat.CodeOf(err) != code {
		s.t.Fatalf("%T: got %v, want %s", cmd, err, code)
	}
	if after := s.head(); after != before {
		s.t.Fatalf("%T was refused and yet moved the log from %d to %d", cmd, before, after)
	}
}

func (s *site) head() int64 {
	s.t.Helper()
	w, err := s.Workspace(s.t.Context(), s.ws)
	must(s.t, err)
	return w.Head
}

// in is a message from an address, with a key of its own.
func (s *site) in(address, text string) chat.Incoming {
	n := s.key.Add(1)
	m := chat.TextMessage(text)
	return chat.Incoming{
		Key: fmt.Sprintf("k%d", n), ID: fmt.Sprintf("m%d", n), Kind: chat.KindMessage, Message: &m,
		Thread: chat.Thread{Address: address}, Sender: chat.Person{Address: address, Name: "Name of " + address},
	}
}

// about is something that a platform tells of a message.
func (s *site) about(kind chat.Kind, address, target string) chat.Incoming {
	in := s.in(address, "")
	in.Kind, in.ID, in.Target, in.Message = kind, "", target, nil
	return in
}

func (s *site) receive(in chat.Incoming) store.Result {
	s.t.Helper()
	return s.do(&store.Receive{Channel: s.ch, In: in})
}

// talk begins a conversation and gives its name.
func (s *site) talk(address string) chat.ConversationID {
	s.t.Helper()
	return s.receive(s.in(address, "hello from "+address)).Events[0].Conversation
}

func (s *site) post(conv chat.ConversationID, text string) *store.Post {
	return &store.Post{
		Workspace: s.ws, Conversation: conv, Kind: chat.KindMessage, Sender: chat.Party{Type: chat.PartyBot}, Message: chat.TextMessage(text),
	}
}

// sent posts a message and reports it as sent under an external id.
func (s *site) sent(conv chat.ConversationID, external string) int64 {
	s.t.Helper()
	seq := s.do(s.post(conv, "out "+external)).Events[0].Seq
	s.do(s.report(conv, seq, chat.Sent, external))
	return seq
}

func (s *site) report(conv chat.ConversationID, seq int64, status chat.Status, external ...string) *store.Report {
	return &store.Report{Workspace: s.ws, Conversation: conv, Seq: seq, Receipt: chat.ReceiptData{Status: status, ExternalIDs: external}}
}

func (s *site) place(conv chat.ConversationID, to chat.PlaceData, expect ...chat.State) *store.Place {
	return &store.Place{Workspace: s.ws, Conversation: conv, To: to, Expect: expect, By: chat.Party{Type: chat.PartySystem}}
}

func (s *site) shut(conv chat.ConversationID) {
	s.t.Helper()
	s.do(s.place(conv, chat.PlaceData{State: chat.StateClosed}))
}

func (s *site) look(conv chat.ConversationID) chat.Conversation {
	s.t.Helper()
	c, err := s.Conversation(s.t.Context(), s.ws, conv)
	must(s.t, err)
	return c
}

// event reads one event of a conversation.
func (s *site) event(conv chat.ConversationID, seq int64) chat.Event {
	s.t.Helper()
	list, err := s.Events(s.t.Context(), s.ws, conv, seq-1, 1)
	must(s.t, err)
	if len(list) != 1 || list[0].Seq != seq {
		s.t.Fatalf("no event %d in %s: %v", seq, conv, list)
	}
	return list[0]
}

func (s *site) letters() []store.DeadLetter {
	s.t.Helper()
	list, _, err := s.DeadLetters(s.t.Context(), s.ws, "", 1000)
	must(s.t, err)
	return list
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// await waits for a signal.
func await[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case v := <-c:
		return v
	case <-timer.C:
		t.Fatalf("waited %s in vain for: %s", patience, what)
		panic("unreachable")
	}
}

// until asks again and again, for what gives no signal.
func until(t testing.TB, what string, true func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !true() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited %s in vain for: %s", patience, what)
		}
	}
}

// background runs something that ends with its context; the answer ends it and waits.
func background(t testing.TB, run func(ctx context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := await(t, "the end of what ran in the background", ended); err != nil {
			t.Errorf("background: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}
