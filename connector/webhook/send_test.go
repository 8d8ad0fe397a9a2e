package webhook

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// TestRedirect: a platform that sends us elsewhere gets no second request, by which it could reach what is behind us.
func TestRedirect(t *testing.T) {
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		http.Redirect(w, r, "/again", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	c, err := open(t.Context(), environment(`{"secret":"s","url":"`+server.URL+`/"}`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Send(t.Context(), connector.Part{Key: "k", Thread: chat.Thread{Address: "a"}, Elements: []chat.Element{chat.Plain("hi")}})
	if e := connector.AsError(err); e.Policy != connector.Rejected || calls.Load() != 1 {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
}

// TestDownloadRedirect: file stores do send us elsewhere, and our credentials stay here.
func TestDownloadRedirect(t *testing.T) {
	var leaked atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/f/1" {
			http.Redirect(w, r, "/store/x.pdf", http.StatusFound)
			return
		}
		leaked.Store(r.Header.Get("X-Token") != "")
		w.Header().Set("Content-Type", "application/pdf")
		_, _ = io.WriteString(w, "pdf") // the test reads it
	}))
	defer server.Close()
	c, err := open(t.Context(), environment(`{"secret":"s","download":{"url":"`+server.URL+`/f/{{ .id }}","sign":{"type":"header","header":"X-Token","secret":"t"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	a, err := connector.AbilitiesOf(c).Download.Download(t.Context(), chat.Source{ID: "1"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	if err != nil || string(body) != "pdf" || a.MIME != "application/pdf" || leaked.Load() {
		t.Errorf("%q %s %v, leaked %v", body, a.MIME, err, leaked.Load())
	}
}

// TestUnbuildable: what cannot be put into a request is refused before anything leaves.
func TestUnbuildable(t *testing.T) {
	const base = `{"secret":"s","url":"https://127.0.0.1:1/{{ .to }}","send":`
	tests := map[string]string{
		"..":    base + `{}}`,
		"a\nb":  base + `{"headers":{"X-To":"{{ .to }}"}}}`,
		"text":  base + `{"body":"{{ .to | tonumber }}"}}`,
		"empty": base + `{"body":"{{ empty }}"}}`,
		"list":  base + `{"content":"form","body":"{{ [.to] }}"}}`,
	}
	for to, settings := range tests {
		c, err := open(t.Context(), environment(settings))
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Send(t.Context(), connector.Part{Key: "k", Thread: chat.Thread{Address: to}, Elements: []chat.Element{chat.Plain("hi")}})
		if e := connector.AsError(err); e.Policy != connector.Rejected || e.Code != "request" {
			t.Errorf("%q: %v", to, err)
		}
	}
}

// TestSecretInAddress: a token may stand in the address, and errors do not show it.
func TestSecretInAddress(t *testing.T) {
	c, err := open(t.Context(), environment(`{"secret":"s3cret-s3cret","url":"http://127.0.0.1:1/{{ $secret }}/send"}`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Send(t.Context(), connector.Part{Key: "k", Thread: chat.Thread{Address: "a"}, Elements: []chat.Element{chat.Plain("hi")}})
	if err == nil || connector.AsError(err).Policy != connector.Retry || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v", err)
	}
}
