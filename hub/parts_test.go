package hub_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/store"
)

// splitting is a platform with short messages; its answers can be planned.
type splitting struct {
	*diary[connector.Part]
	mu   sync.Mutex
	plan map[string][]error // by the text of a part
	hold map[string]chan struct{}
}

func newSplitting() *splitting {
	return &splitting{diary: newDiary[connector.Part](), plan: map[string][]error{}, hold: map[string]chan struct{}{}}
}

func textOfPart(p connector.Part) string {
	m := chat.Message{Stack: p.Elements}
	return m.Text()
}

func (s *splitting) send(ctx context.Context, _ connector.Env, part connector.Part) (connector.Sent, error) {
	text := textOfPart(part)
	s.mu.Lock()
	hold, list := s.hold[text], s.plan[text]
	if len(list) > 0 {
		s.plan[text] = list[1:]
	}
	s.mu.Unlock()
	s.add(part)
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
		}
	}
	if len(list) > 0 && list[0] != nil {
		return connector.Sent{}, list[0]
	}
	return connector.Sent{ID: "id of " + text}, nil
}

func (s *splitting) texts() []string {
	var out []string
	for _, p := range s.all() {
		out = append(out, textOfPart(p))
	}
	return out
}

// inParts makes a world with that platform.
func inParts(t *testing.T, s *splitting, more connector.Traits) (*world, setup, chat.ChannelID) {
	more.TextLimit = 10
	set := setup{lease: shortLease, platforms: []connector.Platform{(&script{send: s.send}).platform("short", more)}}
	w := newWorld(t, set)
	return w, set, w.channel("short", map[string]any{"token": "SECRETshortTOKEN00001"})
}

const three = "part one.\npart two.\nthe third."

func TestPartsGoOutOnce(t *testing.T) {
	t.Parallel()
	s := newSplitting()
	s.plan["part two."] = []error{
		&connector.Error{Policy: connector.Retry, Code: "500"}, &connector.Error{Policy: connector.Throttled, Thread: true}, &connector.Error{Policy: connector.Retry, Code: "502"},
	}
	w, _, ch := inParts(t, s, connector.Traits{})
	w.run()
	w.clock.hurry(t)
	conv := w.meet(ch, "ann")
	seq := w.say(conv, three)
	w.awaitStatus(conv, seq, chat.Sent)
	if got, want := s.texts(), []string{"part one.", "part two.", "part two.", "part two.", "part two.", "the third."}; !slices.Equal(got, want) {
		t.Errorf("sent %q", got)
	}
	keys := map[string]string{}
	for _, p := range s.all() {
		if old := keys[textOfPart(p)]; old != "" && old != p.Key {
			t.Errorf("%s: the key changed", textOfPart(p))
		}
		keys[textOfPart(p)] = p.Key
	}
	if keys["part one."] == keys["part two."] {
		t.Error("two parts have one key")
	}
	r := w.receipts(conv, seq)
	if len(r) != 1 || r[0].Part != 3 || r[0].Parts != 3 || !slices.Equal(r[0].ExternalIDs, []string{"id of part one.", "id of part two.", "id of the third."}) {
		t.Errorf("receipts: %+v", r)
	}
}

func TestPartsAfterARestart(t *testing.T) {
	t.Parallel()
	s := newSplitting()
	s.plan["part two."] = []error{&connector.Error{Policy: connector.Throttled, Code: "429"}}
	w, set, ch := inParts(t, s, connector.Traits{})
	w.run()
	conv := w.meet(ch, "ann")
	seq := w.say(conv, three)
	w.await("the refusal", func() bool { return len(w.log.lines("out: not sent")) == 1 })
	w.close() // the job under way ends in peace
	next := w.again(set).run()
	next.clock.hurry(t)
	next.awaitStatus(conv, seq, chat.Sent)
	if got, want := s.texts(), []string{"part one.", "part two.", "part two.", "the third."}; !slices.Equal(got, want) {
		t.Errorf("sent %q", got)
	}
	if r := next.receipts(conv, seq); len(r) != 1 || len(r[0].ExternalIDs) != 3 {
		t.Errorf("receipts: %+v", r)
	}
}

func TestARefusedPartIsRepeatedAlone(t *testing.T) {
	t.Parallel()
	s := newSplitting()
	s.plan["part two."] = []error{&connector.Error{Policy: connector.Rejected, Code: "bad"}}
	w, set, ch := inParts(t, s, connector.Traits{})
	w.run()
	conv := w.meet(ch, "ann")
	seq := w.say(conv, three)
	w.awaitStatus(conv, seq, chat.Failed)
	if r := w.receipts(conv, seq); len(r) != 1 || r[0].Part != 1 || !slices.Equal(r[0].ExternalIDs, []string{"id of part one."}) {
		t.Errorf("receipts: %+v", r)
	}
	w.close()
	w = w.again(set).run()
	if _, err := w.store.Append(t.Context(), &store.Requeue{Workspace: w.workspace, ID: w.letters()[0].ID}); err != nil {
		t.Fatal(err)
	}
	w.awaitStatus(conv, seq, chat.Sent)
	if got, want := s.texts(), []string{"part one.", "part two.", "part two.", "the third."}; !slices.Equal(got, want) {
		t.Errorf("sent %q", got)
	}
}

