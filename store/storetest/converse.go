package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// conversing are the promises about conversations and contacts.
func conversing() []examination {
	return []examination{
		{"conversations begin, go on and continue", false, conversations},
		{"groups and topics", false, groups},
		{"what is known of a person", false, person},
		{"blocked and back", false, blocked},
		{"a moved address", false, moved},
		{"a moved address with a past", false, movedToPast},
		{"edits, reactions and deletions", false, changesIn},
		{"an echo of our own message", false, echo},
		{"an echo before the report", false, fastEcho},
		{"titles of quick replies", false, quickReplies},
		{"replies are linked", false, replies},
		{"rules of posting", false, posting},
		{"rules of changing", false, changing},
		{"rules of moving", false, placing},
		{"one winner of fifty", false, oneWinner},
		{"once means once", false, once},
		{"attachments of messages", false, attachments},
	}
}

func conversations(t *testing.T, db Database) {
	s := newSite(t, db)
	res := s.receive(s.in("a", "  one"))
	conv := res.Events[0].Conversation
	equal(t, "events of a new conversation", kinds(res.Events), "message opened queued")
	c := s.look(conv)
	equal(t, "state without a flow", c.State, chat.StateQueued)
	equal(t, "unread", c.Unread, 1)
	equal(t, "preview", c.Preview, "  one")
	equal(t, "last_in", c.LastIn, res.Events[0].At)
	equal(t, "contact", c.Contact.Name, "Name of a")
	equal(t, "same conversation", s.receive(s.in("a", strings.Repeat("ü", 500))).Events[0].Conversation, conv)
	c = s.look(conv)
	equal(t, "unread", c.Unread, 2)
	equal(t, "length of the preview", len([]rune(c.Preview)), 160)
	s.do(&store.Change{Workspace: s.ws, Conversation: conv, Kind: chat.KindRead, Seq: 1})
	equal(t, "unread after reading", s.look(conv).Unread, 0)
	lastIn := s.look(conv).LastIn
	s.do(s.post(conv, "answer"))
	c = s.look(conv)
	equal(t, "preview of ours", c.Preview, "answer")
	equal(t, "last_in after ours", c.LastIn, lastIn)
	s.shut(conv)
	next := s.talk("a")
	if next == conv {
		t.Fatal("a closed conversation took a message")
	}
	equal(t, "previous", s.look(next).Previous, conv)
	equal(t, "contact of both", s.look(next).Contact, c.Contact)
	s.beginWithFlow(conv)
	audit(t, s.Store)
}

// beginWithFlow lets the channel have a flow: new conversations belong to the bot.
func (s *site) beginWithFlow(old chat.ConversationID) {
	s.t.Helper()
	_, err := s.PutFlow(s.t.Context(), s.ws, "greeter", json.RawMessage(`{}`))
	must(s.t, err)
	ch, err := s.Channel(s.t.Context(), s.ch)
	must(s.t, err)
	ch.Flow = "greeter"
	_, err = s.SetChannel(s.t.Context(), ch)
	must(s.t, err)
	in := s.in("new", "hi")
	in.Start = "campaign"
	res := s.receive(in)
	equal(s.t, "events with a flow", kinds(res.Events), "message opened")
	c := s.look(res.Events[0].Conversation)
	equal(s.t, "state", c.State, chat.StateBot)
	equal(s.t, "flow", c.Flow, "greeter")
	equal(s.t, "version", c.Version, 1)
	equal(s.t, "state of one that is closed", s.look(old).State, chat.StateClosed)
	var d chat.OpenedData
	must(s.t, json.Unmarshal(res.Events[1].Data, &d))
	equal(s.t, "start", d.Start, "campaign")
	equal(s.t, "contact of opened", d.Contact, c.Contact.ID)
}

func kinds(events []chat.Event) string {
	names := make([]string, len(events))
	for i, e := range events {
		names[i] = string(e.Kind)
	}
	return strings.Join(names, " ")
}

