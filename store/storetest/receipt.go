package storetest

import (
	"encoding/json"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
)

// receipting are the promises about what becomes of messages that we sent.
func receipting() []examination {
	return []examination{
		{"a status goes forward only", false, forwardOnly},
		{"failed is final", false, failedIsFinal},
		{"a receipt before its message", false, earlyReceipt},
		{"watermarks", false, watermark},
		{"a quiet report", false, quietReport},
		{"many parts, many ids", false, manyParts},
		{"a receipt proves its part", false, partProven},
	}
}

func (s *site) receipt(target string, status chat.Status) chat.Event {
	s.t.Helper()
	in := s.about(chat.KindReceipt, "a", target)
	in.Status = status
	if status == chat.Failed {
		in.Failure = &chat.Failure{Class: "rejected", Code: "131"}
	}
	return s.receive(in).Events[0]
}

func forwardOnly(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	seq := s.sent(conv, "e1")
	for _, step := range []struct{ told, want chat.Status }{
		{chat.Delivered, chat.Delivered},
		{chat.Sent, chat.Delivered},
		{chat.Read, chat.Read},
		{chat.Delivered, chat.Read},
		{chat.Failed, chat.Read},
	} {
		e := s.receipt("e1", step.told)
		equal(t, "where the receipt is", e.Conversation, conv)
		var d chat.ReceiptData
		must(t, json.Unmarshal(e.Data, &d))
		equal(t, "message of the receipt", d.Seq, seq)
		equal(t, "status after "+string(step.told), s.event(conv, seq).Status, step.want)
	}
	s.shut(conv)
	second := s.sent(s.talk("a"), "e2")
	equal(t, "receipt for a closed conversation", s.receipt("e1", chat.Read).Conversation, conv)
	_ = second
}

func failedIsFinal(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	seq := s.sent(conv, "e1")
	s.receipt("e1", chat.Failed)
	e := s.event(conv, seq)
	equal(t, "status", e.Status, chat.Failed)
	equal(t, "why", e.Error.Code, "131")
	s.receipt("e1", chat.Sent)
	equal(t, "sent does not follow failed", s.event(conv, seq).Status, chat.Failed)
	s.receipt("e1", chat.Delivered) // of a part that did arrive
	equal(t, "failed is final", s.event(conv, seq).Status, chat.Failed)
}

func earlyReceipt(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	seq := s.do(s.post(conv, "x")).Events[0].Seq
	equal(t, "where an early receipt is", s.receipt("e1", chat.Read).Conversation, "")
	s.receipt("e1", chat.Delivered)
	s.do(s.report(conv, seq, chat.Sent, "e1"))
	e := s.event(conv, seq)
	equal(t, "status", e.Status, chat.Read)
	equal(t, "external id", e.ExternalID, "e1")
	audit(t, s.Store)
}

func watermark(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	one, two := s.sent(conv, "e1"), s.sent(conv, "e2")
	upTo := func(e chat.Event) {
		in := s.about(chat.KindReceipt, "a", "")
		in.Status, in.UpTo = chat.Read, e.At
		s.receive(in)
	}
	upTo(s.event(conv, one))
	equal(t, "before the mark", s.event(conv, one).Status, chat.Read)
	equal(t, "after the mark", s.event(conv, two).Status, chat.Sent)
	waiting := s.do(s.post(conv, "not sent")).Events[0]
	upTo(waiting)
	equal(t, "the second", s.event(conv, two).Status, chat.Read)
	equal(t, "what was not sent", s.event(conv, waiting.Seq).Status, chat.Queued)
	before := s.head()
	upTo(waiting)
	equal(t, "a mark that moves nothing", s.head(), before)
	audit(t, s.Store)
}

func quietReport(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	seq := s.do(s.post(conv, "x")).Events[0].Seq
	before := s.head()
	r := s.report(conv, seq, chat.Sending)
	r.Quiet = true
	s.do(r)
	equal(t, "status", s.event(conv, seq).Status, chat.Sending)
	equal(t, "head", s.head(), before)
	s.refuses(chat.CodeNotFound, s.report(conv, 999, chat.Sent))
}

func manyParts(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	seq := s.sent(conv, "p1")
	s.do(s.report(conv, seq, chat.Sent, "p2"))
	equal(t, "external id is the first part's", s.event(conv, seq).ExternalID, "p1")
	s.receipt("p2", chat.Delivered)
	equal(t, "a receipt for the second part", s.event(conv, seq).Status, chat.Delivered)
}

func partProven(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	seq := s.do(s.post(conv, "x")).Events[0].Seq
	s.receipt("p0", chat.Delivered) // earlier than what names it
	s.do(s.report(conv, seq, chat.Unsure, "p0", "p1"))
	equal(t, "after an early receipt", s.event(conv, seq).Status, chat.Unsure)
	e := s.receipt("p1", chat.Delivered)
	equal(t, "where the receipt is", e.Conversation, conv)
	equal(t, "one part delivered", s.event(conv, seq).Status, chat.Unsure)
	in := s.about(chat.KindReceipt, "a", "")
	in.Status, in.UpTo = chat.Read, e.At
	before := s.head()
	s.receive(in)
	equal(t, "a mark behind it", s.event(conv, seq).Status, chat.Unsure)
	equal(t, "which moves nothing", s.head(), before)
	s.do(s.report(conv, seq, chat.Sent, "p2")) // it was repeated, and now all parts are out
	s.receipt("p2", chat.Delivered)
	equal(t, "all parts known", s.event(conv, seq).Status, chat.Delivered)

	single := s.do(s.post(conv, "y")).Events[0].Seq
	s.do(s.report(conv, single, chat.Unsure))
	in.Key, in.UpTo = "mark 2", s.event(conv, single).At
	s.receive(in)
	equal(t, "a message of one part, read", s.event(conv, single).Status, chat.Read)
	lost := s.do(s.post(conv, "z")).Events[0].Seq
	s.do(s.report(conv, lost, chat.Unsure, "p3"))
	s.receipt("p3", chat.Failed)
	equal(t, "one part failed", s.event(conv, lost).Status, chat.Failed)
	audit(t, s.Store)
}
