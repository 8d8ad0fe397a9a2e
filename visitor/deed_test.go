package visitor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/visitor"
)

func patch(status *string, settings string) hub.ChannelPatch {
	p := hub.ChannelPatch{Status: status}
	if settings != "" {
		p.Settings = []byte(settings)
	}
	return p
}

// A file goes up, is named in a message, comes back by a link, and is nobody else's.
func TestFiles(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, "", `{}`, nil)
		k := w.tab()
		var up struct {
			File, URL, Name, MIME string
			Size                  int64
		}
		k.call("POST", "/files?name="+url.QueryEscape("../a/b\x00.png"), []byte("picture"), "Content-Type", "image/png").into(t, 201, &up)
		if up.Name != "b.png" || up.MIME != "image/png" || up.Size != 7 {
			t.Errorf("uploaded %+v", up)
		}
		other := w.tab()
		other.call("POST", "/messages", m{"id": newID(), "files": []string{up.File}}).refused(t, 422, "invalid")
		k.call("POST", "/messages", m{"id": newID(), "text": "look", "files": []string{up.File}}).into(t, 201, nil)
		got := k.sees("me: look|b.png").Messages[0]
		if p := got.Parts[1]; p.Type != "image" || !strings.HasPrefix(p.URL, "/files/") || p.Size != 7 {
			t.Errorf("shown %+v", p)
		}
		u, err := url.Parse(got.Parts[1].URL)
		w.must(err)
		id := chat.FileID(strings.TrimPrefix(u.Path, "/files/"))
		if ws, err := w.hub.VerifyFileLink(id, u.Query()); err != nil || ws != w.ws {
			t.Errorf("the link: %v", err)
		}
		f, err := w.store.File(t.Context(), id)
		if err != nil || f.Conversation != w.only().ID {
			t.Errorf("file %+v, %v", f, err)
		}
		k.call("DELETE", "/me", nil).into(t, 204, nil) // and goes with the visitor's data
		if _, err := w.store.File(t.Context(), id); chat.CodeOf(err) != chat.CodeNotFound {
			t.Errorf("after the erasure: %v", err)
		}
		if _, _, err := w.blobs.Open(t.Context(), string(id), 0, -1); err == nil {
			t.Error("the bytes are still there")
		}
	})
}

// An upload that no message named goes with its bytes when none can any more; one that was sent stays.
func TestUnsentUploads(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		var ahead atomic.Int64
		w := newWorld(t, dsn, "", `{}`, func(o *visitor.Options) {
			o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		})
		k := w.tab()
		upload := func() (ticket string, id chat.FileID) {
			var up struct{ File, URL string }
			k.call("POST", "/files?name=a.txt", []byte("words"), "Content-Type", "text/plain").into(t, 201, &up)
			u, err := url.Parse(up.URL)
			w.must(err)
			return up.File, chat.FileID(strings.TrimPrefix(u.Path, "/files/"))
		}
		ticket, sent := upload()
		k.call("POST", "/messages", m{"id": newID(), "files": []string{ticket}}).into(t, 201, nil)
		_, left := upload()
		there := func(id chat.FileID) bool {
			_, err := w.store.File(t.Context(), id)
			body, _, bytes := w.blobs.Open(t.Context(), string(id), 0, -1)
			if bytes == nil {
				w.must(body.Close())
			}
			if (err == nil) != (bytes == nil) {
				t.Errorf("file %s: row %v, bytes %v", id, err, bytes)
			}
			return err == nil
		}
		for _, age := range []time.Duration{0, 47 * time.Hour, 49 * time.Hour} {
			ahead.Store(int64(age))
			w.must(w.server.Clear(t.Context()))
			if !there(sent) || there(left) != (age < 48*time.Hour) {
				t.Errorf("after %s: sent %v, unsent %v", age, there(sent), there(left))
			}
		}
	})
}

// New visitors cost nothing, so what one address uploads is bounded in bytes, too.
func TestUploadTraffic(t *testing.T) {
	w := newWorld(t, lite(t), "", `{"max_file_bytes":2097152}`, func(o *visitor.Options) { o.Limits.Traffic = 16 }) // 4 MiB at once
	w.tab().call("POST", "/files?name=a", bytes.Repeat([]byte("x"), 2<<20)).into(t, 201, nil)
	w.tab().call("POST", "/files?name=b", []byte("x")).into(t, 201, nil)
	w.tab().call("POST", "/files?name=c", []byte("x")).refused(t, 429, "throttled")
}