func groups(t *testing.T, db Database) {
	s := newSite(t, db)
	say := func(topic, from, title string) chat.Conversation {
		in := s.in(from, "hi")
		in.Thread = chat.Thread{Address: "-100", Topic: topic, Group: true, Title: title}
		return s.look(s.receive(in).Events[0].Conversation)
	}
	one, two := say("", "a", "Family"), say("", "b", "Family")
	equal(t, "conversation of two members", one.ID, two.ID)
	equal(t, "the contact is the group", two.Contact.Name, "Family")
	topic := say("7", "a", "Family")
	if topic.ID == one.ID {
		t.Fatal("a topic is a thread of its own")
	}
	equal(t, "contact of the topic", topic.Contact.ID, one.Contact.ID)
	equal(t, "renamed", say("", "c", "Clan").Contact.Name, "Clan")
	if direct := s.look(s.talk("a")); direct.Contact.ID == one.Contact.ID {
		t.Fatal("a member is not the group")
	}
	joined := s.about(chat.KindJoined, "a", "")
	joined.Thread, joined.People = one.Thread, []chat.Person{{Address: "d", Name: "D"}}
	equal(t, "where joining is told", s.receive(joined).Events[0].Conversation, one.ID)
	audit(t, s.Store)
}

func person(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	in := s.in("a", "again")
	in.Sender = chat.Person{Address: "a", Name: "New Name", Language: "pt-BR", Phone: "+1"}
	s.receive(in)
	id := s.look(conv).Contact.ID
	c, err := s.Contact(t.Context(), s.ws, id)
	must(t, err)
	equal(t, "name", c.Name, "New Name")
	equal(t, "language", c.Language, "pt-BR")
	s.receive(s.in("a", "with less"))
	hand := "By Hand"
	s.do(&store.PatchContact{Workspace: s.ws, Contact: id, Name: &hand})
	in = s.in("a", "third")
	in.Sender.Name = "Third Name"
	s.receive(in)
	s.do(&store.Record{Workspace: s.ws, Conversation: conv, Kind: chat.KindProfile, Profile: &chat.Profile{Person: chat.Person{Email: "a@example.com"}}})
	c, err = s.Contact(t.Context(), s.ws, id)
	must(t, err)
	equal(t, "a name given by hand", c.Name, "By Hand")
	equal(t, "a fact that was not repeated", c.Identities[0].Person.Phone, "+1")
	equal(t, "the platform's name", c.Identities[0].Person.Name, "Third Name")
	equal(t, "of the profile", c.Identities[0].Person.Email, "a@example.com")
	if c.Identities[0].ProfileAt.IsZero() {
		t.Fatal("nobody knows when the profile was read")
	}
}

func blocked(t *testing.T, db Database) {
	s := newSite(t, db)
	is := func(address string) bool {
		contacts, _, err := s.Contacts(t.Context(), s.ws, "", "", 100)
		must(t, err)
		for _, c := range contacts {
			full, err := s.Contact(t.Context(), s.ws, c.ID)
			must(t, err)
			if full.Identities[0].Address == address {
				return full.Identities[0].Blocked
			}
		}
		t.Fatalf("no contact at %s", address)
		return false
	}
	conv := s.talk("a")
	equal(t, "where it is told", s.receive(s.about(chat.KindBlocked, "a", "")).Events[0].Conversation, conv)
	equal(t, "blocked", is("a"), true)
	s.receive(s.about(chat.KindUnblocked, "a", ""))
	equal(t, "unblocked", is("a"), false)
	seq := s.do(s.post(conv, "x")).Events[0].Seq
	r := s.report(conv, seq, chat.Failed)
	r.Blocked = true
	s.do(r)
	equal(t, "learnt by sending", is("a"), true)
	equal(t, "somebody unknown", s.receive(s.about(chat.KindBlocked, "stranger", "")).Events[0].Conversation, "")
	equal(t, "blocked stranger", is("stranger"), true)
	audit(t, s.Store)
}

