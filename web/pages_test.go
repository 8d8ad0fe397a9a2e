package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

// built is a small build.
func built() http.Handler {
	return pages{fstest.MapFS{
		"index.html":           {Data: []byte("<!doctype html>the pages")},
		"index.html.gz":        {Data: zipped("<!doctype html>the pages")},
		"assets/main-abc.js":   {Data: []byte("1")},
		"assets/manifest.json": {Data: []byte("{}")},
	}}
}

func zipped(s string) []byte {
	var b strings.Builder
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return []byte(b.String())
}

func ask(t *testing.T, h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPages(t *testing.T) {
	for _, c := range []struct {
		path   string
		status int
		kind   string
		cache  string
	}{
		{"/", 200, "text/html", "no-cache"},
		{"/desk", 200, "text/html", "no-cache"},
		{"/desk/c/0198-x", 200, "text/html", "no-cache"},
		{"/sign-in", 200, "text/html", "no-cache"},
		{"/assets/main-abc.js", 200, "text/javascript", "immutable"},
		{"/assets/manifest.json", 200, "application/json", "no-cache"},
		{"/assets/gone-123.js", 404, "text/plain", ""},
		{"/desk/../../pages.go", 404, "text/plain", ""},
	} {
		res := ask(t, built(), http.MethodGet, c.path)
		h := res.Header()
		if res.Code != c.status || !strings.HasPrefix(h.Get("Content-Type"), c.kind) || !strings.Contains(h.Get("Cache-Control"), c.cache) {
			t.Errorf("%s: %d, %s, %s", c.path, res.Code, h.Get("Content-Type"), h.Get("Cache-Control"))
		}
		if !strings.Contains(h.Get("Content-Security-Policy"), "trusted-types 'none'") || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: the policy is %s", c.path, h.Get("Content-Security-Policy"))
		}
	}
}

func TestPagesCompressed(t *testing.T) {
	for accept, want := range map[string]string{"gzip, br": "gzip", "br;q=1, gzip;q=0.5": "gzip", "gzip;q=0": "", "": ""} {
		res := ask(t, built(), http.MethodGet, "/desk", "Accept-Encoding", accept)
		if got := res.Header().Get("Content-Encoding"); got != want {
			t.Errorf("%q: %q", accept, got)
		}
		var body io.Reader = res.Body
		if want == "gzip" {
			var err error
			if body, err = gzip.NewReader(res.Body); err != nil {
				t.Fatal(err)
			}
		}
		if raw, err := io.ReadAll(body); err != nil || !strings.Contains(string(raw), "the pages") {
			t.Errorf("%q: %s, %v", accept, raw, err)
		}
		if again := ask(t, built(), http.MethodGet, "/desk", "Accept-Encoding", accept, "If-None-Match", res.Header().Get("ETag")); again.Code != http.StatusNotModified {
			t.Errorf("%q: %d", accept, again.Code)
		}
	}
}

func TestPagesRefuse(t *testing.T) {
	if res := ask(t, built(), http.MethodPost, "/desk"); res.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", res.Code)
	}
}

func TestUnbuilt(t *testing.T) {
	res := ask(t, pages{fstest.MapFS{}}, http.MethodGet, "/")
	raw, _ := io.ReadAll(res.Body)
	if res.Code != http.StatusServiceUnavailable || !strings.Contains(string(raw), "make run") {
		t.Errorf("%d %s", res.Code, raw)
	}
}

func TestOwns(t *testing.T) {
	for p, want := range map[string]bool{
		"/": true, "/desk": true, "/desk/c/1": true, "/assets/x.js": true, "/sign-in": true, "/try/1": true,
		"/v1/me": false, "/docs": false, "/in/1": false, "/back/x": false, "/deskx": false, "/login": false, "/widget.js": false,
	} {
		if Owns(p) != want {
			t.Errorf("%s: %v", p, !want)
		}
	}
}
