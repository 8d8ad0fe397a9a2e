package hub

import (
	"context"
	"encoding/json"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// PlainSettings gives a channel's row and its settings with their secrets, to those who speak with the channel's clients themselves. They
// may be as old as those that the hub goes by.
func (h *Hub) PlainSettings(ctx context.Context, id chat.ChannelID) (store.Channel, json.RawMessage, error) {
	l, err := h.line(ctx, id)
	if err != nil {
		return store.Channel{}, nil, err
	}
	raw, err := h.Secrets.Open(settingsPlace(id), l.channel.Settings)
	return l.channel, raw, err
}