func moved(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("old")
	in := s.about(chat.KindMoved, "old", "")
	in.MovedTo = "new"
	s.receive(in)
	equal(t, "address now", s.look(conv).Thread.Address, "new")
	equal(t, "goes on", s.talk("new"), conv)
	seq := s.do(s.post(conv, "x")).Events[0].Seq
	r := s.report(conv, seq, chat.Sent, "e1")
	r.MovedTo = "newer"
	s.do(r)
	equal(t, "learnt by sending", s.talk("newer"), conv)
	s.shut(conv)
	equal(t, "same contact", s.look(s.talk("newer")).Contact.ID, s.look(conv).Contact.ID)
	audit(t, s.Store)
}

// movedToPast: at the new address a younger conversation is closed already; the older, open one must be found.
func movedToPast(t *testing.T, db Database) {
	s := newSite(t, db)
	open := s.talk("old")
	s.shut(s.talk("new"))
	in := s.about(chat.KindMoved, "old", "")
	in.MovedTo = "new"
	s.receive(in)
	equal(t, "where the next message goes", s.talk("new"), open)
	audit(t, s.Store)
}

func changesIn(t *testing.T, db Database) {
	s := newSite(t, db)
	first := s.in("a", "first")
	conv := s.receive(first).Events[0].Conversation
	for _, known := range []bool{true, false} {
		target, want := first.ID, int64(3)
		if !known {
			target, want = "never seen", 0
		}
		for _, kind := range []chat.Kind{chat.KindEdited, chat.KindDeleted, chat.KindReaction} {
			in := s.about(kind, "a", target)
			m := chat.TextMessage("edited")
			in.Message, in.Reaction = &m, &chat.ReactionData{Added: []string{"👍"}}
			e := s.receive(in).Events[0]
			var d chat.TargetData
			must(t, json.Unmarshal(e.Data, &d))
			equal(t, string(kind)+" where", e.Conversation, conv)
			equal(t, string(kind)+" target", d, chat.TargetData{Seq: want, ExternalID: target})
			if kind == chat.KindEdited && e.Message.Text() != "edited" {
				t.Fatal("the new content is missing")
			}
		}
	}
	s.shut(conv)
	second := s.talk("a")
	equal(t, "about a message of an earlier conversation", s.receive(s.about(chat.KindDeleted, "a", first.ID)).Events[0].Conversation, conv)
	equal(t, "about an unknown one", s.receive(s.about(chat.KindDeleted, "a", "what")).Events[0].Conversation, second)
	equal(t, "of a stranger", s.receive(s.about(chat.KindDeleted, "stranger", "what")).Events[0].Conversation, "")
	odd := s.about("something_new", "a", "")
	odd.Raw = json.RawMessage(`{"a":1}`)
	e := s.receive(odd).Events[0]
	equal(t, "kind", e.Kind, chat.KindUnsupported)
	var u chat.UnsupportedPayload
	must(t, json.Unmarshal(e.Data, &u))
	equal(t, "raw", string(u.Raw), `{"a":1}`)
	audit(t, s.Store)
}

func echo(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	s.sent(conv, "e1")
	in := s.in("a", "out e1")
	in.Echo, in.ID = true, "e1"
	before := s.head()
	equal(t, "echo of ours", s.receive(in).Duplicate, true)
	equal(t, "head", s.head(), before)

	// sent from the platform's own application; its receipt comes first
	r := s.about(chat.KindReceipt, "a", "e2")
	r.Status = chat.Delivered
	s.receive(r)
	in = s.in("a", "from elsewhere")
	in.Echo, in.ID, in.Sender = true, "e2", chat.Person{Address: "us", Name: "We"}
	unread := s.look(conv).Unread
	e := s.receive(in).Events[0]
	equal(t, "direction", e.Direction, chat.Out)
	equal(t, "sender", *e.Sender, chat.Party{Type: chat.PartyAgent, ID: "us", Name: "We"})
	equal(t, "status with the early receipt", s.event(conv, e.Seq).Status, chat.Delivered)
	equal(t, "unread", s.look(conv).Unread, unread)
	equal(t, "contact's name", s.look(conv).Contact.Name, "Name of a")
}