// killed opens what a killed process leaves behind: the files as they are now. The first world goes on and is left alone.
func (w *world) killed(set setup) *world {
	w.t.Helper()
	set.dir, set.key, set.clock, set.workspace = w.t.TempDir(), w.key, w.clock, w.workspace
	read := func(name string) []byte {
		raw, err := os.ReadFile(filepath.Join(w.dir, name))
		if err != nil {
			w.t.Fatal(err)
		}
		return raw
	}
	db, wal := read("hub.db"), read("hub.db-wal")
	for again := read("hub.db"); !bytes.Equal(again, db); again = read("hub.db") { // a checkpoint came between the two
		db, wal = again, read("hub.db-wal")
	}
	for name, raw := range map[string][]byte{"hub.db": db, "hub.db-wal": wal} {
		if err := os.WriteFile(filepath.Join(set.dir, name), raw, 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	next := newWorld(w.t, set)
	next.secrets = w.secrets
	return next
}

func TestKilledWhileAPartWasOnItsWay(t *testing.T) {
	t.Parallel()
	for _, idempotent := range []bool{false, true} {
		t.Run(fmt.Sprintf("idempotent %v", idempotent), func(t *testing.T) {
			s := newSplitting()
			gate := make(chan struct{})
			s.hold["part two."] = gate
			w, set, ch := inParts(t, s, connector.Traits{Idempotent: idempotent})
			w.run()
			conv := w.meet(ch, "ann")
			seq := w.say(conv, three)
			behind := w.say(conv, "behind")
			for range 2 {
				hear(t, "a request", s.news)
			}
			next := w.killed(set)
			s.mu.Lock()
			delete(s.hold, "part two.")
			s.mu.Unlock()
			next.run()
			next.awaitStatus(conv, behind, chat.Sent)
			want, status := []string{"part one.", "part two.", "behind"}, chat.Unsure
			if idempotent {
				want, status = []string{"part one.", "part two.", "part two.", "the third.", "behind"}, chat.Sent
			}
			if got := s.texts(); !slices.Equal(got, want) {
				t.Errorf("sent %q, want %q", got, want)
			}
			if e := next.event(conv, seq); e.Status != status {
				t.Errorf("status %s, %+v", e.Status, e.Error)
			}
			list := s.all()
			if idempotent && list[1].Key != list[2].Key {
				t.Error("repeated with another key")
			}
			if letters := next.letters(); !idempotent && (len(letters) != 1 || letters[0].Failure.Code != "interrupted") {
				t.Errorf("dead letters: %+v", letters)
			}
			close(gate)
		})
	}
}

func TestInterruptedMessagesStayUnsureWhateverTheChannelDoes(t *testing.T) {
	t.Parallel()
	s := newSplitting()
	gate := make(chan struct{})
	s.hold["part two."] = gate
	w, set, ch := inParts(t, s, connector.Traits{})
	w.run()
	conv := w.meet(ch, "ann")
	seq := w.say(conv, "part two.")
	hear(t, "the request", s.news)
	next := w.killed(set)
	close(gate)
	off, on := "off", "active"
	if _, err := next.PatchChannel(t.Context(), next.workspace, ch, hub.ChannelPatch{Status: &off}); err != nil {
		t.Fatal(err)
	}
	next.run()
	next.await("the job to be put back", func() bool { return next.heldBack(ch) })
	if _, err := next.PatchChannel(t.Context(), next.workspace, ch, hub.ChannelPatch{Status: &on}); err != nil {
		t.Fatal(err)
	}
	next.clock.hurry(t)
	next.awaitStatus(conv, seq, chat.Unsure)
	if n := len(s.all()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestLongWaitsInAChannelThatIsOffCostNoAttempts(t *testing.T) {
	t.Parallel()
	s := newSplitting()
	s.plan["x"] = []error{&connector.Error{Policy: connector.Retry}}
	w, _, ch := inParts(t, s, connector.Traits{})
	off, on := "off", "active"
	conv := w.meet(ch, "ann")
	if _, err := w.PatchChannel(t.Context(), w.workspace, ch, hub.ChannelPatch{Status: &off}); err != nil {
		t.Fatal(err)
	}
	seq := w.say(conv, "x")
	w.run()
	w.clock.hurry(t)
	w.await("an hour to pass", func() bool { return strings.Count(w.log.text(), "the channel is off") > 60 })
	if n := len(s.all()); n != 0 {
		t.Errorf("%d requests from a channel that is off", n)
	}
	if _, err := w.PatchChannel(t.Context(), w.workspace, ch, hub.ChannelPatch{Status: &on}); err != nil {
		t.Fatal(err)
	}
	w.awaitStatus(conv, seq, chat.Sent)
}

// heldBack tells that a message was put back because its channel is off.
func (w *world) heldBack(ch chat.ChannelID) bool {
	for _, line := range w.log.lines("out: the channel is off") {
		if line["channel"] == string(ch) {
			return true
		}
	}
	return false
}