func TestUploadsOff(t *testing.T) {
	w := newWorld(t, lite(t), "", `{"uploads":false}`, nil)
	w.tab().call("POST", "/files?name=a", []byte("x")).refused(t, 403, "forbidden")
	if body := w.call("GET", "/config", nil).body; strings.Contains(string(body), `"files"`) {
		t.Errorf("config %s", body)
	}
}

// After the erasure nothing is left, the stream says so, and the visitor can begin anew.
func TestForget(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, "", `{}`, nil)
		k, other := w.tab(), w.tab()
		k.call("DELETE", "/me", nil).into(t, 204, nil) // nothing is known: nothing to do
		k.say("secret words")
		other.say("of another")
		s := k.stream(k.snapshot("").Pos)
		k.call("DELETE", "/me", nil).into(t, 204, nil)
		s.until("reset", func(string) bool { return true })
		if got := k.snapshot(""); len(got.Messages) != 0 || got.State.Place != "none" {
			t.Errorf("left: %+v", got)
		}
		other.sees("me: of another")
		k.say("anew")
		k.sees("me: anew")
	})
}

// A conversation is rated once, by its visitor, when somebody has answered.
func TestRating(t *testing.T) {
	w := newWorld(t, lite(t), "", `{}`, nil)
	k := w.tab()
	k.say("hi")
	conv := w.only()
	k.call("POST", "/rating", m{"value": 5}).refused(t, 409, "conflict")
	w.place(conv.ID, chat.PlaceData{State: chat.StateClosed})
	if got := k.snapshot(""); !got.State.Rates || got.State.Rated {
		t.Errorf("state %+v", got.State)
	}
	for _, bad := range []int{0, 6, -1} {
		k.call("POST", "/rating", m{"value": bad}).refused(t, 422, "invalid")
	}
	k.call("POST", "/rating", m{"value": 5, "comment": "fine"}).into(t, 204, nil)
	k.call("POST", "/rating", m{"value": 5, "comment": "fine"}).into(t, 204, nil) // the answer got lost
	k.call("POST", "/rating", m{"value": 1}).refused(t, 409, "conflict")
	if got := k.snapshot(""); got.State.Rates || !got.State.Rated {
		t.Errorf("state %+v", got.State)
	}
	events, err := w.store.EventsOfKinds(t.Context(), w.ws, conv.ID, visitor.KindRated)
	w.must(err)
	if len(events) != 1 || string(events[0].Data) != `{"value":5,"comment":"fine"}` {
		t.Errorf("%+v", events)
	}
}

