package hub

import (
	"slices"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/store"
)

// noteNothing is in the receipt of a message that no request was made for.
const noteNothing = "nothing to show"

// silent tells a message that has nothing for people, on a platform that cannot carry any of it either.
func (s *sending) silent() bool {
	stack, traits := s.j.Event.Message.Stack, s.traits()
	return len(stack) > 0 && !slices.ContainsFunc(stack, func(e chat.Element) bool {
		return !e.Type.Silent() || traits.Carries(e.Type)
	})
}

// nothing ends the job of a silent message well: there was nothing to deliver, and the receipt says so.
func (s *sending) nothing() store.Verdict {
	var notes []string
	for _, e := range s.j.Event.Message.Stack {
		if note := string(e.Type) + " dropped"; !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
	}
	s.h.Meter.Message(s.l.channel.ID, chat.Out, chat.KindMessage, string(chat.Delivered))
	return store.Done(s.report(chat.ReceiptData{Status: chat.Delivered, Fitted: append(notes, noteNothing)}))
}

// traits are the platform's, for this thread.
func (s *sending) traits() connector.Traits {
	t := s.l.traits
	t.Others = t.Others && !slices.ContainsFunc(t.NoOthers, func(prefix string) bool { return strings.HasPrefix(s.conv.Thread.Address, prefix) })
	return t
}
