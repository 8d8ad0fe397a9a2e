package api

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/wake"
)

type presencePost struct {
	ConversationPath
	Body struct {
		Doing wake.Doing `json:"doing" enum:"looking,typing,gone"`
	}
}

// PresenceView is what somebody does in a conversation.
type PresenceView struct {
	User  string     `json:"user"`
	Name  string     `json:"name"`
	Doing wake.Doing `json:"doing" enum:"looking,typing"`
	At    time.Time  `json:"at"`
}

// PresentView is who else is there.
type PresentView struct {
	Others []PresenceView `json:"others" nullable:"false" doc:"Who else looks at the conversation or writes in it."`
}

func (a *API) registerPresence() {
	add(a, act{
		method: http.MethodPost, path: "/v1/conversations/{id}/presence", id: "postPresence", tag: "conversations", scope: ScopeWrite,
		summary: "Say that one looks at a conversation, writes in it or has left it",
		more: "For colleagues only: they get the event `presence`, which is never stored; the contact sees nothing of it. It counts for 45 s: " +
			"say it again every 20 s while it is so.",
	}, a.postPresence)
}

func (a *API) postPresence(ctx context.Context, in *presencePost) (*reply[PresentView], error) {
	if _, err := a.Store.Conversation(ctx, here(ctx), in.ID); err != nil {
		return nil, err
	}
	by := party(ctx)
	p := wake.Presence{Workspace: here(ctx), Conversation: in.ID, User: by.ID, Name: by.Name, Doing: in.Body.Doing, At: a.Now().UTC()}
	a.present.note(p)
	a.Wake.Presence(p)
	return &reply[PresentView]{PresentView{a.present.others(p)}}, nil
}

func presenceFrame(p wake.Presence) *frame {
	raw, _ := json.Marshal(p) // plain data: cannot fail
	return newFrame(0, chat.KindPresence, p.Conversation, raw)
}

// present knows who is where, as far as this node has heard: what is said here, and what others say while anybody follows the log here.
// It is bounded, never stored, and forgets by itself.
type present struct {
	mu    sync.Mutex
	there map[presentKey]map[string]wake.Presence // by user
	size  int
}

type presentKey struct {
	workspace    chat.WorkspaceID
	conversation chat.ConversationID
}

// presentLimit bounds how many presences are known.
const presentLimit = 20_000

func (k *present) note(p wake.Presence) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.size >= presentLimit {
		k.forget(p.At)
	}
	at := presentKey{p.Workspace, p.Conversation}
	before, known := k.there[at][p.User]
	switch {
	case known && before.At.After(p.At):
		return // it was overtaken
	case p.Doing == wake.GoneAway:
		if known {
			delete(k.there[at], p.User)
			k.size--
		}
		if len(k.there[at]) == 0 {
			delete(k.there, at)
		}
		return
	case k.there == nil:
		k.there = map[presentKey]map[string]wake.Presence{}
	}
	if k.there[at] == nil {
		k.there[at] = map[string]wake.Presence{}
	}
	if !known {
		k.size++
	}
	k.there[at][p.User] = p
}

// forget drops what counts no more; if that is not enough, all: who stays says so again.
func (k *present) forget(now time.Time) {
	for at, users := range k.there {
		for id, p := range users {
			if now.Sub(p.At) >= wake.PresenceFor {
				delete(users, id)
				k.size--
			}
		}
		if len(users) == 0 {
			delete(k.there, at)
		}
	}
	if k.size >= presentLimit {
		k.there, k.size = nil, 0
	}
}

// others are those who are where p is, but for p's own user; in the order of their names.
func (k *present) others(p wake.Presence) []PresenceView {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := []PresenceView{}
	for id, x := range k.there[presentKey{p.Workspace, p.Conversation}] {
		if id != p.User && p.At.Sub(x.At) < wake.PresenceFor {
			out = append(out, PresenceView{x.User, x.Name, x.Doing, x.At})
		}
	}
	slices.SortFunc(out, func(a, b PresenceView) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.User, b.User)) })
	return out
}
