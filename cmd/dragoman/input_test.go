package main

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// badCall is a request that must not have an effect.
type badCall struct {
	name, method, path string
	header             map[string]string
	body               string
	status             int
	code               string
}

// TestBadInput: what is too large, too deep, cut off or no JSON gets a clear problem, and the log stays as it is.
func TestBadInput(t *testing.T) {
	t.Parallel()
	hub := startHub(t, t.TempDir())
	c := hub.client()
	channel := addEcho(t, c, newMoody(t, nil).URL)
	if status, words := call(t, http.MethodPost, hub.url+"/in/"+channel, map[string]string{"Content-Type": "application/json"}, `{"id":"1","from":"p","text":"hi"}`); status != http.StatusOK {
		t.Fatal(status, words)
	}
	id := only(t, c, channel)
	said(t, c, id, "re hi", "sent")
	before := head(t, c)
	js := map[string]string{"Content-Type": "application/json"}
	simulator := map[string]string{"Authorization": "Bearer " + readNote(dataOf(hub)).Key, "Content-Type": "application/json"}
	in, sim := "/in/"+channel, "/in/"+readChannel(t, dataOf(hub))
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	for _, x := range []badCall{
		{"too large", http.MethodPost, in, js, `{"id":"2","from":"p","text":"` + strings.Repeat("x", 2<<20) + `"}`, http.StatusRequestEntityTooLarge, "too_large"},
		{"too deep", http.MethodPost, in, js, deep, http.StatusBadRequest, "malformed"},
		{"not JSON", http.MethodPost, in, js, `{"id":`, http.StatusBadRequest, "malformed"},
		{"empty", http.MethodPost, in, js, ``, http.StatusBadRequest, "malformed"},
		{"wrong charset", http.MethodPost, in, map[string]string{"Content-Type": "application/json; charset=utf-16"}, utf16(`{"id":"3","from":"p","text":"hi"}`), http.StatusBadRequest, "malformed"},
		{"invalid UTF-8", http.MethodPost, sim, simulator, "{\"from\":\"p\",\"text\":\"\xff\xfe\"}", http.StatusBadRequest, "malformed"},
		{"unknown member", http.MethodPost, sim, simulator, `{"from":"p","txt":"hi"}`, http.StatusBadRequest, "malformed"},
		{"wrong type", http.MethodPost, sim, map[string]string{"Authorization": simulator["Authorization"], "Content-Type": "image/png"}, `x`, http.StatusBadRequest, "malformed"},
		{"wrong key", http.MethodPost, sim, map[string]string{"Authorization": "Bearer x"}, `{"from":"p","text":"hi"}`, http.StatusUnauthorized, "unsigned"},
		{"wrong method", http.MethodDelete, sim, simulator, ``, http.StatusBadRequest, "malformed"},
		{"unknown channel", http.MethodPost, "/in/none", js, `{}`, http.StatusNotFound, "not_found"},
		{"no channel", http.MethodPost, "/in/", js, `{}`, http.StatusNotFound, "not_found"},
		{"wild channel", http.MethodPost, "/in/%00%ff", js, `{}`, http.StatusNotFound, "not_found"},
	} {
		x.check(t, hub, before)
	}
	badAPICalls(t, hub, id, before)
}

func badAPICalls(t *testing.T, hub *process, id string, before int64) {
	t.Helper()
	auth := map[string]string{"Authorization": "Bearer " + testToken, "Content-Type": "application/json"}
	messages := "/v1/conversations/" + id + "/messages"
	for _, x := range []badCall{
		{"no token", http.MethodPost, messages, nil, `{"text":"x"}`, http.StatusUnauthorized, "unauthorized"},
		{"wrong token", http.MethodPost, messages, map[string]string{"Authorization": "Bearer nonsense"}, `{"text":"x"}`, http.StatusUnauthorized, "unauthorized"},
		{"too large", http.MethodPost, messages, auth, `{"text":"` + strings.Repeat("x", 4<<20) + `"}`, http.StatusRequestEntityTooLarge, "too_large"},
		{"too deep", http.MethodPost, messages, auth, `{"text":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`, http.StatusUnprocessableEntity, "invalid"},
		{"not JSON", http.MethodPost, messages, auth, `{"text":`, http.StatusBadRequest, ""},
		{"two values", http.MethodPost, messages, auth, `{"text":"x"}{"text":"y"}`, http.StatusBadRequest, ""},
		{"empty", http.MethodPost, messages, auth, ``, http.StatusBadRequest, ""},
		{"unknown member", http.MethodPost, messages, auth, `{"text":"x","txet":"y"}`, http.StatusUnprocessableEntity, "invalid"},
		{"nothing said", http.MethodPost, messages, auth, `{"text":""}`, http.StatusUnprocessableEntity, "invalid"},
		{"wrong form", http.MethodPost, messages, map[string]string{"Authorization": auth["Authorization"], "Content-Type": "text/plain"}, `x`, http.StatusUnsupportedMediaType, ""},
		{"wrong method", http.MethodPut, messages, auth, `{}`, http.StatusMethodNotAllowed, ""},
		{"unknown conversation", http.MethodPost, "/v1/conversations/none/messages", auth, `{"text":"x"}`, http.StatusNotFound, "not_found"},
		{"unknown path", http.MethodGet, "/v1/nothing", auth, ``, http.StatusNotFound, "not_found"},
		{"bad limit", http.MethodGet, "/v1/conversations?limit=-1", auth, ``, http.StatusUnprocessableEntity, "invalid"},
		{"bad cursor", http.MethodGet, "/v1/conversations?cursor=x", auth, ``, http.StatusUnprocessableEntity, "invalid"},
		{"long key", http.MethodPost, messages, map[string]string{"Authorization": auth["Authorization"], "Content-Type": "application/json", "Idempotency-Key": strings.Repeat("k", 1000)}, `{"text":"x"}`, http.StatusUnprocessableEntity, "invalid"},
	} {
		x.check(t, hub, before)
	}
}

func (x badCall) check(t *testing.T, hub *process, before int64) {
	t.Helper()
	status, answer := call(t, x.method, hub.url+x.path, x.header, x.body)
	if status != x.status || x.code != "" && !strings.Contains(answer, fmt.Sprintf(`"code":%q`, x.code)) {
		t.Errorf("%s: status %d, want %d %s: %.300s", x.name, status, x.status, x.code, answer)
	}
	if !strings.Contains(answer, `"detail"`) {
		t.Errorf("%s: no words: %.300s", x.name, answer)
	}
	if now := head(t, hub.client()); now != before {
		t.Fatalf("%s: %d events were stored", x.name, now-before)
	}
}

// dataOf is the data folder of a hub of startHub.
func dataOf(p *process) string { return p.args[4] }

// utf16 is what a client of the wrong charset sends.
func utf16(s string) string {
	var b bytes.Buffer
	for _, r := range s {
		b.WriteByte(byte(r))
		b.WriteByte(0)
	}
	return b.String()
}
