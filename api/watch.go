package api

import (
	"context"
	"net/http"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
)

func (a *API) registerWatch() {
	add(a, act{
		method: http.MethodPost, path: "/v1/conversations/{id}/watch", id: "watchConversation", tag: "conversations", scope: ScopeRead,
		summary: "Begin to watch a conversation silently",
		more: "Neither the contact nor the agent is told; the audit log is. Whisper by a note, take over by assigning: the event then tells from whom. " +
			"The answer is the conversation as it is now.",
	}, a.watch)
}

type watchPost struct {
	Keyed
	ConversationPath
}

// watch shows a conversation, so it wants the right to see conversations too.
func (a *API) watch(ctx context.Context, in *watchPost) (*reply[chat.Conversation], error) {
	if !who(ctx).Has(access.ConversationsRead) {
		return nil, chat.Faultf(chat.CodeForbidden, "watching shows the conversation: that wants the right "+string(access.ConversationsRead)+" too")
	}
	return a.conversation(ctx, &in.ConversationPath)
}