func fastEcho(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	seq := s.do(s.post(conv, "hello")).Events[0].Seq
	other := s.do(s.post(conv, "another")).Events[0].Seq
	in := s.in("a", "hello")
	in.Echo, in.ID = true, "e1"
	echo := s.receive(in).Events[0]
	equal(t, "the echo is kept", echo.Direction, chat.Out)
	s.receipt("e1", chat.Delivered)
	res := s.do(s.report(conv, seq, chat.Sent, "e1", "e2"))
	gone := res.Events[0]
	equal(t, "the echo is taken back by", gone.Kind, chat.KindDeleted)
	equal(t, "direction", gone.Direction, "")
	equal(t, "which", string(gone.Data), fmt.Sprintf(`{"seq":%d,"duplicate_of":%d}`, echo.Seq, seq))
	equal(t, "then comes the report", res.Events[len(res.Events)-1].Kind, chat.KindReceipt)
	ours := s.event(conv, seq)
	equal(t, "id", ours.ExternalID, "e1")
	equal(t, "status", ours.Status, chat.Delivered)
	equal(t, "id of the echo", s.event(conv, echo.Seq).ExternalID, "")
	s.receipt("e1", chat.Read)
	equal(t, "a later receipt", s.event(conv, seq).Status, chat.Read)
	before := s.head()
	in.Key = "once more"
	equal(t, "the echo again", s.receive(in).Duplicate, true)
	equal(t, "head", s.head(), before)

	// ids that are no echoes' keep their first meaning
	contact := s.in("a", "theirs")
	contact.ID = "e3"
	s.receive(contact)
	equal(t, "events of a report with a strange id", len(s.do(s.report(conv, other, chat.Sent, "e3", "e1")).Events), 1)
	equal(t, "ours", s.event(conv, seq).ExternalID, "e1")
	audit(t, s.Store)
}

func quickReplies(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	say := func(text string) *chat.Message {
		t.Helper()
		res, err := s.Append(t.Context(), &store.Receive{Channel: s.ch, In: s.in("a", text), Titles: true})
		must(t, err)
		got := s.event(conv, res.Events[0].Seq).Message
		equal(t, "what a reader sees", got.Text(), text)
		equal(t, "preview", s.look(conv).Preview, text)
		return got
	}
	offer := func(external string, titles map[string]string, status chat.Status) {
		t.Helper()
		r := s.report(conv, s.do(s.post(conv, "?")).Events[0].Seq, status, external)
		r.Titles = titles
		s.do(r)
	}
	equal(t, "nothing was offered", say("Yes").Payload(), "")
	offer("e1", map[string]string{"Yes": "y", "No": "n"}, chat.Sent)
	equal(t, "pressed", say("Yes").Payload(), "y")
	equal(t, "pressed again", say("No").Payload(), "n")
	equal(t, "in another case", say("yes").Payload(), "")
	equal(t, "something else", say("Yes, please").Payload(), "")
	res := s.receive(s.in("a", "Yes"))
	equal(t, "where payloads come back", s.event(conv, res.Events[0].Seq).Message.Payload(), "")
	equal(t, "of another's", s.receive(s.in("b", "Yes")).Events[0].Message.Payload(), "")
	s.sent(conv, "e2")
	equal(t, "asked something else since", say("Yes").Payload(), "")
	offer("e3", map[string]string{"Yes": "again"}, chat.Sent)
	equal(t, "offered anew", say("Yes").Payload(), "again")
	offer("e4", map[string]string{"Yes": "never"}, chat.Failed)
	equal(t, "not sent", say("Yes").Payload(), "")
	s.shut(conv)
	equal(t, "in a new conversation", s.receive(s.in("a", "Yes")).Events[0].Message.Payload(), "")
	audit(t, s.Store)
}

