package api

import (
	"context"
	"encoding/json"
	"io"
	"net/url"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/store"
)

// Hub is what the API needs of the hub; *hub.Hub is the only one in the program.
type Hub interface {
	webhooks
	channels
	files

	// MayBegin tells whether the platform lets us write first.
	MayBegin(ctx context.Context, ws chat.WorkspaceID, id chat.ChannelID, b hub.Beginning) error
	// Typing shows the contact, and everybody who looks on, that somebody writes.
	Typing(ctx context.Context, ws chat.WorkspaceID, conversation chat.ConversationID, by chat.Party) error
}

// webhooks takes the platforms' calls. Errors are a *chat.Fault or a *connector.Error.
type webhooks interface {
	Receive(ctx context.Context, id chat.ChannelID, req connector.Request) (connector.Reply, error)
	// MaxBody is how large a call's body may be, in bytes.
	MaxBody(ctx context.Context, id chat.ChannelID) (int64, error)
}

// channels looks after the configured accounts and the platforms that there are.
type channels interface {
	Platforms() []connector.Platform
	Abilities(platform string) []string

	AddChannel(ctx context.Context, ws chat.WorkspaceID, in hub.ChannelInput) (hub.Channel, error)
	PatchChannel(ctx context.Context, ws chat.WorkspaceID, id chat.ChannelID, patch hub.ChannelPatch) (hub.Channel, error)
	Channel(ctx context.Context, ws chat.WorkspaceID, id chat.ChannelID) (hub.Channel, error)
	Channels(ctx context.Context, ws chat.WorkspaceID) ([]hub.Channel, error)
	DropChannel(ctx context.Context, ws chat.WorkspaceID, id chat.ChannelID) error
	CheckChannel(ctx context.Context, ws chat.WorkspaceID, id chat.ChannelID) (string, error)
	RegisterChannel(ctx context.Context, ws chat.WorkspaceID, id chat.ChannelID) error
	// PlainSettings gives the settings with their secrets: never to be shown.
	PlainSettings(ctx context.Context, id chat.ChannelID) (store.Channel, json.RawMessage, error)
}

// files keeps attachments.
type files interface {
	Upload(ctx context.Context, ws chat.WorkspaceID, name, mime string, r io.Reader) (store.File, error)
	OpenFile(ctx context.Context, id chat.FileID, offset, length int64) (io.ReadCloser, store.File, error)
	// FileLink is a path with its query, good for a while without a token.
	FileLink(ws chat.WorkspaceID, id chat.FileID) string
	// VerifyFileLink tells for whose file the link was made.
	VerifyFileLink(id chat.FileID, query url.Values) (chat.WorkspaceID, error)
	Forget(ctx context.Context, files []chat.FileID) error
}
