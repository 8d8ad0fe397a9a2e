// Package web holds the built pages (the desk, the admin pages, the wall, the playground) and serves them. It knows nothing of the
// hub: the pages call its API as any other client does.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed all:dist
var dist embed.FS

// policy lets the pages run their own scripts and talk to their own server; strangers' text never becomes code.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; " +
	"manifest-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// places are the first path segments that belong to the pages; the pages' own router does the rest.
var places = map[string]bool{
	"": true, "sign-in": true, "welcome": true, "desk": true, "admin": true, "wall": true, "playground": true, "try": true, "assets": true,
}

// Owns tells whether a path belongs to the pages.
func Owns(p string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	return places[first]
}

// Built is what the build made, below the given folder of dist ("pages", "widget"); empty without a build.
func Built(folder string) fs.FS {
	sub, err := fs.Sub(dist, path.Join("dist", folder))
	if err != nil {
		return embed.FS{}
	}
	return sub
}

// Pages serves the built pages.
func Pages() http.Handler { return pages{Built("pages")} }

type pages struct{ files fs.FS }

// ServeHTTP answers a file, the index for everything that has no extension, and how to get the pages where they were not built.
func (p pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "geolocation=(), microphone=(), camera=()")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if path.Ext(name) == "" {
		name = "index.html"
	}
	raw, err := fs.ReadFile(p.files, name)
	switch {
	case err == nil:
		p.file(w, r, name, raw)
	case name == "index.html":
		unbuilt(w)
	default:
		http.NotFound(w, r)
	}
}

// file answers one file, compressed where the browser takes it.
func (p pages) file(w http.ResponseWriter, r *http.Request, name string, raw []byte) {
	h := w.Header()
	h.Set("Content-Type", typeOf(name))
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") && path.Ext(name) != ".json" {
		h.Set("Cache-Control", "public, max-age=31536000, immutable") // the name has the content's hash
	}
	sum := sha256.Sum256(raw)
	h.Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	if small, err := fs.ReadFile(p.files, name+".gz"); err == nil && takes(r, "gzip") {
		h.Set("Content-Encoding", "gzip")
		h.Set("ETag", `"`+hex.EncodeToString(sum[:8])+`-gz"`)
		raw = small
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(raw))
}

// typeOf does not ask the system's table, which differs from machine to machine, for what the build makes.
func typeOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".json", ".map":
		return "application/json"
	case ".woff2":
		return "font/woff2"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

func takes(r *http.Request, what string) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(part, ";")
		if strings.TrimSpace(coding) == what {
			return strings.ReplaceAll(weight, " ", "") != "q=0"
		}
	}
	return false
}

// unbuilt says how to get the pages.
func unbuilt(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write([]byte(howTo)) // the reader has left
}

const howTo = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Dragoman</title>
<h1>The hub runs; its pages were not built.</h1>
<p>This binary was compiled without them. Install <a href="https://nodejs.org/">Node.js 20.19 or newer</a> and build again:</p>
<pre>make run</pre>
<p>Release archives have the pages in them. Everything works without them, too: <a href="/docs">the API</a>, the command line, the channels.</p>
</html>
`
