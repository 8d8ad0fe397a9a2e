package webhook

import (
	"encoding/json"

	"github.com/dragoman-hub/dragoman/connector"
)

// maxBodyTemplate is the longest text of a template, in bytes.
const maxBodyTemplate = 64 << 10

// settings are a channel's settings; docs/protocols/webhook.md describes each for the people who write them.
type settings struct {
	Secret   string        `json:"secret"`
	URL      string        `json:"url"`
	Receive  receiveSpec   `json:"receive"`
	Send     sendSpec      `json:"send"`
	Typing   *requestSpec  `json:"typing"`
	MarkRead *requestSpec  `json:"mark_read"`
	Edit     *requestSpec  `json:"edit"`
	Delete   *requestSpec  `json:"delete"`
	Download *downloadSpec `json:"download"`
}

// receiveSpec says how an incoming call is verified and read.
type receiveSpec struct {
	Verify    *authSpec         `json:"verify"`
	Content   string            `json:"content"` // json, form, query, text
	Each      string            `json:"each"`
	Events    map[string]string `json:"events"` // field → jq
	Kinds     map[string]string `json:"kinds"`
	Statuses  map[string]string `json:"statuses"`
	Challenge *challengeSpec    `json:"challenge"`
	Reply     *replySpec        `json:"reply"`
}

// challengeSpec answers the platforms that call an address first to see whether it is ours.
type challengeSpec struct {
	Value       string `json:"value"`
	Token       string `json:"token"`
	Secret      string `json:"secret"`
	ContentType string `json:"content_type"`
}

// replySpec is the answer to a call whose events are stored.
type replySpec struct {
	Status      int             `json:"status"`
	ContentType string          `json:"content_type"`
	Body        json.RawMessage `json:"body"`
}

// requestSpec is one outgoing request.
type requestSpec struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Content string            `json:"content"` // json, form, text, none
	Body    json.RawMessage   `json:"body"`
	Sign    *authSpec         `json:"sign"`
	Success []statusRange     `json:"success"`
	Errors  []ruleSpec        `json:"errors"`
	Timeout int               `json:"timeout"` // seconds
}

// sendSpec is the request that carries a message.
type sendSpec struct {
	requestSpec
	ID         string `json:"id"`
	Idempotent *bool  `json:"idempotent"`
}

// downloadSpec is the request that fetches an attachment. Without a URL the attachment's own is called, if its host is among Hosts.
type downloadSpec struct {
	requestSpec
	Hosts []string `json:"hosts"`
}

// ruleSpec is one line of the table from answers to policies.
type ruleSpec struct {
	Status statusRange `json:"status"`
	When   string      `json:"when"`
	Policy string      `json:"policy"`
	Code   string      `json:"code"`
	Detail string      `json:"detail"`
	After  string      `json:"after"`
}

// authSecrets are the secret members of an authSpec at a path.
func authSecrets(path string) []string {
	return []string{path + ".secret", path + ".secrets.*"}
}

func describe() []connector.Setting {
	signed := append(authSecrets("sign"), "headers.*")
	return []connector.Setting{
		{
			Name: "secret", Title: "Secret", Type: connector.String, Secret: true,
			Help: "Shared with the platform, verifies its calls and signs ours: whsec_ and Base64, or any text",
		},
		{
			Name: "url", Title: "Address", Type: connector.String, Pattern: "^https?://",
			Help: "Where our messages are posted to; without it the channel only receives",
		},
		{
			Name: "receive", Title: "Incoming calls", Type: connector.Object,
			Help:    "How calls are verified and where their fields are (jq); default: Standard Webhooks",
			Secrets: append(authSecrets("verify"), "challenge.secret"),
		},
		{
			Name: "send", Title: "Outgoing messages", Type: connector.Object, Secrets: signed,
			Help: "How the request is built (JSON with {{ jq }}), signed, and how its answer is read",
		},
		{Name: "typing", Title: "Typing request", Type: connector.Object, Secrets: signed, Help: "Shows that somebody writes"},
		{Name: "mark_read", Title: "Read request", Type: connector.Object, Secrets: signed, Help: "Marks messages as read"},
		{Name: "edit", Title: "Edit request", Type: connector.Object, Secrets: signed, Help: "Replaces a sent message"},
		{Name: "delete", Title: "Delete request", Type: connector.Object, Secrets: signed, Help: "Takes a sent message back"},
		{Name: "download", Title: "Download request", Type: connector.Object, Secrets: signed, Help: "Fetches attachments that need credentials"},
	}
}
