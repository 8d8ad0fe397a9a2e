package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const about = `Dragoman connects messaging platforms, bots and people.

Everything below /v1 wants a token: ` + "`Authorization: Bearer TOKEN`" + `. Errors are problem+json (RFC 9457) with a stable ` + "`code`" + `.
Lists are {"items", "next"}; give next as cursor to read on. Writes take an Idempotency-Key. Times are RFC 3339 in UTC.`

// tags are the groups of operations, in the order in which they are shown.
var tags = []*huma.Tag{
	{Name: "messages", Description: "What is said in a conversation."},
	{Name: "queues", Description: "Where conversations wait for agents."},
	{Name: "agents", Description: "Who answers: states, limits, skills."},
	{Name: "search", Description: "People, and what was said."},
	{Name: "actions", Description: "What agents have other systems do, by signed hooks."},
	{Name: "fields", Description: "Facts that people keep of conversations and contacts."},
	{Name: "replies", Description: "Canned replies: texts by language that agents find by a shortcut."},
	{Name: "conversations", Description: "Where conversations are, and their events."},
	{Name: "reports", Description: "How it stands now, and what happened."},
	{Name: "events", Description: "The log as it grows."},
	{Name: "contacts", Description: "People, with their addresses on channels."},
	{Name: "files", Description: "Attachments."},
	{Name: "channels", Description: "Configured accounts on platforms."},
	{Name: "flows", Description: "What bots do."},
	{Name: "knowledge", Description: "What bots look things up in."},
	{Name: "language models", Description: "What bots may ask, and the prompts for it."},
	{Name: "dead letters", Description: "What could not be delivered."},
	{Name: "tokens", Description: "Which programs may use this API."},
	{Name: "sessions", Description: "Signing in."},
	{Name: "users", Description: "Who works here, and what they may do."},
	{Name: "audit", Description: "Who did what."},
	{Name: "workspaces", Description: "Tenants."},
	{Name: "operation", Description: "For machines that look after this one."},
}

// config sets huma up: JSON only, no pages of its own, our errors.
func (a *API) config() huma.Config {
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Dragoman", Version: orElse(a.Version, "dev"), Description: about,
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Servers: []*huma.Server{{URL: orElse(a.Public, "/")}},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"token":   {Type: "http", Scheme: "bearer", Description: "An API token. " + scopeWords()},
				"session": {Type: "apiKey", In: "cookie", Name: cookieName, Description: "The cookie of a user who has signed in, " + secureCookieName + " over https. Writes want " + csrfHeader + " too."},
			},
		},
		Tags: tags,
	}
	plain := huma.Format{
		Marshal: func(w io.Writer, v any) error {
			enc := json.NewEncoder(w)
			enc.SetEscapeHTML(false)
			return enc.Encode(v)
		},
		Unmarshal: json.Unmarshal,
	}
	return huma.Config{
		OpenAPI: doc, DefaultFormat: "application/json", Transformers: []huma.Transformer{ours}, RejectUnknownQueryParameters: true,
		Formats: map[string]huma.Format{"application/json": plain, "json": plain},
	}
}

func orElse(s, or string) string {
	if s == "" {
		return or
	}
	return s
}

func scopeWords() string {
	words := make([]string, len(scopes))
	for i, s := range scopes {
		words[i] = fmt.Sprintf("`%s`: %s", s.name, s.what)
	}
	return "Scopes: " + strings.Join(words, " ")
}

// schemaName names types in the document by their Go name with a capital; lists as "ChannelList".
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	if rest, ok := strings.CutPrefix(name, "List"); ok && rest != "" {
		return rest + "List"
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// problemResponse is the answer of everything that goes wrong. It stands in each operation before huma would add its own.
func problemResponse() *huma.Response {
	return &huma.Response{Description: "An error.", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}},
	}}
}

// document is the finished OpenAPI document.
type document struct {
	body []byte
	etag string
}

// finish writes the document. It never changes afterwards.
func (a *API) finish() document {
	doc := a.huma.OpenAPI()
	registry := doc.Components.Schemas
	registry.Schema(reflect.TypeFor[Problem](), true, "")
	delete(registry.Map(), "ErrorModel") // huma's own, which is never sent
	delete(registry.Map(), "ErrorDetail")
	body, err := json.Marshal(doc)
	if err != nil {
		panic("api: OpenAPI document: " + err.Error()) // made of our own types at start: a programmer's error
	}
	sum := sha256.Sum256(body)
	return document{body, `"` + hex.EncodeToString(sum[:12]) + `"`}
}

// OpenAPI is the document as it is served.
func (a *API) OpenAPI() []byte { return bytes.Clone(a.doc.body) }

func (a *API) showOpenAPI(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("Content-Type", "application/openapi+json")
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", a.doc.etag)
	if r.Header.Get("If-None-Match") == a.doc.etag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	_, err := w.Write(a.doc.body)
	return ignoreGone(err)
}

// ignoreGone is for answers to clients that may be gone: nothing can be done for them.
func ignoreGone(error) error { return nil }

// text describes an answer that is no JSON.
func textResponse(words, mime string) *huma.Response {
	return &huma.Response{Description: words, Content: map[string]*huma.MediaType{mime: {Schema: &huma.Schema{Type: huma.TypeString}}}}
}

// schemaFor is the schema of a type that huma does not see by itself.
func schemaFor[T any](a *API) *huma.Schema {
	return a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
}
