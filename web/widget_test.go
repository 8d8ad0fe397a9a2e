package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/web"
)

func ask(h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// The script is for any page, is asked for again soon, and is a script even where it was not built.
func TestWidget(t *testing.T) {
	for _, encoding := range []string{"", "gzip", "br"} {
		w := ask(web.Widget(), web.ScriptPath, "Accept-Encoding", encoding)
		h := w.Header()
		if !strings.HasPrefix(h.Get("Content-Type"), "text/javascript") || h.Get("Cross-Origin-Resource-Policy") != "cross-origin" || h.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("headers %v", h)
		}
		switch w.Code {
		case http.StatusServiceUnavailable: // no build
			if !strings.Contains(w.Body.String(), "console.error") {
				t.Errorf("%s", w.Body)
			}
		case http.StatusOK:
			if h.Get("Content-Encoding") != encoding || w.Body.Len() < 1000 {
				t.Errorf("%q: %v, %d bytes", encoding, h, w.Body.Len())
			}
			if again := ask(web.Widget(), web.ScriptPath, "Accept-Encoding", encoding, "If-None-Match", h.Get("ETag")); again.Code != http.StatusNotModified {
				t.Errorf("again: %d", again.Code)
			}
		default:
			t.Errorf("status %d", w.Code)
		}
	}
}

// The page to try it on is as strict as a page can be, and does without a channel.
func TestTry(t *testing.T) {
	id := "a-channel"
	h := web.Try(func(*http.Request) string { return id })
	w := ask(h, "/try")
	policy := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "trusted-types 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %s", policy)
	}
	if body := w.Body.String(); !strings.Contains(body, `<script src="/widget.js" data-channel="a-channel" async>`) || !strings.Contains(body, "http://example.com/widget.js") {
		t.Errorf("%s", body)
	}
	if id = ""; strings.Contains(ask(h, "/try").Body.String(), "<script") {
		t.Error("a widget without a channel")
	}
}
