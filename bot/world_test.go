package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/storetest"
	"github.com/dragoman-hub/dragoman/wake"
)

// world is a workspace with one channel and one contact on a real store, with the runner at work. On SQLite it lives in a bubble of
// testing/synctest: settled means that every goroutine waits, and time is not real.
//
// A script drives it line by line and is compared with the whole log; flow steps are left out:
//
//	> text           the contact writes
//	@ state [x]      an agent moves the conversation: queued QUEUE, assigned AGENT, bot FLOW@VERSION, bot, closed
//	* kind [x]       something that followed: opened, queued QUEUE: REASON, closed REASON
//	< text           an answer of the flow
//	! text           a note
//	? name           a call to a worker
//	= {...}          its result
type world struct {
	t    testing.TB
	opts store.Options
	call Caller
	step func(*store.Tx, chat.Event) error // instead of the runner's own
	hub  string                            // the runner's fallback
	name string                            // of the contact

	s      *store.Store
	r      *Runner
	ws     chat.WorkspaceID
	ch     chat.ChannelID
	to     string // address of the contact
	n      int
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// inWorld runs a test in a world on SQLite.
func inWorld(t *testing.T, flow string, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, storetest.SQLite(t), flow)
		w.start()
		test(w)
	})
}

// newWorld makes a workspace whose channel has the flow f and the queue "desk". Its runner does not run yet.
func newWorld(t testing.TB, dsn, flow string) *world {
	t.Helper()
	w := &world{t: t, to: "ann", name: "Ann", opts: store.Options{DSN: dsn, Routes: Routes(), Wake: wake.Local(), Log: slog.New(slog.DiscardHandler)}}
	w.prepare(flow)
	t.Cleanup(w.close)
	return w
}

// prepare opens the store and makes the workspace.
func (w *world) prepare(flow string) {
	w.t.Helper()
	w.open()
	ws, err := w.s.AddWorkspace(w.t.Context(), "", "w")
	w.must(err)
	w.ws = ws.ID
	if flow != "" {
		w.put(flow)
	}
	ch, err := w.s.AddChannel(w.t.Context(), store.Channel{Workspace: w.ws, Connector: "sim", Name: "c", Flow: "f", Queue: "desk"})
	w.must(err)
	w.ch = ch.ID
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) open() {
	w.t.Helper()
	var err error
	w.s, err = store.Open(w.t.Context(), w.opts)
	w.must(err)
}

// start lets the runner run, and calls too.
func (w *world) start() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	w.cancel = cancel
	w.r = &Runner{Store: w.s, Fallback: w.hub}
	step := w.r.step
	if w.step != nil {
		step = w.step
	}
	r, call := w.r, w.call
	w.wg.Go(func() { _ = r.Store.Follow(ctx, Name, step) })
	w.wg.Go(func() { _ = r.RunCalls(ctx, call) })
}

func (w *world) stop() {
	if w.cancel != nil {
		w.cancel()
		w.wg.Wait()
		w.cancel = nil
	}
}

func (w *world) close() {
	w.stop()
	if err := w.s.Close(); err != nil {
		w.t.Error(err)
	}
}

// reopen is a restart of the program.
func (w *world) reopen() {
	w.t.Helper()
	w.close()
	w.open()
	w.start()
}

// put stores a version of the flow f.
func (w *world) put(definition string) {
	w.t.Helper()
	_, err := w.s.PutFlow(w.t.Context(), w.ws, "f", json.RawMessage(definition))
	w.must(err)
}

// conv is the newest conversation.
func (w *world) conv() chat.Conversation {
	w.t.Helper()
	list, _, err := w.s.Conversations(w.t.Context(), w.ws, store.ConversationFilter{Limit: 100})
	w.must(err)
	if len(list) == 0 {
		w.t.Fatal("no conversation")
	}
	newest := list[0]
	for _, c := range list {
		if c.ID > newest.ID {
			newest = c
		}
	}
	return newest
}

// do lets something happen.
func (w *world) do(line string) {
	w.t.Helper()
	w.must(w.try(line))
}

// try is do for what may be refused.
func (w *world) try(line string) error {
	w.t.Helper()
	verb, rest, _ := strings.Cut(line, " ")
	w.n++
	action := chat.ActionID(fmt.Sprint("a", w.n))
	var cmd store.Command
	switch verb {
	case ">":
		m := chat.TextMessage(rest)
		cmd = &store.Receive{Channel: w.ch, Action: action, In: chat.Incoming{
			Key: fmt.Sprint(w.to, w.n), ID: fmt.Sprint(w.to, w.n), Kind: chat.KindMessage, Thread: chat.Thread{Address: w.to},
			Sender: chat.Person{Address: w.to, Name: w.name}, Message: &m,
		}}
	case "@":
		cmd = &store.Place{Workspace: w.ws, Conversation: w.conv().ID, To: placeData(rest), By: chat.Party{Type: chat.PartyAgent, ID: "bob"}, Action: action}
	case "=":
		cmd = &store.Record{
			Workspace: w.ws, Conversation: w.conv().ID, Kind: chat.KindCallResult, Sender: chat.Party{Type: chat.PartySystem},
			Data: json.RawMessage(rest), Action: action,
		}
	default:
		w.t.Fatalf("unknown line %q", line)
	}
	_, err := w.s.Append(w.t.Context(), cmd)
	return err
}

