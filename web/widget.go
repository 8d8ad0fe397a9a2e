package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"html/template"
	"io/fs"
	"net/http"
	"time"
)

// ScriptPath is where the widget's script is.
const ScriptPath = "/widget.js"

// Widget serves the script of the visitors' chat to any page.
func Widget() http.Handler { return script{Built("widget")} }

// codings are how the build compresses the script, the smallest first.
var codings = []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}

type script struct{ files fs.FS }

// ServeHTTP answers with the script, and with a word for developers where it was not built.
func (s script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Vary", "Accept-Encoding")
	raw, err := fs.ReadFile(s.files, "widget.js")
	if err != nil {
		h.Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("console.error('Dragoman was built without its pages, and so without this widget.')\n")) // the reader has left
		return
	}
	sum := sha256.Sum256(raw)
	tag := hex.EncodeToString(sum[:8])
	h.Set("Cache-Control", "public, max-age=300")
	for _, c := range codings {
		if small, err := fs.ReadFile(s.files, "widget.js"+c.suffix); err == nil && takes(r, c.name) {
			h.Set("Content-Encoding", c.name)
			raw, tag = small, tag+"-"+c.suffix[1:]
			break
		}
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(raw))
}

//go:embed try.html
var tryPage string

//go:embed try.css
var tryStyle string

// Try serves a page that carries the widget of a channel, as a customer's site would, under a policy as strict as there is. The channel
// is "" where there is none to try.
func Try(channel func(*http.Request) string) http.Handler {
	page := template.Must(template.New("try").Parse(tryPage))
	sum := sha256.Sum256([]byte(tryStyle))
	policy := "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; require-trusted-types-for 'script'; trusted-types 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		scheme := "http"
		if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
			scheme = "https"
		}
		_ = page.Execute(w, map[string]any{ // an error: the reader has left
			"Channel": channel(r), "Style": template.CSS(tryStyle), "Script": scheme + "://" + r.Host + ScriptPath,
		})
	})
}