func replies(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	seq := s.sent(conv, "e1")
	in := s.in("a", "to that")
	in.Message.ReplyTo = &chat.Reply{ExternalID: "e1"}
	equal(t, "their reply", s.receive(in).Events[0].Message.ReplyTo.Seq, seq)
	in = s.in("a", "to what")
	in.Message.ReplyTo = &chat.Reply{ExternalID: "unknown"}
	equal(t, "reply to the unknown", s.receive(in).Events[0].Message.ReplyTo.Seq, 0)
	p := s.post(conv, "ours")
	p.Message.ReplyTo = &chat.Reply{Seq: seq}
	equal(t, "our reply", s.do(p).Events[0].Message.ReplyTo.ExternalID, "e1")
	p = s.post(conv, "ours")
	p.Message.ReplyTo = &chat.Reply{Seq: 9999}
	s.refuses(chat.CodeInvalid, p)
	s.shut(conv)
	in = s.in("a", "to the last conversation")
	in.Message.ReplyTo = &chat.Reply{ExternalID: "e1"}
	equal(t, "the sequence number of another conversation", s.receive(in).Events[0].Message.ReplyTo.Seq, 0)
}

func posting(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	e := s.do(s.post(conv, "x")).Events[0]
	equal(t, "status", e.Status, chat.Queued)
	equal(t, "direction", e.Direction, chat.Out)
	note := s.post(conv, "between us")
	note.Kind = chat.KindNote
	s.do(note)
	equal(t, "a note is no preview", s.look(conv).Preview, "x")
	s.refuses(chat.CodeNotFound, s.post("nobody", "x"))
	empty := s.post(conv, "")
	empty.Message.Stack = nil
	s.refuses(chat.CodeInvalid, empty)
	wrong := s.post(conv, "x")
	wrong.Kind = chat.KindClosed
	s.refuses(chat.CodeInvalid, wrong)
	s.refuses(chat.CodeInvalid, &store.Record{Workspace: s.ws, Conversation: conv, Kind: chat.KindClosed})
	w, err := s.AddWorkspace(t.Context(), "", "other")
	must(t, err)
	stray := s.post(conv, "x")
	stray.Workspace = w.ID
	s.refuses(chat.CodeNotFound, stray)
	s.shut(conv)
	s.refuses(chat.CodeClosed, s.post(conv, "x"))
	s.do(&store.Record{Workspace: s.ws, Conversation: conv, Kind: chat.KindFlowStep, Data: json.RawMessage(`{"late":true}`)})
	audit(t, s.Store)
}

func changing(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	change := func(kind chat.Kind, seq int64) *store.Change {
		m := chat.TextMessage("better")
		return &store.Change{Workspace: s.ws, Conversation: conv, Kind: kind, Seq: seq, Message: &m, Reaction: &chat.ReactionData{Added: []string{"x"}}}
	}
	waiting := s.do(s.post(conv, "not sent yet")).Events[0].Seq
	s.refuses(chat.CodeConflict, change(chat.KindEdited, waiting))
	s.refuses(chat.CodeInvalid, change(chat.KindEdited, 0))
	s.refuses(chat.CodeInvalid, change(chat.KindDeleted, 999))
	s.refuses(chat.CodeInvalid, change(chat.KindClosed, waiting))
	bare := change(chat.KindEdited, waiting)
	bare.Message = nil
	s.refuses(chat.CodeInvalid, bare)
	seq := s.sent(conv, "e1")
	for _, kind := range []chat.Kind{chat.KindEdited, chat.KindDeleted, chat.KindReaction} {
		var d chat.TargetData
		must(t, json.Unmarshal(s.do(change(kind, seq)).Events[0].Data, &d))
		equal(t, string(kind), d, chat.TargetData{Seq: seq, ExternalID: "e1"})
	}
}

