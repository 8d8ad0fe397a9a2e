package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

func tokens(t *testing.T, db Database) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var mu sync.Mutex
	s := newSite(t, db, func(o *store.Options) {
		o.Now = func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return now
		}
	})
	ctx := t.Context()
	add := func(hash string, expires time.Time) store.Token {
		k, err := s.AddToken(ctx, store.Token{Workspace: s.ws, Name: "t", Hash: hash, Scopes: []string{"read", "write"}, ExpiresAt: expires})
		must(t, err)
		return k
	}
	used := func() time.Time {
		all, err := s.Tokens(ctx, s.ws)
		must(t, err)
		return all[0].UsedAt
	}
	endless, brief := add("h1", time.Time{}), add("h2", now.Add(time.Hour))
	got, err := s.TokenByHash(ctx, "h1")
	must(t, err)
	equal(t, "token", fmt.Sprint(got), fmt.Sprint(endless))
	until(t, "its use is noted", func() bool { return used().Equal(now) })
	_, err = s.AddToken(ctx, store.Token{Workspace: s.ws, Hash: "h1"})
	equal(t, "the same twice", chat.CodeOf(err), chat.CodeConflict)
	_, err = s.TokenByHash(ctx, "h2")
	must(t, err)
	mu.Lock()
	now = now.Add(time.Hour)
	mu.Unlock()
	_, err = s.TokenByHash(ctx, "h2")
	equal(t, "expired", chat.CodeOf(err), chat.CodeNotFound)
	must(t, s.RevokeToken(ctx, s.ws, endless.ID))
	must(t, s.RevokeToken(ctx, s.ws, endless.ID))
	_, err = s.TokenByHash(ctx, "h1")
	equal(t, "revoked", chat.CodeOf(err), chat.CodeNotFound)
	equal(t, "unknown", chat.CodeOf(s.RevokeToken(ctx, s.ws, "nobody")), chat.CodeNotFound)
	w, err := s.AddWorkspace(ctx, "", "other")
	must(t, err)
	equal(t, "of another workspace", chat.CodeOf(s.RevokeToken(ctx, w.ID, brief.ID)), chat.CodeNotFound)
	all, err := s.Tokens(ctx, s.ws)
	must(t, err)
	equal(t, "tokens", len(all), 2)
	equal(t, "the first use", all[0].UsedAt, now.Add(-time.Hour))
	equal(t, "when it was revoked", all[0].RevokedAt, now)
}

func flows(t *testing.T, db Database) {
	s := newSite(t, db)
	ctx := t.Context()
	put := func(name, text string) int {
		f, err := s.PutFlow(ctx, s.ws, name, json.RawMessage(text))
		must(t, err)
		return f.Version
	}
	equal(t, "first", put("f", `{"a": 1}`), 1)
	equal(t, "the same", put("f", `{"a": 1}`), 1)
	equal(t, "second", put("f", `{"a": 2}`), 2)
	equal(t, "back", put("f", `{"a": 1}`), 3)
	equal(t, "another", put("g", `{}`), 1)
	for version, want := range map[int]string{0: `{"a": 1}`, 2: `{"a": 2}`, 3: `{"a": 1}`} {
		f, err := s.Flow(ctx, s.ws, "f", version)
		must(t, err)
		equal(t, fmt.Sprint("version ", version), string(f.Definition), want)
	}
	_, err := s.Flow(ctx, s.ws, "f", 4)
	equal(t, "no such version", chat.CodeOf(err), chat.CodeNotFound)
	all, err := s.Flows(ctx, s.ws)
	must(t, err)
	equal(t, "flows", fmt.Sprintln(len(all), all[0].Name, all[0].Version, all[1].Name), "2 f 3 g\n")
	versions, err := s.FlowVersions(ctx, s.ws, "f")
	must(t, err)
	equal(t, "versions", fmt.Sprint(len(versions), versions[0].Version), "3 3")
}

