// Package webchat is the channel of the chat on web pages. Its clients read the log themselves, so that Send has nothing to do: what is
// in the log is sent. It must not open any connection.
package webchat

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// Name is the platform's name.
const Name = "webchat"

// The addresses of our own widget's visitors begin with these: who is anonymous, and who is known by the site. Clients of other
// protocols cannot name them, for their names have no colon.
const (
	Anonymous = "visitor:"
	Known     = "known:"
)

// Settings are what a channel may be told. They are also what the endpoints of the widgets' protocols go by: Domain and Widget are for
// ChatFAQ's, what follows them for our own.
type Settings struct {
	AuthenticationRequired bool           `json:"authentication_required"`
	AllowedOrigins         []string       `json:"allowed_origins"`
	Domain                 string         `json:"domain"`
	Title                  string         `json:"title"`
	Widget                 map[string]any `json:"widget"`

	IdentitySecret   string                       `json:"identity_secret"`
	IdentityAudience string                       `json:"identity_audience"`
	Color            string                       `json:"color"`
	Greeting         string                       `json:"greeting"`
	SpeaksFirst      bool                         `json:"speaks_first"`
	Form             []Field                      `json:"form"`
	Hours            string                       `json:"hours"`
	Uploads          *bool                        `json:"uploads"`
	MaxFile          int64                        `json:"max_file_bytes"`
	Rating           *bool                        `json:"rating"`
	Texts            map[string]map[string]string `json:"texts"`
}

// Field is a question that is asked before the first message. The names name, email and phone are facts of the person.
type Field struct {
	Name     string `json:"name"`
	Label    string `json:"label"`
	Required bool   `json:"required"`
}

// Platform describes the channel.
func Platform() connector.Platform {
	return connector.Platform{
		Name: Name, Title: "Website chat", Traits: traits(), Open: open,
		Shapes: []connector.Connector{channel{}},
		Settings: []connector.Setting{
			{
				Name: "authentication_required", Title: "Only with a token", Type: connector.Boolean, Default: false,
				Help: "Clients have to show an API token",
			},
			{
				Name: "allowed_origins", Title: "Web pages", Type: connector.Array,
				Help: "Origins of the pages that may open a chat, such as https://shop.example; none means all",
			},
			{
				Name: "domain", Title: "Domain", Type: connector.String,
				Help: "Host of the pages that may read the widget's configuration without a token",
			},
			{Name: "title", Title: "Title", Type: connector.String, Help: "What the widget shows at its top"},
			{Name: "widget", Title: "Configuration", Type: connector.Object, Help: "Members of ChatFAQ's widget's configuration, such as lang or subtitle"},
			{
				Name: "identity_secret", Title: "Identity secret", Type: connector.String, Secret: true, Pattern: `^\S{32,200}$`,
				Help: "With it your server signs who a visitor is: 32 to 200 characters, made at random",
			},
			{
				Name: "identity_audience", Title: "Identity audience", Type: connector.String, Pattern: `^\S{1,200}$`,
				Help: "Identities have to be meant for this name (aud), so that one made for something else with the same secret is none",
			},
			{Name: "color", Title: "Colour", Type: connector.String, Pattern: `^#[0-9a-fA-F]{6}$`, Help: "Of the button and the visitor's own messages, such as #0b57d0"},
			{Name: "greeting", Title: "Greeting", Type: connector.String, Help: "Shown before anything was said"},
			{
				Name: "speaks_first", Title: "Speak first", Type: connector.Boolean, Default: false,
				Help: "The conversation begins, and its flow speaks, when the visitor opens the widget",
			},
			{Name: "form", Title: "Form", Type: connector.Array, Help: "Asked before the first message: a list of name, label and required"},
			{Name: "hours", Title: "Opening hours", Type: connector.String, Help: "The name of the hours in which people answer"},
			{Name: "uploads", Title: "Files", Type: connector.Boolean, Default: true, Help: "Visitors may send files"},
			{Name: "max_file_bytes", Title: "Largest file", Type: connector.Integer, Default: DefaultMaxFile, Help: "Of a visitor's files, in bytes"},
			{Name: "rating", Title: "Rating", Type: connector.Boolean, Default: true, Help: "Visitors may rate a conversation"},
			{Name: "texts", Title: "Texts", Type: connector.Object, Help: "Words of the widget by language, in place of its own"},
		},
	}
}