func placing(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	s.refuses(chat.CodeConflict, s.place(conv, chat.PlaceData{State: chat.StateBot}, chat.StateAssigned, chat.StateBot))
	s.refuses(chat.CodeInvalid, s.place(conv, chat.PlaceData{State: "nowhere"}))
	s.refuses(chat.CodeInvalid, s.place(conv, chat.PlaceData{State: chat.StateAssigned}))
	s.refuses(chat.CodeNotFound, s.place("nobody", chat.PlaceData{State: chat.StateBot}))
	s.do(s.place(conv, chat.PlaceData{State: chat.StateAssigned, Assignee: "ann"}, chat.StateQueued))
	c := s.look(conv)
	equal(t, "assignee", c.Assignee, "ann")
	s.do(s.place(conv, chat.PlaceData{State: chat.StateQueued, Queue: "second"}))
	c = s.look(conv)
	equal(t, "queue", c.Queue, "second")
	equal(t, "assignee in a queue", c.Assignee, "")
	s.do(s.place(conv, chat.PlaceData{State: chat.StateBot, Flow: "f", Version: 2}))
	c = s.look(conv)
	equal(t, "flow", c.Flow, "f")
	equal(t, "version", c.Version, 2)
	s.shut(conv)
	c = s.look(conv)
	equal(t, "unread when closed", c.Unread, 0)
	if c.ClosedAt.IsZero() {
		t.Fatal("nobody knows when it was closed")
	}
	s.refuses(chat.CodeClosed, s.place(conv, chat.PlaceData{State: chat.StateBot}))
	audit(t, s.Store)
}

func oneWinner(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	nodes := []*store.Store{s.Store}
	if db.Nodes {
		nodes = append(nodes, s.open())
	}
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			to := chat.PlaceData{State: chat.StateAssigned, Assignee: chat.NewID()}
			_, err := nodes[i%len(nodes)].Append(t.Context(), s.place(conv, to, chat.StateQueued))
			switch {
			case err == nil:
				won.Add(1)
			case chat.CodeOf(err) != chat.CodeConflict:
				t.Errorf("loser: %v", err)
			}
		})
	}
	wg.Wait()
	equal(t, "winners", won.Load(), 1)
	audit(t, s.Store)
}

func once(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	p := s.post(conv, "first")
	p.Once = "name"
	first := s.do(p).Events[0]
	again := s.post(conv, "second")
	again.Once = "name"
	res := s.do(again)
	equal(t, "duplicate", res.Duplicate, true)
	equal(t, "position", res.Events[0].Pos, first.Pos)
	equal(t, "conversation", res.Events[0].Conversation, conv)
	equal(t, "text", res.Events[0].Message.Text(), "first")
	r := &store.Record{Workspace: s.ws, Conversation: conv, Kind: chat.KindFlowStep, Data: json.RawMessage(`1`), Once: "name"}
	equal(t, "another kind of name", s.do(r).Duplicate, false)
	equal(t, "the same again", s.do(r).Duplicate, true)
	s.shut(conv)
	equal(t, "after closing", s.do(again).Duplicate, true)
	s.reopen()
	equal(t, "after a restart", s.do(again).Duplicate, true)
}

func attachments(t *testing.T, db Database) {
	s := newSite(t, db)
	photo := func(kind chat.Kind, target string) chat.Event {
		in := s.in("a", "")
		in.Kind, in.Target = kind, target
		in.Message.Stack = []chat.Element{chat.NewElement(chat.Image, chat.Media{
			Caption: "look", MIME: "image/png", Source: &chat.Source{ID: "at-the-platform", URL: "https://secret.example/x"},
		})}
		return s.receive(in).Events[0]
	}
	e := photo(chat.KindMessage, "")
	for _, e := range []chat.Event{e, photo(chat.KindEdited, e.ExternalID)} {
		var m chat.Media
		must(t, e.Message.Stack[0].Into(&m))
		if m.Source != nil || m.File == "" {
			t.Fatalf("%s: the source is shown, or there is no file: %+v", e.Kind, m)
		}
		f, err := s.File(t.Context(), m.File)
		must(t, err)
		equal(t, "status", f.Status, store.FilePending)
		equal(t, "conversation", f.Conversation, e.Conversation)
		equal(t, "source", f.Source.ID, "at-the-platform")
	}
}
