package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/dragoman-hub/dragoman/assist"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// TagsPatch puts tags to a conversation and takes others away.
type TagsPatch struct {
	Add    []string `json:"add,omitempty" maxItems:"50" nullable:"false" example:"[\"vip\"]"`
	Remove []string `json:"remove,omitempty" maxItems:"50" nullable:"false"`
}

type conversationPatch struct {
	Keyed
	ConversationPath
	Body struct {
		Fields   map[string]json.RawMessage `json:"fields,omitempty" maxProperties:"200" doc:"Merged by name; null takes one away."`
		Priority *int                       `json:"priority,omitempty" minimum:"-100" maximum:"100" doc:"0 by default; more is more urgent."`
		Tags     TagsPatch                  `json:"tags,omitzero"`
	}
}

type tagsGet struct {
	NamePaging
	Text string `query:"q" maxLength:"50" doc:"What they begin with."`
}

func (a *API) registerConversationPatch() {
	const tag = "conversations"
	add(a, act{
		method: http.MethodPatch, path: "/v1/conversations/{id}", id: "changeConversation", tag: tag, scope: ScopeWrite,
		summary: "Change a conversation's fields, priority and tags", more: "What is left out stays. What changes is told by an event `changed`.",
	}, a.patchConversation)
	add(a, act{method: http.MethodGet, path: "/v1/tags", id: "listTags", tag: tag, scope: ScopeRead, summary: "List the tags that are in use, in what you see"}, a.tags)
}

func (a *API) patchConversation(ctx context.Context, in *conversationPatch) (*reply[chat.Conversation], error) {
	b := in.Body
	if err := a.checkFields(ctx, assist.OfConversation, "body.fields", b.Fields); err != nil {
		return nil, err
	}
	_, err := a.Store.Append(ctx, &store.ChangeConversation{
		Workspace: here(ctx), Conversation: in.ID, Fields: b.Fields, Priority: b.Priority, AddTags: b.Tags.Add, RemoveTags: b.Tags.Remove,
		By: party(ctx), Action: actionOf(ctx),
	})
	if err != nil {
		return nil, err
	}
	return a.conversation(ctx, &in.ConversationPath)
}

func (a *API) tags(ctx context.Context, in *tagsGet) (*reply[list[store.Tag]], error) {
	found, next, err := a.Store.Tags(ctx, here(ctx), sightOf(who(ctx)), in.Text, in.Cursor, in.Limit)
	return listOf(found, next), err
}
