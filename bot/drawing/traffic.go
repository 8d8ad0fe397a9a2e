package drawing

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Traffic counts what conversations did in one version of a flow. It is fed with the flow's steps, the newest first, so that a reader of
// the log can stop at any time.
type Traffic struct {
	flow    string
	version int
	since   time.Time // the bound that was asked for, if there was one
	all     bool      // nothing was left out

	steps  int // of this version
	others int // of other versions
	oldest time.Time

	entered map[string]int // by state
	nothing map[string]int // by state: no transition fired
	fired   map[int]int    // by transition
	jumped  map[way]int
	rescued map[string]int // by state that a fallback led to
	later   map[int64]step // by conversation: a step whose beginning is not known yet
}

type way struct{ from, to string }

// step is what of a bot.Record counts.
type step struct {
	Flow    string
	Version int
	Trace   struct {
		Kind      chat.Kind
		State     string
		Decisions []struct {
			From       string
			To         string
			Transition int
		}
		Entered []string
	}
}

// NewTraffic begins to count. Since is only told: whoever reads the log keeps to it.
func NewTraffic(flow string, version int, since time.Time) *Traffic {
	return &Traffic{
		flow: flow, version: version, since: since, entered: map[string]int{}, nothing: map[string]int{}, fired: map[int]int{},
		jumped: map[way]int{}, rescued: map[string]int{}, later: map[int64]step{},
	}
}

// Add counts a step: the data of a flow_step event, which stands in the log before all steps added until now. The number only tells
// conversations apart. Steps of other flows do not count.
func (t *Traffic) Add(conversation int64, at time.Time, record json.RawMessage) error {
	var s step
	if err := json.Unmarshal(record, &s); err != nil {
		return fmt.Errorf("drawing: no flow step: %w", err)
	}
	if s.Flow != t.flow {
		return nil
	}
	t.oldest = at
	if next, ok := t.later[conversation]; ok {
		t.walk(next, s.Trace.State)
		delete(t.later, conversation)
	}
	if s.Version != t.version {
		t.others++
		return nil
	}
	t.steps++
	t.later[conversation] = s
	return nil
}

// Steps is how many steps of the flow were counted, in all its versions.
func (t *Traffic) Steps() int { return t.steps + t.others }

// End counts what waits for an older step of its conversation. All tells that no step was left out.
func (t *Traffic) End(all bool) {
	t.all = all
	for _, s := range t.later {
		t.walk(s, "")
	}
	clear(t.later)
}

// walk goes from state to state as the step did. It was in the state at before, if that is not empty.
func (t *Traffic) walk(s step, at string) {
	decisions := s.Trace.Decisions
	fell := false // nothing fired: what comes now is the fallback's
	if s.Trace.Kind == chat.KindOpened || s.Trace.Kind == chat.KindBot {
		at = ""
	}
	idle := func() {
		for len(decisions) > 0 && decisions[0].Transition < 0 && (at == "" || at == decisions[0].From) {
			at, fell = decisions[0].From, true
			t.nothing[at]++
			decisions = decisions[1:]
		}
	}
	for _, name := range s.Trace.Entered {
		idle()
		t.entered[name]++
		switch {
		case len(decisions) > 0 && decisions[0].To == name && (at == "" || at == decisions[0].From):
			t.fired[decisions[0].Transition]++
			decisions = decisions[1:]
		case fell:
			t.rescued[name]++
		case at != "":
			t.jumped[way{at, name}]++
		}
		at, fell = name, false
	}
	at = ""
	idle()
}

// words say what was counted.
func (t *Traffic) words() string {
	if t.Steps() == 0 {
		if t.since.IsZero() {
			return "no traffic yet"
		}
		return "no traffic since " + clock(t.since)
	}
	steps := amount(t.steps, "step")
	if t.others > 0 {
		steps += fmt.Sprintf(" of this version (and %s of others)", thousands(t.others))
	}
	switch {
	case t.all && t.since.IsZero():
		return "all " + steps + ", since " + clock(t.oldest)
	case t.all:
		return steps + " since " + clock(t.since)
	default:
		return "the last " + steps + ", since " + clock(t.oldest)
	}
}

func clock(at time.Time) string { return at.UTC().Format("2006-01-02 15:04 UTC") }

// amount counts things in words.
func amount(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return thousands(n) + " " + thing
}

// thousands writes a number for people.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return thousands(n/1000) + fmt.Sprintf(",%03d", n%1000)
}
