package rpc

import (
	"errors"
	"reflect"
	"testing"

	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
)

// TestEarlyLines: a message that is being committed stands where it will stand, and is not kept; without those before it there is no frame.
func TestEarlyLines(t *testing.T) {
	s := &Server{}
	message := func(seq int64, text string) chat.Event {
		m := chat.TextMessage(text)
		return chat.Event{Kind: chat.KindMessage, Direction: chat.In, Seq: seq, Pos: 2 * seq, Message: &m}
	}
	tr := &transcript{number: 1, seq: 1}
	tr.add(message(2, "one"), s.transcripts.links("w"))
	fresh := message(3, "two")
	early := bot.Request{Call: bot.Call{ID: "c6.x"}, Fresh: &fresh}
	before, err := s.linesOf(tr, early)
	if err != nil || len(before) != 2 || len(tr.lines) != 1 || tr.seq != 2 {
		t.Fatal(before, err, tr.lines, tr.seq)
	}
	tr.add(fresh, s.transcripts.links("w"))
	for name, r := range map[string]bot.Request{"when it is stored": early, "later": {Call: bot.Call{ID: "c6"}}} {
		if after, err := s.linesOf(tr, r); err != nil || !reflect.DeepEqual(before, after) {
			t.Errorf("%s: %v, %v; before %v", name, after, err, before)
		}
	}
	next := message(5, "four")
	if _, err := s.linesOf(tr, bot.Request{Fresh: &next}); !errors.Is(err, bot.ErrTooEarly) {
		t.Error(err)
	}
	if _, err := s.linesOf(&transcript{}, bot.Request{Fresh: &chat.Event{Seq: 1}}); !errors.Is(err, bot.ErrTooEarly) {
		t.Error(err)
	}
}
