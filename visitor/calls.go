package visitor

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// deed is one call: how it is made, what it is for, and who answers it.
type deed struct {
	method, name  string // the path is Prefix, the channel, and this
	id            string
	summary, more string
	open          bool // needs no token
	handle        handler
	query         []*huma.Param
	in, out       reflect.Type // JSON; nil: there is none
	status        int          // of an answer without fault; 200
	also          int          // another one with the same answer
	media         string       // of an answer that is no JSON
}

const streamAbout = "Server-sent events; `id` is a position in the log, `data` JSON. `message` and `changed` (edited, or `gone`) are Messages, `state` is a State, " +
	"`read` has the `pos` before which the visitor's messages were read, `typing` is `{name, on}`, and after `reset` a snapshot has to be read again. " +
	"Come back with `Last-Event-ID`, or with `after`, and nothing is missing; some may come twice."

// deeds are all calls, in the order in which a client makes them.
func (s *Server) deeds() []deed {
	lang := text("lang", "The words' language, such as de; by default what Accept-Language says.")
	return []deed{
		{
			method: http.MethodGet, name: "config", id: "getConfig", open: true, handle: s.config, query: []*huma.Param{lang}, out: of[config](),
			summary: "What everybody may know", more: "Title, colours, form, words, whether people answer now. With an ETag.",
		}, {
			method: http.MethodPost, name: "sessions", id: "beginSession", open: true, handle: s.session, out: of[issued](), status: http.StatusCreated, also: http.StatusOK,
			summary: "Become a visitor", more: "With the token of one: 200, and a new token for the same. Good for 30 days on this channel.",
		}, {
			method: http.MethodPost, name: "identify", id: "identify", open: true, handle: s.identify, in: of[identity](), out: of[issued](),
			summary: "Go on as a user of the site", more: "With the token of an anonymous visitor what was said goes on.",
		}, {
			method: http.MethodGet, name: "snapshot", id: "getSnapshot", handle: s.snapshot, out: of[snapshot](),
			query: []*huma.Param{lang, text("before", "`older` of a page: the page before it.")}, summary: "The newest messages, and how it stands",
		}, {
			method: http.MethodGet, name: "stream", id: "follow", handle: s.stream, media: "text/event-stream", summary: "What happens from a position on", more: streamAbout,
			query: []*huma.Param{lang, text("after", "The position; Last-Event-ID counts before it."), {Name: "Last-Event-ID", In: "header", Schema: &huma.Schema{Type: huma.TypeString}}},
		}, {
			method: http.MethodPost, name: "messages", id: "say", handle: s.say, in: of[said](), out: of[taken](), status: http.StatusCreated,
			summary: "Say something", more: "201 when it is durable. The same id is stored once.",
		}, {
			method: http.MethodPost, name: "conversations", id: "begin", handle: s.begin, in: of[said](), status: http.StatusNoContent,
			summary: "Begin the first conversation", more: "Where the channel speaks first: its flow does then. Otherwise nothing happens. Only id, form and about are looked at.",
		}, {
			method: http.MethodPost, name: "files", id: "upload", handle: s.upload, out: of[uploaded](), status: http.StatusCreated,
			query: []*huma.Param{text("name", "The file's name.")}, summary: "Upload a file",
			more: "The body is the bytes, Content-Type their type. `file` goes into a message of the same visitor, within a day.",
		}, {
			method: http.MethodPost, name: "receipts", id: "tellReceipt", handle: s.receipt, in: of[receipt](), status: http.StatusNoContent, summary: "Tell what has arrived or was read",
		}, {
			method: http.MethodPost, name: "typing", id: "tellTyping", handle: s.typing, status: http.StatusNoContent, summary: "Tell that one writes", more: "Every few seconds while it is so.",
		}, {
			method: http.MethodPost, name: "rating", id: "rate", handle: s.rate, in: of[rating](), status: http.StatusNoContent, summary: "Rate the conversation, once",
		}, {
			method: http.MethodGet, name: "transcript", id: "getTranscript", handle: s.transcript, query: []*huma.Param{lang}, media: "text/plain", summary: "What was said, as text",
		}, {
			method: http.MethodDelete, name: "me", id: "forget", handle: s.forget, status: http.StatusNoContent, summary: "Delete everything of the visitor",
		},
	}
}

func of[T any]() reflect.Type { return reflect.TypeFor[T]() }

func text(name, about string) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: about, Schema: &huma.Schema{Type: huma.TypeString}}
}