func placeData(text string) chat.PlaceData {
	state, arg, _ := strings.Cut(text, " ")
	to := chat.PlaceData{State: chat.State(state)}
	switch to.State {
	case chat.StateQueued:
		to.Queue = arg
	case chat.StateAssigned:
		to.Assignee = arg
	case chat.StateBot:
		name, version, _ := strings.Cut(arg, "@")
		to.Flow = name
		_, _ = fmt.Sscan(version, &to.Version)
	default:
	}
	return to
}

// talk drives the script, settling after each line that lets something happen, and compares.
func (w *world) talk(script string) {
	w.t.Helper()
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "> ") || strings.HasPrefix(line, "@ ") {
			w.do(line)
			synctest.Wait()
		}
	}
	w.is(script)
}

// is compares the log with a script.
func (w *world) is(script string) {
	w.t.Helper()
	var want []string
	for line := range strings.Lines(script) {
		if line = strings.TrimSpace(line); line != "" {
			want = append(want, line)
		}
	}
	var got []string
	for _, e := range w.events() {
		if line := lineOf(e); line != "" {
			got = append(got, line)
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		w.t.Fatalf("the log is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// events is the whole log.
func (w *world) events() []chat.Event {
	w.t.Helper()
	events, _, err := w.s.Log(w.t.Context(), w.ws, 0, 10000, store.LogFilter{})
	w.must(err)
	return events
}

// lineOf writes an event as a script has it; "" for a flow step.
func lineOf(e chat.Event) string {
	var d chat.PlaceData
	_ = json.Unmarshal(e.Data, &d)
	by := "* "
	if e.Sender != nil && e.Sender.Type == chat.PartyAgent {
		by = "@ "
	}
	switch e.Kind {
	case chat.KindMessage:
		return map[chat.Direction]string{chat.In: "> ", chat.Out: "< "}[e.Direction] + e.Message.Text()
	case chat.KindNote:
		return "! " + e.Message.Text()
	case chat.KindQueued:
		return strings.TrimRight(by+"queued "+d.Queue+": "+d.Reason, ": ")
	case chat.KindAssigned:
		return by + "assigned " + d.Assignee
	case chat.KindBot:
		if d.Flow == "" {
			return by + "bot"
		}
		return fmt.Sprintf("%sbot %s@%d", by, d.Flow, d.Version)
	case chat.KindCall:
		var c Call
		_ = json.Unmarshal(e.Data, &c)
		return "? " + c.Name
	case chat.KindCallResult:
		return "= " + string(e.Data)
	case chat.KindFlowStep:
		return ""
	default:
		return strings.TrimSpace(by + string(e.Kind) + " " + d.Reason)
	}
}

// replay runs the conversations of the workspace again, all or those of one contact.
func (w *world) replay(of chat.ContactID) (steps []Replayed) {
	w.t.Helper()
	list, _, err := w.s.Conversations(w.t.Context(), w.ws, store.ConversationFilter{Limit: 1000, Contact: of})
	w.must(err)
	for _, c := range list {
		again, err := Replay(w.eventsOf(c.ID), w.flow)
		w.must(err)
		steps = append(steps, again...)
	}
	return steps
}

func (w *world) eventsOf(id chat.ConversationID) []chat.Event {
	w.t.Helper()
	events, err := w.s.Events(w.t.Context(), w.ws, id, 0, 10000)
	w.must(err)
	return events
}

func (w *world) flow(name string, version int) (*Flow, error) {
	row, err := w.s.Flow(w.t.Context(), w.ws, name, version)
	if err != nil {
		return nil, err
	}
	return Parse(row.Definition)
}

// replays fails if a replay of any conversation differs from the log, or if there is nothing to replay.
func (w *world) replays() {
	w.t.Helper()
	steps := w.replay("")
	if len(steps) == 0 {
		w.t.Fatal("nothing to replay")
	}
	if different := difference(steps); different != "" {
		w.t.Fatal(different)
	}
}

// difference describes the first step that is not as it was; "" if there is none.
func difference(steps []Replayed) string {
	for _, s := range steps {
		if !s.Same {
			then, _ := json.Marshal(s.Then)
			now, _ := json.Marshal(s.Now)
			return fmt.Sprintf("event %d (%s), recorded %v:\nthen %s\nnow  %s", s.Event.Pos, s.Event.Kind, s.Recorded, then, now)
		}
	}
	return ""
}