func TestTranscript(t *testing.T) {
	w := newWorld(t, lite(t), parcel, `{"title":"The shop"}`, nil)
	k := w.tab()
	k.say("hi")
	k.sees("me: hi", "bot: Hello!")
	r := k.call("GET", "/transcript?lang=de", nil)
	text := string(r.body)
	if r.header.Get("Content-Type") != "text/plain; charset=utf-8" || !strings.Contains(r.header.Get("Content-Disposition"), "chat.txt") {
		t.Errorf("headers %v", r.header)
	}
	for _, want := range []string{"The shop\n", "Sie:\n  hi\n", "Assistent:\n  Hello!\n  [Parcel]\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
}

// The flow speaks first where the channel says so; opening again opens nothing.
func TestSpeaksFirst(t *testing.T) {
	w := newWorld(t, lite(t), parcel, `{"speaks_first":true}`, nil)
	k := w.tab()
	s := k.stream(k.snapshot("").Pos)
	for range 3 {
		k.call("POST", "/conversations", m{"id": newID()}).into(t, 204, nil)
	}
	s.says("Hello!")
	k.sees("bot: Hello!")
	w.only()
}

// Who waits learns where they stand, at once and as it changes.
func TestQueuePosition(t *testing.T) {
	place := make(chan visitor.Place, 1)
	place <- visitor.Place{Position: 3, Estimate: 110 * time.Second}
	w := newWorld(t, lite(t), "", `{}`, func(o *visitor.Options) {
		o.Limits.Heartbeat = 20 * time.Millisecond
		o.Waiting = func(context.Context, chat.WorkspaceID, chat.Conversation) (visitor.Place, error) {
			p := <-place
			place <- p
			return p, nil
		}
	})
	k := w.tab()
	s := k.stream(k.snapshot("").Pos)
	k.say("hi")
	s.until("state", func(d string) bool { return strings.Contains(d, `"position":3,"minutes":2`) })
	<-place
	place <- visitor.Place{Position: 1, Estimate: 10 * time.Second}
	s.until("state", func(d string) bool { return strings.Contains(d, `"position":1,"minutes":1`) })
	if got := k.snapshot("?lang=de"); got.State.Position != 1 || got.State.Line != "Sie sind Nummer 1, etwa 1 Min." {
		t.Errorf("%+v", got.State)
	}
}

// The configuration is public, in the visitor's language, tells whether people answer, and has no secret.
func TestConfig(t *testing.T) {
	open := true
	w := newWorld(t, lite(t), "", `{"title":"Help","color":"#ffee00","hours":"office","identity_secret":"`+identitySecret+`","texts":{"de":{"title":"Hilfe","send":"Los"},"nl":{"send":"Stuur"}}}`,
		func(o *visitor.Options) {
			o.Open = func(_ context.Context, _ chat.WorkspaceID, name string) (bool, error) {
				if name != "office" {
					return false, errors.New(name)
				}
				return open, nil
			}
		})
	var got struct {
		Title, Language string
		OnColor         string `json:"on_color"`
		Open            bool
		Texts           map[string]string
	}
	r := w.call("GET", "/config?lang=de-AT", nil)
	r.into(t, 200, &got)
	if got.Title != "Hilfe" || got.Language != "de" || got.Texts["send"] != "Los" || got.Texts["close"] != "Schließen" || !got.Open || got.OnColor != "#000000" {
		t.Errorf("%+v", got)
	}
	if strings.Contains(string(r.body), identitySecret) {
		t.Error("the secret is in it")
	}
	if r := w.call("GET", "/config?lang=de-AT", nil, "If-None-Match", r.header.Get("ETag")); r.status != 304 {
		t.Errorf("again: %d", r.status)
	}
	w.call("GET", "/config?lang=nl", nil).into(t, 200, &got)
	if got.Texts["send"] != "Stuur" || got.Texts["close"] != "Close" {
		t.Errorf("%+v", got)
	}
	open = false
	w.call("GET", "/config", nil, "Accept-Language", "xx, fr;q=0.5").into(t, 200, &got)
	if got.Open || got.Language != "fr" {
		t.Errorf("%+v", got)
	}
}

// Tokens are renewed while they are good.
func TestRenewal(t *testing.T) {
	now := time.Now()
	w := newWorld(t, lite(t), "", `{}`, func(o *visitor.Options) { o.Now = func() time.Time { return now } })
	k := w.tab()
	k.say("hi")
	if got := k.snapshot(""); got.Session != nil {
		t.Error("renewed at once")
	}
	now = now.Add(25 * 24 * time.Hour)
	got := k.snapshot("")
	if got.Session == nil {
		t.Fatal("not renewed")
	}
	now = now.Add(25 * 24 * time.Hour)
	k.call("GET", "/snapshot", nil).refused(t, 401, "unauthorized")
	next := &tab{w: w, site: w.site, token: got.Session.Token}
	next.sees("me: hi")
	var session struct{ Token string }
	next.call("POST", "/sessions", m{}).into(t, 200, &session)
	(&tab{w: w, site: w.site, token: session.Token}).sees("me: hi")
}

// A visitor whose message came before that of a bot that hands over sees every message in the log's order, over all its tabs.
func TestTwoTabs(t *testing.T) {
	w := newWorld(t, lite(t), parcel, `{}`, func(o *visitor.Options) { o.Limits.Messages = 600 })
	one := w.tab()
	two := &tab{w: w, site: w.site, token: one.token}
	pos := one.snapshot("").Pos
	a, b := one.stream(pos), two.stream(pos)
	one.say("hi")
	a.says("Hello!")
	for i := range 10 {
		[]*tab{one, two}[i%2].say(fmt.Sprint(i))
	}
	w.must2(w.store.Append(t.Context(), &store.Place{Workspace: w.ws, Conversation: w.only().ID, To: chat.PlaceData{State: chat.StateAssigned, Assignee: "bo"}, By: chat.Party{Type: chat.PartyAgent, ID: "bo"}}))
	w.write(w.only().ID, chat.KindMessage, chat.TextMessage("end"))
	var seen [2][]string
	for n, s := range []*stream{a, b} {
		for len(seen[n]) == 0 || !strings.Contains(seen[n][len(seen[n])-1], `"end"`) {
			e := s.until("message", func(string) bool { return true })
			seen[n] = append(seen[n], e.id+" "+e.data)
		}
	}
	if got, want := fmt.Sprint(seen[0][len(seen[0])-10:]), fmt.Sprint(seen[1][len(seen[1])-10:]); got != want {
		t.Errorf("one tab %s\nthe other %s", got, want)
	}
}