// elements are all that there are: the client draws what it can, and a page with ChatFAQ's widget may have frames of its own for others.
var elements = []chat.ElementType{
	chat.Text, chat.Image, chat.Audio, chat.Voice, chat.Video, chat.File, chat.Sticker, chat.Location, chat.Contact,
	chat.Buttons, chat.QuickReplies, chat.Card, chat.Carousel, chat.Template, chat.Poll, chat.Choice, chat.Rating,
	chat.Feedback, chat.HTML, chat.FileUpload, chat.FileUploaded, chat.ToolUse, chat.ToolResult, chat.Unsupported,
}

func traits() connector.Traits {
	t := connector.Traits{
		Spans: true, Elements: elements, Others: true, NoOthers: []string{Anonymous, Known}, Album: 10, Idempotent: true, Concurrency: 64,
		Media:    map[chat.ElementType]connector.MediaTrait{},
		Controls: map[chat.ElementType]connector.ControlsTrait{},
	}
	for _, e := range elements {
		if e.IsMedia() {
			t.Media[e] = connector.MediaTrait{MaxBytes: 1 << 30, Caption: true, ByURL: true, Upload: true}
		}
	}
	for _, e := range []chat.ElementType{chat.Buttons, chat.QuickReplies, chat.Card} {
		t.Controls[e] = connector.ControlsTrait{Max: 100, TitleLimit: 1000, PayloadLimit: 4000, URL: true, Phone: true, Request: true}
	}
	return t
}

// channel is an open channel.
type channel struct{}

func open(_ context.Context, env connector.Env) (connector.Connector, error) {
	var s Settings
	if err := env.Decode(&s); err != nil {
		return nil, err
	}
	for i, o := range s.AllowedOrigins {
		u, err := url.Parse(o)
		if o != "*" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || o != u.Scheme+"://"+u.Host) {
			return nil, connector.Malformedf("allowed_origins.%d: an origin such as https://shop.example", i)
		}
	}
	return channel{}, s.checkWidget()
}

// Bounds of what our own widget is told.
const (
	DefaultMaxFile = 10 << 20 // bytes
	maxFields      = 10
	maxWords       = 2000 // bytes of one text
)

// checkWidget checks what our own widget goes by.
func (s Settings) checkWidget() error {
	if len(s.Greeting) > maxWords || len(s.Title) > maxWords {
		return connector.Malformedf("title, greeting: at most %d bytes", maxWords)
	}
	if s.MaxFile < 0 {
		return connector.Malformedf("max_file_bytes: at least 0")
	}
	if len(s.Form) > maxFields {
		return connector.Malformedf("form: at most %d questions", maxFields)
	}
	seen := map[string]bool{}
	for i, f := range s.Form {
		if !fieldName.MatchString(f.Name) || seen[f.Name] || f.Label == "" || len(f.Label) > maxWords {
			return connector.Malformedf("form.%d: a name of its own (letters, digits, _) and a label", i)
		}
		seen[f.Name] = true
	}
	for lang, words := range s.Texts {
		for name, text := range words {
			if len(lang) > 35 || len(name) > 40 || len(text) > maxWords {
				return connector.Malformedf("texts.%s: names of texts and texts of at most %d bytes", lang, maxWords)
			}
		}
	}
	return nil
}

// fieldName is how questions of the form are called.
var fieldName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// Edit implements connector.Editor: what a message says now is in the log, and all clients show it.
func (channel) Edit(context.Context, string, connector.Part) error { return nil }

// Delete implements connector.Deleter: that a message was taken back is in the log, and all clients stop showing it.
func (channel) Delete(context.Context, chat.Thread, string) error { return nil }

var (
	_ connector.Editor  = channel{}
	_ connector.Deleter = channel{}
)

// Send implements connector.Connector: the message is in the log already. The same key gives the same id.
func (channel) Send(_ context.Context, part connector.Part) (connector.Sent, error) {
	ours := strings.HasPrefix(part.Thread.Address, Anonymous) || strings.HasPrefix(part.Thread.Address, Known)
	if part.Thread.Topic == "" && !ours {
		return connector.Sent{}, &connector.Error{
			Policy: connector.Rejected, Code: "no_conversation", Detail: "clients read conversations, and this thread names none",
		}
	}
	return connector.Sent{ID: "web:" + part.Key}, nil
}
