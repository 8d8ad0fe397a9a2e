// Package webchat is the channel of the chat on web pages. Its clients read the log themselves, so that Send has nothing to do: what is
// in the log is sent. It must not open any connection.
package webchat

import (
	"context"
	"net/url"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// Name is the platform's name.
const Name = "webchat"

// Settings are what a channel may be told. They are also what the endpoints of the widget's protocol go by.
type Settings struct {
	AuthenticationRequired bool           `json:"authentication_required"`
	AllowedOrigins         []string       `json:"allowed_origins"`
	Domain                 string         `json:"domain"`
	Title                  string         `json:"title"`
	Widget                 map[string]any `json:"widget"`
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
			{Name: "widget", Title: "Configuration", Type: connector.Object, Help: "Members of the widget's configuration, such as lang or subtitle"},
		},
	}
}

// elements are all that there are: the client draws what it can.
var elements = []chat.ElementType{
	chat.Text, chat.Image, chat.Audio, chat.Voice, chat.Video, chat.File, chat.Sticker, chat.Location, chat.Contact,
	chat.Buttons, chat.QuickReplies, chat.Card, chat.Carousel, chat.Template, chat.Poll, chat.Choice, chat.Rating,
	chat.Feedback, chat.HTML, chat.FileUpload, chat.FileUploaded, chat.ToolUse, chat.ToolResult, chat.Unsupported,
}

func traits() connector.Traits {
	t := connector.Traits{
		Spans: true, Elements: elements, Album: 10, Idempotent: true, Concurrency: 64,
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
	return channel{}, nil
}

// Send implements connector.Connector: the message is in the log already. The same key gives the same id.
func (channel) Send(_ context.Context, part connector.Part) (connector.Sent, error) {
	if part.Thread.Topic == "" {
		return connector.Sent{}, &connector.Error{
			Policy: connector.Rejected, Code: "no_conversation", Detail: "clients read conversations, and this thread names none",
		}
	}
	return connector.Sent{ID: "web:" + part.Key}, nil
}