func channels(t *testing.T, db Database) {
	s := newSite(t, db)
	ctx := t.Context()
	c, err := s.Channel(ctx, s.ch)
	must(t, err)
	stale := c
	c.Name, c.Settings = "renamed", `{"x":1}`
	c, err = s.SetChannel(ctx, c)
	must(t, err)
	equal(t, "revision", c.Revision, 2)
	_, err = s.SetChannel(ctx, stale)
	equal(t, "a stale change", chat.CodeOf(err), chat.CodeConflict)
	must(t, s.MarkChannel(ctx, s.ch, store.ChannelError, "token refused"))
	c, err = s.Channel(ctx, s.ch)
	must(t, err)
	equal(t, "found out", fmt.Sprint(c.Name, c.Status, c.Detail), "renamed"+"error"+"token refused")
	c.Status = store.ChannelOff
	_, err = s.SetChannel(ctx, c)
	must(t, err)
	s.refuses(chat.CodeForbidden, &store.Receive{Channel: s.ch, In: s.in("a", "x")})
	must(t, s.MarkChannel(ctx, s.ch, store.ChannelActive, ""))
	c, err = s.Channel(ctx, s.ch)
	must(t, err)
	equal(t, "switched off by hand", c.Status, store.ChannelOff)
	used := s.channel(s.ws)
	s.do(&store.Receive{Channel: used, In: s.in("a", "x")})
	equal(t, "dropping one in use", chat.CodeOf(s.DropChannel(ctx, used)), chat.CodeConflict)
	must(t, s.SetNote(ctx, s.ch, "cursor", "1"))
	must(t, s.DropChannel(ctx, s.ch))
	equal(t, "dropping twice", chat.CodeOf(s.DropChannel(ctx, s.ch)), chat.CodeNotFound)
	s.refuses(chat.CodeNotFound, &store.Receive{Channel: s.ch, In: s.in("a", "x")})
	note, err := s.Note(ctx, s.ch, "cursor")
	must(t, err)
	equal(t, "note of a dropped channel", note, "")
	all, err := s.Channels(ctx, s.ws)
	must(t, err)
	equal(t, "channels", len(all), 1)
	if next := s.channel(s.ws); next == s.ch {
		t.Fatal("an id came back")
	}
}

func smallTables(t *testing.T, db Database) {
	s := newSite(t, db)
	ctx := t.Context()
	a := store.Answer{Request: "r", Status: 201, Body: "b"}
	must(t, s.KeepAnswer(ctx, s.ws, "k", a))
	must(t, s.KeepAnswer(ctx, s.ws, "k", store.Answer{Request: "other"}))
	got, err := s.Answer(ctx, s.ws, "k")
	must(t, err)
	equal(t, "the first answer stays", got, a)
	_, err = s.Answer(ctx, s.ws, "none")
	equal(t, "no answer", chat.CodeOf(err), chat.CodeNotFound)
	for _, v := range []string{"1", "2"} {
		must(t, s.SetNote(ctx, s.ch, "cursor", v))
		note, err := s.Note(ctx, s.ch, "cursor")
		must(t, err)
		equal(t, "note", note, v)
	}
	must(t, errors.Join(s.KeepPayload(ctx, s.ws, "~s", "long"), s.KeepPayload(ctx, s.ws, "~s", "long")))
	long, err := s.Payload(ctx, s.ws, "~s")
	must(t, err)
	equal(t, "payload", long, "long")
	f, err := s.AddFile(ctx, store.File{ID: "f1", Workspace: s.ws, Status: store.FilePending, Source: &chat.Source{ID: "p"}})
	must(t, err)
	f.Status, f.Size, f.SHA256, f.Name = store.FileStored, 7, "abc", "n\x00"
	must(t, s.SetFile(ctx, f))
	f, err = s.File(ctx, "f1")
	must(t, err)
	equal(t, "file", fmt.Sprint(f.Status, f.Size, f.SHA256, f.Name, f.Source.ID), fmt.Sprint(store.FileStored, 7, "abc", "n\uFFFD", "p"))
	must(t, s.Ping(ctx))
}
