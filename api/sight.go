package api

import (
	"context"
	"encoding/json"
	"slices"
	"sync/atomic"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
)

// sight keeps from a stream what its reader does not see: conversations beyond the reach of the role. The events that take a
// conversation away from somebody are still shown, or the desk would not know.
type sight struct{ who atomic.Pointer[access.Who] }

func newSight(by access.Who) *sight {
	s := &sight{}
	s.look(by)
	return s
}

// look takes over what the reader may see by now.
func (s *sight) look(by access.Who) { s.who.Store(&by) }

// limited tells whether there is anything that the reader does not see.
func (s *sight) limited() bool { return sightOf(*s.who.Load()) != nil }

// shows tells whether a frame, whose stand is known, is for this reader.
func (s *sight) shows(fr *frame) bool {
	by := s.who.Load()
	switch {
	case sightOf(*by) == nil:
		return true
	case fr.conversation == "":
		return false
	case slices.Contains(fr.at.asked, by.User) && by.User != "":
		return true
	default:
		return access.Visible(*by, fr.at.now) || access.Visible(*by, fr.at.was) || access.Visible(*by, fr.at.later)
	}
}

// stand is where a conversation was before an event, where it is since, and where it is today if the event is an old one, and who is asked
// to take it. Who sees one of the places sees the event.
type stand struct {
	was, now, later access.Place
	asked           []string
}

// places finds out where conversations are. It belongs to one goroutine.
type places struct {
	a     *API
	ws    chat.WorkspaceID
	known map[chat.ConversationID]access.Place
}

// placesLimit bounds how many conversations are remembered.
const placesLimit = 50_000

// locate fills in where the conversations of frames are. Moves tell by themselves; of the others the database is asked, once, if that is
// wanted. Without events all frames are of what moves nothing.
func (p *places) locate(ctx context.Context, frames []*frame, events []chat.Event, wanted bool) error {
	if !wanted {
		p.known = nil // what is not kept up to date is worth nothing
		return nil
	}
	if p.known == nil || len(p.known) > placesLimit {
		p.known = map[chat.ConversationID]access.Place{}
	}
	if err := p.fetch(ctx, frames, events); err != nil {
		return err
	}
	for i, fr := range frames {
		if fr.conversation == "" {
			continue
		}
		now := p.known[fr.conversation]
		fr.at = stand{was: now, now: now}
		if events == nil {
			continue
		}
		fr.at.read(events[i])
		p.known[fr.conversation] = fr.at.now
	}
	return nil
}

// recall is locate for events of the past: where their conversations are today counts too.
func (p *places) recall(ctx context.Context, frames []*frame, events []chat.Event) error {
	if p.known == nil || len(p.known) > placesLimit {
		p.known = map[chat.ConversationID]access.Place{}
	}
	if err := p.fetch(ctx, frames, nil); err != nil {
		return err
	}
	for i, fr := range frames {
		fr.at = stand{later: p.known[fr.conversation]}
		fr.at.read(events[i])
	}
	return nil
}

// fetch asks for the conversations that are not known and whose next move, here, does not tell.
func (p *places) fetch(ctx context.Context, frames []*frame, events []chat.Event) error {
	var ask []chat.ConversationID
	for i, fr := range frames {
		if _, known := p.known[fr.conversation]; known || fr.conversation == "" {
			continue
		}
		if at, ok := ahead(fr.conversation, events[min(i, len(events)):]); ok {
			p.known[fr.conversation] = at
			continue
		}
		p.known[fr.conversation] = access.Place{}
		ask = append(ask, fr.conversation)
	}
	if len(ask) == 0 {
		return nil
	}
	found, err := p.a.Store.Places(ctx, p.ws, ask)
	for id, at := range found {
		p.known[id] = access.Place{Assignee: at.Assignee, Queue: at.Queue}
	}
	if err != nil {
		p.known = nil
	}
	return err
}

// ahead is where a conversation is before its next move; of one that opens, where it goes.
func ahead(id chat.ConversationID, events []chat.Event) (access.Place, bool) {
	opens := false
	for _, e := range events {
		if e.Conversation != id {
			continue
		}
		opens = opens || e.Kind == chat.KindOpened
		var d chat.PlaceData
		if !moves(e.Kind) || json.Unmarshal(e.Data, &d) != nil || d.State == "" {
			continue
		}
		switch {
		case opens:
			return access.Place{Assignee: d.Assignee, Queue: d.Queue}, true
		case d.From != nil:
			return access.Place{Assignee: d.From.Assignee, Queue: d.From.Queue}, true
		}
		return access.Place{}, false
	}
	return access.Place{}, false
}

// moves are the events after which a conversation is somewhere else.
func moves(k chat.Kind) bool {
	switch k {
	case chat.KindQueued, chat.KindAssigned, chat.KindBot, chat.KindClosed:
		return true
	default:
		return false
	}
}

// read takes over what an event tells of the conversation's place: the same as the store makes of it.
func (s *stand) read(e chat.Event) {
	if e.Kind == chat.KindOffered || e.Kind == chat.KindOfferExtended || e.Kind == chat.KindOfferEnded {
		var d chat.OfferData
		_ = json.Unmarshal(e.Data, &d) // erased: nobody is asked
		s.asked = d.Agents
	}
	var d chat.PlaceData
	if !moves(e.Kind) || json.Unmarshal(e.Data, &d) != nil {
		return
	}
	if d.From != nil {
		s.was = access.Place{Assignee: d.From.Assignee, Queue: d.From.Queue}
		s.now = s.was
	}
	switch e.Kind {
	case chat.KindBot:
		s.now = access.Place{Assignee: d.Assignee}
	case chat.KindQueued, chat.KindAssigned:
		s.now.Assignee = d.Assignee
		if d.Queue != "" {
			s.now.Queue = d.Queue
		}
	default: // a closed one keeps who had it last
	}
}
