package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// odd are the promises about what nobody expects.
func odd() []examination {
	return []examination{
		{"strange texts", false, strangeTexts},
		{"raw bytes are kept", false, rawKept},
		{"random histories are like the model", false, likeTheModel},
	}
}

func strangeTexts(t *testing.T, db Database) {
	feed := Strange(t, db)
	long := strings.Repeat("ä", 4000)
	for _, w := range []string{
		"", "plain", "\x00", "a\x00b", "\xff\xfe", "a\xc3", "\u2028", "😀👩‍👩‍👧", `"'\`, "%_\\", "$1 ?", "'; DROP TABLE events; --",
		"\ufffd", "\ud7ff", strings.Repeat("x", 501), strings.Repeat("x", 3000), long, "../../etc", "a/b", "erased/x", "null", "{", "\n\t\r",
	} {
		feed(t, w, w, w)
		if !raced {
			feed(t, "fine", w, "fine")
		}
	}
}

// Strange opens a database and gives a function that puts texts into every place that the outside can fill. What comes of it is
// stored or refused with a code that blames the input; it is never an error of the database.
func Strange(tb testing.TB, db Database) func(tb testing.TB, a, b, c string) {
	tb.Helper()
	s := newSite(tb, db)
	fixed := s.talk("fixed")
	return func(tb testing.TB, a, b, c string) {
		tb.Helper()
		s.t = tb
		s.feed(append(strangeIncoming(s, a, b, c), strangeOurs(s, fixed, a, b, c)...))
		strangeTables(tb, s, a, b, c)
		strangeReads(tb, s, a, b, c)
	}
}

// StrangeIncoming is Strange for what comes in from platforms only: light enough for a fuzz target, where SQLite is slow.
func StrangeIncoming(tb testing.TB, db Database) func(tb testing.TB, a, b, c string) {
	tb.Helper()
	s := newSite(tb, db)
	return func(tb testing.TB, a, b, c string) {
		tb.Helper()
		s.t = tb
		s.feed(strangeIncoming(s, a, b, c))
	}
}

// feed appends commands that may be refused, and reads again what was stored.
func (s *site) feed(cmds []store.Command) {
	s.t.Helper()
	results, errs := s.AppendAll(s.t.Context(), cmds)
	for i, res := range results {
		blames(s.t, fmt.Sprintf("%T", cmds[i]), errs[i])
		if len(res.Events) > 0 && res.Events[0].Conversation != "" {
			_, err := s.Events(s.t.Context(), s.ws, res.Events[0].Conversation, res.Events[0].Seq-1, 1)
			must(s.t, err)
		}
	}
}

// blames wants no error, or one that blames the input.
func blames(tb testing.TB, what string, err error) {
	tb.Helper()
	switch chat.CodeOf(err) {
	case chat.CodeInvalid, chat.CodeNotFound, chat.CodeConflict, chat.CodeClosed, chat.CodeForbidden, chat.CodeTooLarge:
	default:
		if err != nil {
			tb.Errorf("%s: %v", what, err)
		}
	}
}

func strangeIncoming(s *site, a, b, c string) []store.Command {
	message := chat.TextMessage(b)
	message.Stack = append(message.Stack,
		chat.NewElement(chat.Image, chat.Media{Name: a, MIME: b, Caption: c, Source: &chat.Source{ID: a, URL: b, SHA256: c}}),
		chat.Element{Type: chat.ElementType(c), Payload: json.RawMessage(`{"content":"` + c + `"}`)})
	message.ReplyTo = &chat.Reply{ExternalID: a, Quote: b}
	message.Meta = map[string]string{a: b}
	who := chat.Person{Address: a, Name: b, FirstName: c, LastName: a, Username: b, Language: c, Phone: a, Email: b}
	var list []store.Command
	for _, kind := range []chat.Kind{
		chat.KindMessage, chat.KindEdited, chat.KindDeleted, chat.KindReaction, chat.KindReceipt, chat.KindBlocked, chat.KindJoined, chat.KindMoved, chat.Kind(c),
	} {
		m := message
		list = append(list, &store.Receive{Channel: s.ch, Action: chat.ActionID(b), In: chat.Incoming{
			Key: fmt.Sprint(s.key.Add(1), " ", a), Kind: kind, Thread: chat.Thread{Address: a, Topic: c, Title: b, Group: len(b)%2 == 0}, Sender: who,
			At: time.Unix(int64(len(a)), 0), ID: c, Target: b, Message: &m, Reaction: &chat.ReactionData{Added: []string{a}},
			Status: chat.Status(c), Failure: &chat.Failure{Class: a, Code: b, Detail: c}, People: []chat.Person{who}, MovedTo: b, Start: c, Raw: json.RawMessage(c),
			Echo: len(c)%2 == 1,
		}})
	}
	plain := s.in(a, b)
	return append(list, &store.Receive{Channel: s.ch, In: plain}, &store.Receive{Channel: chat.ChannelID(a), In: plain})
}

func strangeOurs(s *site, fixed chat.ConversationID, a, b, c string) []store.Command {
	post := s.post(fixed, b)
	post.Once, post.Sender = a, chat.Party{Type: chat.PartyType(a), ID: b, Name: c}
	raw := s.post(fixed, "x")
	raw.Message.Stack = []chat.Element{{Type: chat.ElementType(a), Payload: json.RawMessage(b)}}
	seq := s.do(s.post(fixed, "x")).Events[0].Seq
	report := s.report(fixed, seq, chat.Status(a), b, c)
	report.MovedTo = a
	name := c
	return []store.Command{
		post, raw, report, s.post(chat.ConversationID(a), "x"),
		&store.Post{Workspace: chat.WorkspaceID(a), Conversation: fixed, Kind: chat.KindMessage, Message: chat.TextMessage("x")},
		&store.Change{Workspace: s.ws, Conversation: fixed, Kind: chat.KindReaction, Seq: seq, Reaction: &chat.ReactionData{Added: []string{a}}, Once: b},
		s.place(fixed, chat.PlaceData{State: chat.StateAssigned, Assignee: a, Queue: b, Reason: c}),
		s.place(fixed, chat.PlaceData{State: chat.StateBot, Flow: a, Reason: c}),
		&store.Record{Workspace: s.ws, Conversation: fixed, Kind: chat.Kind(a), Data: json.RawMessage(b), Once: c},
		&store.Record{Workspace: s.ws, Conversation: fixed, Kind: chat.KindProfile, Profile: &chat.Profile{Person: chat.Person{Name: a, Language: b}}},
		&store.Requeue{Workspace: s.ws, ID: a + "-1"},
		&store.Resend{Workspace: s.ws, ID: "out-" + a, Address: b},
		&store.DropQueue{Workspace: s.ws, Name: a},
		&store.Erase{Workspace: s.ws, Contact: chat.ContactID(a)},
		&store.PatchContact{Workspace: s.ws, Contact: s.look(fixed).Contact.ID, Name: &name, Properties: map[string]json.RawMessage{a: json.RawMessage(b)}},
	}
}

func strangeTables(tb testing.TB, s *site, a, b, c string) {
	tb.Helper()
	ctx := tb.Context()
	_, err := s.AddChannel(ctx, store.Channel{Workspace: s.ws, Connector: a, Name: b, Settings: c, Flow: a, Queue: b})
	blames(tb, "AddChannel", err)
	_, err = s.AddToken(ctx, store.Token{Workspace: s.ws, Name: a, Hash: b, Scopes: []string{c}})
	blames(tb, "AddToken", err)
	_, err = s.PutFlow(ctx, s.ws, a, json.RawMessage(b))
	blames(tb, "PutFlow", err)
	blames(tb, "DropFlow", s.DropFlow(ctx, s.ws, b))
	blames(tb, "DropAgentState", s.DropAgentState(ctx, s.ws, c))
	blames(tb, "SetNote", s.SetNote(ctx, s.ch, a, b))
	blames(tb, "KeepAnswer", s.KeepAnswer(ctx, s.ws, a, store.Answer{Request: b, Body: c}))
	blames(tb, "KeepPayload", s.KeepPayload(ctx, s.ws, a, b))
	blames(tb, "MarkChannel", s.MarkChannel(ctx, s.ch, store.ChannelError, c))
	blames(tb, "SetFile", s.SetFile(ctx, store.File{ID: chat.FileID(a), Name: b, Detail: c}))
}

func strangeReads(tb testing.TB, s *site, a, b, c string) {
	tb.Helper()
	ctx := tb.Context()
	_, _, err := s.Conversations(ctx, s.ws, store.ConversationFilter{Text: a, Queue: b, Assignee: c, State: chat.State(a), Limit: 3})
	blames(tb, "Conversations", err)
	_, _, err = s.Conversations(ctx, s.ws, store.ConversationFilter{Before: a})
	blames(tb, "Conversations before", err)
	_, _, err = s.Contacts(ctx, s.ws, a, b, 3)
	blames(tb, "Contacts", err)
	_, _, err = s.DeadLetters(ctx, s.ws, a, 3)
	blames(tb, "DeadLetters", err)
	_, _, err = s.FindDeadLetters(ctx, s.ws, store.LetterFilter{Work: a, Kind: chat.Kind(b), Channel: chat.ChannelID(c), Class: a, Text: b, Limit: 3})
	blames(tb, "FindDeadLetters", err)
	_, err = s.DeadLetter(ctx, s.ws, a+"-1")
	blames(tb, "DeadLetter", err)
	_, err = s.HasQueue(ctx, s.ws, a)
	blames(tb, "HasQueue", err)
	_, err = s.Conversation(ctx, chat.WorkspaceID(a), chat.ConversationID(b))
	blames(tb, "Conversation", err)
	_, _, err = s.Log(ctx, s.ws, 0, 3, store.LogFilter{Kinds: []chat.Kind{chat.Kind(a), chat.Kind(b)}})
	blames(tb, "Log", err)
	_, err = s.TokenByHash(ctx, a)
	blames(tb, "TokenByHash", err)
	_, err = s.Flow(ctx, s.ws, a, len(b))
	blames(tb, "Flow", err)
	_, err = s.OpenConversation(ctx, s.ch, chat.Thread{Address: a, Topic: b})
	blames(tb, "OpenConversation", err)
}

// rawKept: what the hub cannot read is kept as it came, even if it is no JSON.
func rawKept(t *testing.T, db Database) {
	s := newSite(t, db)
	s.talk("a")
	for raw, want := range map[string]string{`{"a":[1]}`: `{"a":[1]}`, "<xml/>": `"\u003cxml/\u003e"`, "": ""} {
		in := s.about("strange", "a", "")
		in.Raw = json.RawMessage(raw)
		e := s.receive(in).Events[0]
		var u chat.UnsupportedPayload
		must(t, json.Unmarshal(s.event(e.Conversation, e.Seq).Data, &u))
		equal(t, "raw of "+raw, string(u.Raw), want)
		equal(t, "what", u.What, "strange")
	}
}
