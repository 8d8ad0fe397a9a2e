package store

import (
	"context"

	"github.com/dragoman-hub/dragoman/chat"
)

// deed is what the commands on one conversation have in common: where, and under which name it is done once.
type deed struct {
	ws   int64
	conv chat.ConversationID
	once onceKey // without a key: always new
}

// find is the resolve of these commands. Names given by different kinds of callers never meet: prefix keeps them apart.
func (d *deed) find(ctx context.Context, s *Store, ws chat.WorkspaceID, conv chat.ConversationID, prefix, once string) (err error) {
	if len(once) > maxName {
		return chat.Faultf(chat.CodeInvalid, "the name of what is done once is longer than 500 bytes")
	}
	d.conv = conv
	if d.ws, err = s.workspaceNo(ctx, ws); err == nil && once != "" {
		d.once = onceKey{d.ws, prefix + cleanText(once)}
	}
	return err
}

func (d *deed) workspace() int64 { return d.ws }

func (d *deed) want(u *unit) {
	u.wantConversation(d.ws, d.conv)
	if conv := u.byUID[uidKey{string(d.conv)}]; conv != nil {
		u.wantChannel(conv.ws, conv.channel)
	}
	if d.once.key != "" {
		u.wantOnce(d.once)
	}
}

// look answers the conversation and its channel, or what was stored when the deed was done before.
func (d *deed) look(ctx context.Context, u *unit) (*conversationRow, *channelRow, *chat.Event, error) {
	before, err := u.seen(ctx, d.once)
	if err != nil || before != nil {
		return nil, nil, before, err
	}
	conv, ch, err := u.conversationAndChannel(ctx, d.ws, d.conv)
	return conv, ch, nil, err
}

// repeated is the answer to who does again what was done before; the zero Result if it was not.
func repeated(before *chat.Event) Result {
	if before == nil {
		return Result{}
	}
	return Result{Events: []chat.Event{*before}, Duplicate: true}
}

func (u *unit) conversationAndChannel(ctx context.Context, ws int64, uid chat.ConversationID) (*conversationRow, *channelRow, error) {
	conv, err := u.conversation(ctx, ws, uid)
	if err != nil {
		return nil, nil, err
	}
	ch, err := u.channel(ctx, ws, conv.channel)
	return conv, ch, err
}
