package telegram

import (
	"context"

	"github.com/dragoman-hub/dragoman/chat"
)

// Profile implements connector.Profiler. It works for whoever has written to the bot, and for groups that it is in.
func (b *bot) Profile(ctx context.Context, address string) (chat.Profile, error) {
	var r struct {
		room
		Photo *struct {
			Big string `json:"big_file_id"`
		} `json:"photo"`
	}
	if err := b.ask(ctx, "getChat", params{"chat_id": address}, &r); err != nil {
		return chat.Profile{}, inThread(err)
	}
	p := chat.Profile{Person: r.person()}
	if r.Photo != nil && r.Photo.Big != "" {
		p.PhotoRef = &chat.Source{ID: r.Photo.Big}
	}
	return p, nil
}

// Check implements connector.Checker.
func (b *bot) Check(ctx context.Context) (string, error) {
	var me user
	if err := b.ask(ctx, "getMe", nil, &me); err != nil {
		return "", err
	}
	return "bot @" + me.Username, nil
}
