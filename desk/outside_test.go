package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/outbound"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
)

// service is a rule outside of the hub.
type service struct {
	*httptest.Server
	mu     sync.Mutex
	answer string // "" hangs until the one who asks has gone
	status int
	asked  []Question
	signed []string
}

func newService(t testing.TB) *service {
	s := &service{status: http.StatusOK}
	s.Server = httptest.NewServer(http.HandlerFunc(s.handle))
	t.Cleanup(s.Close)
	return s
}

func (s *service) handle(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var q Question
	if err != nil || json.Unmarshal(body, &q) != nil {
		rw.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.asked = append(s.asked, q)
	at, _ := time.Parse(time.RFC3339, "1970-01-01T00:00:00Z")
	var seconds int64
	_, _ = fmt.Sscan(r.Header.Get("Webhook-Timestamp"), &seconds)
	want := http.Header{}
	outbound.SignHook(want, []byte("our secret"), r.Header.Get("Webhook-Id"), at.Add(time.Duration(seconds)*time.Second), body)
	s.signed = append(s.signed, fmt.Sprint(want.Get("Webhook-Signature") == r.Header.Get("Webhook-Signature"), q.ID == r.Header.Get("Webhook-Id")))
	answer, status := s.answer, s.status
	s.mu.Unlock()
	if answer == "" {
		<-r.Context().Done()
		return
	}
	rw.WriteHeader(status)
	_, _ = io.WriteString(rw, answer)
}

func (s *service) says(status int, answer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.answer = status, answer
}

// withService lets the router reach the service.
func (w *world) withService(s *service) *secret.Keyring {
	w.Helper()
	keys, err := secret.NewKeyring([]byte("0123456789abcdef0123456789abcdef"))
	w.must(err)
	w.stop()
	w.setUp = func(r *Router) {
		r.HTTP, r.Secrets = outbound.Client(outbound.Options{AllowPrivate: true}), keys
	}
	w.start()
	w.Cleanup(w.stop)          // before the service ends, which waits for who asks
	w.outside(s, keys, 25_000) // more than a busy machine needs
	return keys
}

func (w *world) outside(s *service, keys *secret.Keyring, timeout int) {
	w.Helper()
	text := "our secret"
	w.must(PutQueue(context.Background(), w.Store, keys, QueueChange{
		Workspace: w.ws, Queue: store.Queue{Name: "support", Rule: string(Outside), Members: []string{"ann", "bob"}},
		Settings: Settings{URL: s.URL + "/rule?key=hidden", TimeoutMS: timeout}, Secret: &text, By: chat.Party{Type: chat.PartySystem},
	}))
}

// lastOffer is why a conversation was offered last.
func (w *world) lastOffer(conv chat.ConversationID) (d Decision) {
	w.Helper()
	events, err := w.EventsOfKinds(context.Background(), w.ws, conv, chat.KindOffered)
	w.must(err)
	if len(events) == 0 {
		w.Fatal("it was not offered")
	}
	var o chat.OfferData
	w.must(json.Unmarshal(events[len(events)-1].Data, &o))
	w.must(json.Unmarshal(o.Decision, &d))
	return d
}

// TestOutside: the service is asked, signed, with the candidates; whom it names has the conversation, with its reason; the secret stands in
// no event.
func TestOutside(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		s := newService(w.TB)
		s.says(200, `{"agent":"bob","reason":"knows the customer"}`)
		w.agent("ann", 5)
		w.agent("bob", 5)
		w.withService(s)
		conv := w.customer("one")
		w.isOffered(conv, "bob")
		if d := w.lastOffer(conv); d.Rule != Outside || d.Reason != Picked || d.Detail != "knows the customer" || len(d.Candidates) != 2 {
			w.Errorf("%+v", d)
		}
		s.mu.Lock()
		q := s.asked[0]
		if s.signed[0] != "true true" || q.Queue != "support" || q.Conversation.ID != conv || len(q.Candidates) != 2 || q.Contact.ID == "" {
			w.Errorf("asked %+v, signed %s", q, s.signed[0])
		}
		s.mu.Unlock()
		log, _, err := w.Store.Log(context.Background(), w.ws, 0, 1000, store.LogFilter{})
		w.must(err)
		if raw, _ := json.Marshal(log); strings.Contains(string(raw), "our secret") {
			w.Error("the secret stands in the log")
		}
	})
}

