package api

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"strings"
)

// docsPage renders /openapi.json. It is one file, loads nothing from elsewhere, and its only script and style are named in its policy by
// their hashes.
//
//go:embed docs.html
var docsPage string

// page is the docs page with its policy.
type page struct {
	body   []byte
	policy string
}

func newPage() page {
	return page{[]byte(docsPage), "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
		"script-src '" + hashOf("script") + "'; style-src '" + hashOf("style") + "'"}
}

// hashOf is the CSP hash of the page's one element of that name.
func hashOf(element string) string {
	_, rest, _ := strings.Cut(docsPage, "<"+element+">")
	text, _, _ := strings.Cut(rest, "</"+element+">")
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func (a *API) registerDocs() {
	a.openGet("/docs", "read", "operation", "This document for people", "text/html", func(w http.ResponseWriter, _ *http.Request) error {
		h := w.Header()
		h.Set("Content-Security-Policy", a.page.policy)
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "no-cache")
		_, err := w.Write(a.page.body)
		return ignoreGone(err)
	})
}
