package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// ConversationPath names a conversation.
type ConversationPath struct {
	ID chat.ConversationID `path:"id" maxLength:"100"`
}

// MessagePath names a message.
type MessagePath struct {
	ConversationPath
	Seq int64 `path:"seq" minimum:"1" doc:"The message's sequence number."`
}

type messagePost struct {
	Keyed
	ConversationPath
	Body MessageInput
}

// NoteInput is a note to be written.
type NoteInput struct {
	MessageInput
	Mentions []string `json:"mentions,omitempty" maxItems:"20" nullable:"false" doc:"Ids of users or agents whom the note is for."`
}

type notePost struct {
	Keyed
	ConversationPath
	Body NoteInput
}

type messagePatch struct {
	Keyed
	MessagePath
	Body MessageInput
}

type messageDelete struct {
	Keyed
	MessagePath
}

type reactionPost struct {
	Keyed
	MessagePath
	Body struct {
		Emoji string `json:"emoji" maxLength:"64" doc:"Our only reaction from now on; empty takes it back." example:"👍"`
	}
}

type readPost struct {
	Keyed
	ConversationPath
	Body *struct {
		Seq int64 `json:"seq,omitempty" minimum:"1" doc:"The newest message that was read; the end of the conversation by default."`
	}
}

// eventReply is an event that a request made; Replayed: it had been made by an earlier request with the same key.
type eventReply struct {
	Replayed string `header:"Idempotency-Replayed" doc:"true: an earlier request with this key did it."`
	Body     chat.Event
}

func (a *API) registerMessages() {
	const tag, messages = "messages", "/v1/conversations/{id}/messages"
	add(a, act{
		method: http.MethodPost, path: messages, id: "postMessage", tag: tag, scope: ScopeWrite, status: http.StatusCreated, exact: true,
		summary: "Send a message", more: "201 says that it is stored for good and will be sent; its status follows as receipts.",
	}, a.postMessage)
	add(a, act{
		method: http.MethodPost, path: "/v1/conversations/{id}/notes", id: "postNote", tag: tag, scope: ScopeWrite, status: http.StatusCreated, exact: true,
		summary: "Write a note", more: "Notes are seen by us only, never by the contact. Who is mentioned is in the event's `mentions`.",
	}, a.postNote)
	add(a, act{
		method: http.MethodPatch, path: messages + "/{seq}", id: "editMessage", tag: tag, scope: ScopeWrite, exact: true,
		summary: "Replace a message's content", more: "Where the platform cannot, a dead letter tells of it.",
	}, a.editMessage)
	add(a, act{
		method: http.MethodDelete, path: messages + "/{seq}", id: "deleteMessage", tag: tag, scope: ScopeWrite, exact: true,
		summary: "Take a message back", more: "Where the platform cannot, a dead letter tells of it.",
	}, a.deleteMessage)
	add(a, act{
		method: http.MethodPost, path: messages + "/{seq}/reactions", id: "react", tag: tag, scope: ScopeWrite, status: http.StatusCreated, exact: true,
		summary: "Set our reaction to a message",
	}, a.react)
	add(a, act{
		method: http.MethodPost, path: "/v1/conversations/{id}/read", id: "markRead", tag: tag, scope: ScopeWrite, exact: true,
		summary: "Mark the contact's messages as read", more: "Sets unread to 0 and tells the platform, where it wants to know.",
	}, a.markRead)
	add(a, act{
		method: http.MethodPost, path: "/v1/conversations/{id}/typing", id: "showTyping", tag: tag, scope: ScopeWrite, status: http.StatusNoContent,
		summary: "Show that somebody writes", more: "Shown for a few seconds to the contact, where the platform can, and to streams; never stored.",
	}, a.typing)
}

// once makes the store's name for a request's key; the store refuses nothing of it.
func onceOf(ctx context.Context, key string) (string, error) {
	if key == "" {
		return "", nil
	}
	if err := checkKey(key); err != nil {
		return "", err
	}
	return "api/" + onceName(callerOf(ctx), key), nil
}

// message reads and checks a message, files included.
func (a *API) message(ctx context.Context, in MessageInput) (chat.Message, error) {
	msg, files, problems := in.read()
	if len(problems) > 0 {
		return msg, invalid(problems...)
	}
	for _, use := range files {
		f, err := a.Store.File(ctx, use.id)
		if chat.CodeOf(err) == chat.CodeNotFound || err == nil && f.Workspace != here(ctx) {
			problems = append(problems, ProblemDetail{use.path, "no such file"})
			continue
		}
		if err != nil {
			return msg, err
		}
	}
	if len(problems) > 0 {
		return msg, invalid(problems...)
	}
	return msg, nil
}