// TestOutsideFails: whatever goes wrong outside, the least busy is asked and the decision says why.
func TestOutsideFails(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		s := newService(w.TB)
		w.agent("ann", 50)
		w.do(&store.PutAgent{Workspace: w.ws, Agent: store.Agent{ID: "bob", Capacity: 50}})
		keys := w.withService(s)
		n := 0
		for _, c := range []struct {
			status       int
			answer, want string
		}{
			{500, "{}", "status 500"},
			{302, "{}", "status 302"},
			{200, "nonsense", "cannot be read"},
			{200, "{}", "without naming"},
			{200, `{"agent":7}`, "no agent"},
			{200, `{"agent":""}`, "no agent"},
			{200, `{"agent":"bob"}`, "not among the candidates"}, // away
			{200, `{"agent":"` + strings.Repeat("x", maxAnswer) + `"}`, "more than"},
		} {
			s.says(c.status, c.answer)
			n++
			conv := w.customer(fmt.Sprint("c", n))
			w.isOffered(conv, "ann")
			if d := w.lastOffer(conv); d.Reason != FellBack || !strings.Contains(d.Detail, c.want) {
				w.Errorf("%s: %+v", c.answer[:min(len(c.answer), 30)], d)
			}
		}
		s.says(200, "")
		w.outside(s, keys, 100)
		conv := w.customer("late")
		w.isOffered(conv, "ann")
		if d := w.lastOffer(conv); d.Reason != FellBack || !strings.Contains(d.Detail, "in time") {
			w.Errorf("%+v", d)
		}
		s.Close()
		conv = w.customer("gone")
		w.isOffered(conv, "ann")
		if d := w.lastOffer(conv); d.Reason != FellBack || strings.Contains(d.Detail, "hidden") {
			w.Errorf("%+v", d)
		}
	})
}

// TestOutsideSaysNobody: nobody is asked then, until somebody's situation changes; the service is asked again after a restart that came in
// between.
func TestOutsideSaysNobody(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		s := newService(w.TB)
		s.says(200, `{"agent":null,"reason":"too late today"}`)
		w.agent("ann", 5)
		w.do(&store.PutAgent{Workspace: w.ws, Agent: store.Agent{ID: "bob", Capacity: 5}})
		w.withService(s)
		conv := w.customer("one")
		w.until(func() (bool, string) {
			events, err := w.EventsOfKinds(context.Background(), w.ws, conv, chat.KindRouteAnswer)
			return err == nil && len(events) == 1, "no answer"
		})
		w.settled()
		w.isOffered(conv)
		s.says(200, `{"agent":"bob"}`)
		w.state("bob", store.AgentActive)
		w.isOffered(conv, "bob")
		s.says(200, "") // hangs
		w.do(&store.EndOffer{Workspace: w.ws, Conversation: conv, Agent: "bob"})
		w.until(func() (bool, string) {
			row, err := w.WaitingOf(context.Background(), w.ws, conv)
			return err == nil && row.Asked != 0, "it is not asked about"
		})
		w.crash()
		s.says(200, `{"agent":"ann"}`)
		w.isOffered(conv, "ann")
	})
}

// TestOutsideMeanwhile: what the service said counts only if it is still possible.
func TestOutsideMeanwhile(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		s := newService(w.TB)
		w.agent("ann", 5)
		w.agent("bob", 5)
		w.withService(s)
		asked := func(conv chat.ConversationID) (pos int64) {
			w.until(func() (bool, string) {
				row, err := w.WaitingOf(context.Background(), w.ws, conv)
				pos = row.Asked
				return err == nil && pos != 0, "it is not asked about"
			})
			return pos
		}
		answer := func(conv chat.ConversationID, a chat.RouteAnswerData) {
			raw, err := json.Marshal(a)
			w.must(err)
			w.do(&store.Record{Workspace: w.ws, Conversation: conv, Kind: chat.KindRouteAnswer, Sender: chat.Party{Type: chat.PartySystem}, Data: raw, Once: fmt.Sprint("route/", a.Ask)})
		}
		first := w.customer("one")
		pos := asked(first)
		answer(first, chat.RouteAnswerData{Ask: pos + 1000, Agent: "ann"}) // not to this question
		w.state("bob", store.AgentInactive)
		answer(first, chat.RouteAnswerData{Ask: pos, Agent: "bob"})
		w.isOffered(first, "ann")
		if d := w.lastOffer(first); d.Reason != FellBack || !strings.Contains(d.Detail, "bob is unavailable") {
			w.Errorf("%+v", d)
		}
		second := w.customer("two")
		asked(second)
		w.queue(LeastBusy, Settings{}, "ann", "bob") // another rule counts at once
		w.isOffered(second, "ann")
	})
}

// FuzzAnswer: whatever a service says, it names a candidate, or nobody, or nothing that counts.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{`{"agent":"ann"}`, `{"agent":null}`, `{"reason":"x"}`, `[]`, `{"agent":{"id":"ann"}}`, `{"AGENT":"ann"}`, "\xff"} {
		f.Add([]byte(seed))
	}
	candidates := []QuestionAgent{{ID: "ann"}, {ID: "bob"}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := readAnswer(raw, candidates)
		if err == nil && a.Agent != "" && a.Agent != "ann" && a.Agent != "bob" || len(a.Reason) > maxReason {
			t.Errorf("%q: %+v", raw, a)
		}
	})
}
