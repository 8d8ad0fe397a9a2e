package telegram

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// Reactions that are no emoji have these names.
const (
	customReaction = "custom:" // and the id of a custom emoji
	paidReaction   = "paid"
)

// readReaction tells what changed: Telegram gives the whole set before and after. The forum topic is not told.
func readReaction(_ *bot, u update) ([]chat.Incoming, error) {
	var r reactionChange
	if err := json.Unmarshal(u.what, &r); err != nil {
		return nil, err
	}
	if r.Chat == nil || r.MessageID == 0 {
		return nil, errNoChat
	}
	change := &chat.ReactionData{Added: without(r.New, r.Old), Removed: without(r.Old, r.New)}
	if len(change.Added)+len(change.Removed) == 0 {
		return []chat.Incoming{u.ignored()}, nil
	}
	where := envelope{MessageID: r.MessageID, From: r.User, SenderChat: r.ActorChat, Chat: r.Chat}
	return []chat.Incoming{{
		Key: u.key(), Kind: chat.KindReaction, Thread: where.thread(), Sender: where.sender(), At: at(r.Date),
		Target: where.ref(), Reaction: change,
	}}, nil
}

// without lists the names in a that are not in b.
func without(a, b []reaction) []string {
	var names []string
	for _, r := range a {
		if !slices.Contains(b, r) {
			names = append(names, r.name())
		}
	}
	return names
}

func (r reaction) name() string {
	switch r.Type {
	case "emoji":
		return r.Emoji
	case "custom_emoji":
		return customReaction + r.Custom
	default:
		return r.Type
	}
}

// newReaction reads a name back.
func newReaction(name string) reaction {
	if id, ok := strings.CutPrefix(name, customReaction); ok {
		return reaction{Type: "custom_emoji", Custom: id}
	}
	if name == paidReaction {
		return reaction{Type: paidReaction}
	}
	return reaction{Type: "emoji", Emoji: name}
}
