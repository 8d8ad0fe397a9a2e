// Package connector is the contract between the hub and the code that speaks one platform's language.
//
// A connector parses and formats. It never stores, sleeps, retries, splits, throttles or keeps state that
// must survive: the hub does that for all of them. It reaches the world only through Env.
package connector

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Platform describes one platform. It is data; connector/all lists them.
type Platform struct {
	Name     string // short and lower case: "telegram"
	Title    string // as people know it: "Telegram"
	Settings []Setting
	Traits   Traits
	// Shapes are nil values of the types that Open may give: they tell what connectors of this platform can do, before there are
	// settings to open one with.
	Shapes []Connector
	// Open makes a connector for one channel. It checks the settings and answers at once: no request, no goroutine.
	Open func(ctx context.Context, env Env) (Connector, error)
}

// Env hands in the world. All of it is safe for concurrent use.
type Env struct {
	Channel    chat.ChannelID
	Settings   json.RawMessage // an object, checked against Platform.Settings; Decode reads it
	WebhookURL string          // where the platform shall post to; empty if we have no public address
	HTTP       *http.Client    // the only way out: guarded, traced, limited in time
	Log        *slog.Logger
	Now        func() time.Time
	Notes      Notes
}

// Notes are small durable facts of a channel: a poll cursor, a session token. Values are sealed at rest.
type Notes interface {
	// Load answers nil and no error for a key that was never saved.
	Load(ctx context.Context, key string) ([]byte, error)
	Save(ctx context.Context, key string, value []byte) error
}

// Connector is an open channel. All methods, of abilities too, may be called from many goroutines.
type Connector interface {
	// Send delivers one part: one request, one message at the platform. An error is an *Error that carries the
	// policy; any other error counts as unsure.
	Send(ctx context.Context, part Part) (Sent, error)
}

// Part is as much of a message as the platform takes in one request. The hub has already fitted it to the
// Traits: lengths hold, element types are among the platform's own.
type Part struct {
	Key      string         // idempotency key, the same at every retry; a UUID
	Thread   chat.Thread    // where to
	Elements []chat.Element // one; more only for an album (Traits.Album) of media of like kind
	ReplyTo  string         // external id of the message that is answered
	Context  string         // external id of the contact's newest message, for platforms that ask for it
	Media    map[chat.FileID]Media
}

// Media opens a stored attachment.
type Media struct {
	Name string
	MIME string
	Size int64  // bytes
	URL  string // signed, public and good for an hour; empty if the hub has no public address
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// Sent is the platform's answer. ID is unique within the channel (see chat.Incoming).
type Sent struct {
	ID     string
	More   []string // ids of an album's further messages
	Notice string   // what had to be changed, in words; usually empty
}

// Receiver is a connector with a webhook.
type Receiver interface {
	// Receive verifies the signature over the raw bytes and parses. It has no effect but its answer: the hub stores the
	// events and only then sends the reply. All events or an error, never half of them.
	Receive(ctx context.Context, req Request) (Delivery, error)
}

// Request is a webhook call, read in full and limited in size.
type Request struct {
	Method string
	URL    *url.URL // as the platform called it: public scheme and host
	Header http.Header
	Body   []byte
	Remote string // IP address
}

// Delivery is what a webhook call brought. A zero Reply is 200 with an empty body.
type Delivery struct {
	Events []chat.Incoming
	Reply  Reply
}

// Reply is the answer to a webhook call.
type Reply struct {
	Status      int
	ContentType string
	Body        []byte
}

// Listener is a connector that fetches by itself: polling or a socket.
type Listener interface {
	// Listen runs until ctx ends (then it answers nil or ctx.Err()) or the connection is lost (then an *Error; the hub waits
	// and calls again). emit answers when the events are stored; only then may the platform be told so.
	Listen(ctx context.Context, emit func(context.Context, []chat.Incoming) error) error
}
