package assist_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/assist"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/outbound"
)

// TestAsk: what hooks say, and how what they do wrong is told.
func TestAsk(t *testing.T) {
	released := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch status, _, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/"); status {
		case "hang":
			select {
			case <-released:
			case <-r.Context().Done():
			}
		case "moved":
			http.Redirect(w, r, "http://elsewhere.example/", http.StatusFound)
		case "refused":
			http.Error(w, "no such\n  customer", http.StatusUnprocessableEntity)
		default:
			_, _ = io.WriteString(w, r.URL.Query().Get("body"))
		}
	}))
	defer s.Close()
	defer close(released)
	client := outbound.Client(outbound.Options{AllowPrivate: true})
	for _, c := range []struct {
		path, want, fault string
		limit             time.Duration
	}{
		{path: "/?body={\"text\":\"done\",\"url\":\"https://crm.example/1\",\"more\":1}", want: "https://crm.example/1 done 0"},
		{path: "/?body={\"fields\":{\"a\":1}}", want: "  1"},
		{path: "/", want: "  0"},
		{path: "/?body=[]", fault: "is not like"},
		{path: "/?body=<html>", fault: "is not like"},
		{path: "/?body={\"url\":\"javascript:alert(1)\"}", fault: "not one of http"},
		{path: "/moved", fault: "it answered 302"},
		{path: "/refused", fault: "it answered 422 no such customer"},
		{path: "/hang", fault: "no answer in 50ms; it may have done it all the same", limit: 50 * time.Millisecond},
	} {
		call := assist.Call{URL: s.URL + strings.NewReplacer(`"`, "%22", "<", "%3C", ">", "%3E").Replace(c.path), Key: []byte("k"), ID: "1", Timeout: time.Minute, Body: 1}
		if c.limit != 0 {
			call.Timeout = c.limit
		}
		a, err := assist.Ask(t.Context(), client, call)
		if c.fault != "" {
			if chat.CodeOf(err) != assist.CodeHook || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%s: %v, want %q", c.path, err, c.fault)
			}
			continue
		}
		if got := fmt.Sprintf("%s %s %d", a.URL, a.Text, len(a.Fields)); err != nil || got != c.want {
			t.Errorf("%s: %q, %v, want %q", c.path, got, err, c.want)
		}
	}
	guarded := outbound.Client(outbound.Options{})
	if _, err := assist.Ask(t.Context(), guarded, assist.Call{URL: s.URL, Timeout: time.Minute}); err == nil || !strings.Contains(err.Error(), "private") {
		t.Errorf("a private address: %v", err)
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	if _, err := assist.Ask(t.Context(), client, assist.Call{URL: gone.URL + "/secret-path", Timeout: time.Minute}); err == nil || strings.Contains(err.Error(), "secret-path") {
		t.Errorf("nobody there: %v", err)
	}
}

func TestCheckURL(t *testing.T) {
	for address, good := range map[string]bool{
		"https://a.example/x?y=z": true, "http://127.0.0.1:8080": true, "": false, "ftp://a.example": false, "a.example": false, "https://u:p@a.example": false,
		"https:///x": false, "https://a.example/ x": false, "https://a.example/" + strings.Repeat("x", 2000): false,
	} {
		if (assist.CheckURL(address) == nil) != good {
			t.Errorf("%.40q", address)
		}
	}
}

func TestCheckInputs(t *testing.T) {
	inputs := []assist.Input{{Name: "subject", Type: assist.TypeText, Required: true}, {Name: "kind", Type: assist.TypeChoice, Choices: []string{"a"}}}
	for given, want := range map[string]string{
		`{"subject":"x"}`: "map[]", `{"subject":"x","kind":"a"}`: "map[]", `{}`: "map[subject:is required]", `{"subject":null}`: "map[subject:is required]",
		`{"subject":"x","kind":"b"}`: "map[kind:is none of a]", `{"subject":1,"other":2}`: "map[other:there is no such input subject:a text is wanted]",
	} {
		var v map[string]json.RawMessage
		if err := json.Unmarshal([]byte(given), &v); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(assist.CheckInputs(inputs, v)); got != want {
			t.Errorf("%s: %s, want %s", given, got, want)
		}
	}
}

// FuzzAnswer: whatever a hook answers is either an answer within limits or a clear fault.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"url":"https://x.example","text":"t","fields":{"a":null}}`))
	f.Add([]byte("\xff{"))
	body := make(chan []byte, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(<-body) }))
	f.Cleanup(s.Close)
	client := outbound.Client(outbound.Options{AllowPrivate: true})
	f.Fuzz(func(t *testing.T, answer []byte) {
		body <- answer
		a, err := assist.Ask(t.Context(), client, assist.Call{URL: s.URL, Key: []byte("k"), Timeout: time.Minute})
		if err != nil && chat.CodeOf(err) != assist.CodeHook || err == nil && (len([]rune(a.Text)) > 4000 || a.URL != "" && assist.CheckURL(a.URL) != nil) {
			t.Errorf("%q: %+v, %v", answer, a, err)
		}
	})
}