// done turns what the log did into the answer.
func (a *API) done(ctx context.Context, res store.Result, w wanted) (*eventReply, error) {
	e := res.Events[0]
	out := &eventReply{Body: a.render(here(ctx), e)}
	if res.Duplicate {
		if !w.same(e) {
			return nil, mismatch()
		}
		out.Replayed = "true"
	}
	return out, nil
}

// post appends what p says, with the message that was given.
func (a *API) post(ctx context.Context, key string, body MessageInput, p store.Post) (*eventReply, error) {
	once, err := onceOf(ctx, key)
	if err != nil {
		return nil, err
	}
	if p.Message, err = a.message(ctx, body); err != nil {
		return nil, err
	}
	p.Workspace, p.Sender, p.Once, p.Action = here(ctx), party(ctx), once, actionOf(ctx)
	res, err := a.Store.Append(ctx, &p)
	if err != nil {
		return nil, err
	}
	return a.done(ctx, res, wanted{conversation: p.Conversation, kind: p.Kind, message: &p.Message, mentions: p.Mentions})
}

func (a *API) postMessage(ctx context.Context, in *messagePost) (*eventReply, error) {
	return a.post(ctx, in.Key, in.Body, store.Post{Conversation: in.ID, Kind: chat.KindMessage})
}

func (a *API) postNote(ctx context.Context, in *notePost) (*eventReply, error) {
	mentions := slices.Clone(in.Body.Mentions)
	slices.Sort(mentions)
	mentions = slices.Compact(mentions)
	if err := a.checkMentions(ctx, mentions); err != nil {
		return nil, err
	}
	return a.post(ctx, in.Key, in.Body.MessageInput, store.Post{Conversation: in.ID, Kind: chat.KindNote, Mentions: mentions})
}

// checkMentions wants each to be a user or an agent of this workspace.
func (a *API) checkMentions(ctx context.Context, ids []string) error {
	for _, id := range ids {
		_, err := a.Store.User(ctx, here(ctx), id)
		if chat.CodeOf(err) == chat.CodeNotFound {
			_, err = a.Store.Agent(ctx, here(ctx), id)
		}
		if chat.CodeOf(err) == chat.CodeNotFound {
			return invalid(ProblemDetail{"body.mentions", fmt.Sprintf("%.40q is neither a user nor an agent", id)})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// change appends an act about a message.
func (a *API) change(ctx context.Context, key string, c store.Change) (*eventReply, error) {
	once, err := onceOf(ctx, key)
	if err != nil {
		return nil, err
	}
	w := wanted{conversation: c.Conversation, kind: c.Kind, seq: c.Seq, message: c.Message}
	if c.Seq == 0 { // the end of the conversation, wherever that is by now
		conv, err := a.Store.Conversation(ctx, here(ctx), c.Conversation)
		if err != nil {
			return nil, err
		}
		c.Seq = conv.LastSeq
	}
	c.Workspace, c.Sender, c.Once, c.Action = here(ctx), party(ctx), once, actionOf(ctx)
	if c.Reaction != nil && len(c.Reaction.Added) > 0 {
		w.emoji = c.Reaction.Added[0]
	}
	res, err := a.Store.Append(ctx, &c)
	if err != nil {
		return nil, err
	}
	return a.done(ctx, res, w)
}

func (a *API) editMessage(ctx context.Context, in *messagePatch) (*eventReply, error) {
	if in.Body.ReplyTo != nil {
		return nil, invalid(ProblemDetail{"body.reply_to", "stays as it is"})
	}
	msg, err := a.message(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	return a.change(ctx, in.Key, store.Change{Conversation: in.ID, Kind: chat.KindEdited, Seq: in.Seq, Message: &msg})
}

func (a *API) deleteMessage(ctx context.Context, in *messageDelete) (*eventReply, error) {
	return a.change(ctx, in.Key, store.Change{Conversation: in.ID, Kind: chat.KindDeleted, Seq: in.Seq})
}

func (a *API) react(ctx context.Context, in *reactionPost) (*eventReply, error) {
	r := &chat.ReactionData{All: true}
	if in.Body.Emoji != "" {
		r.Added = []string{in.Body.Emoji}
	}
	return a.change(ctx, in.Key, store.Change{Conversation: in.ID, Kind: chat.KindReaction, Seq: in.Seq, Reaction: r})
}

func (a *API) markRead(ctx context.Context, in *readPost) (*eventReply, error) {
	seq := int64(0)
	if in.Body != nil {
		seq = in.Body.Seq
	}
	return a.change(ctx, in.Key, store.Change{Conversation: in.ID, Kind: chat.KindRead, Seq: seq})
}

func (a *API) typing(ctx context.Context, in *struct {
	Keyed
	ConversationPath
},
) (*empty, error) {
	return nil, a.Hub.Typing(ctx, here(ctx), in.ID, party(ctx))
}
