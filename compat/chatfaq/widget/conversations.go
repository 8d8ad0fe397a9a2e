package widget

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/door"
	"github.com/dragoman-hub/dragoman/store"
)

// Kinds of events that only this protocol has. The log deletes nothing: a conversation that its contact deletes is closed and hidden from
// clients of this protocol.
const (
	kindRenamed  chat.Kind = "renamed"  // {"name"}
	kindHidden   chat.Kind = "hidden"   // no data
	kindFeedback chat.Kind = "feedback" // feedbackData
)

// conversationView is a conversation as the protocol shows it.
type conversationView struct {
	ID             int64           `json:"id"`
	Created        string          `json:"created_date"`
	Updated        string          `json:"updated_date"`
	Platform       string          `json:"platform_conversation_id"`
	Name           string          `json:"name"`
	Metadata       json.RawMessage `json:"initial_conversation_metadata"`
	Authentication bool            `json:"authentication_required"`
	Override       *string         `json:"fsm_state_override"`
	UserID         *string         `json:"user_id,omitempty"`
	Flows          []string        `json:"fsm_defs"`
	Messages       *int            `json:"num_user_msgs,omitempty"`
	Chain          *[]chained      `json:"msgs_chain,omitempty"`
}

// known is a conversation with what this protocol has to know of it.
type known struct {
	chat.Conversation
	site   site
	number int64
	opened chat.OpenedData
	name   string
	named  bool // by somebody
	hidden bool
}

// number is by what the protocol names a conversation: made of the position of its first event.
func (s *Server) number(ctx context.Context, conv chat.Conversation) (int64, error) {
	first, err := s.Store.Events(ctx, s.mustWorkspace(), conv.ID, 0, 1)
	if err != nil {
		return 0, err
	}
	if len(first) == 0 {
		return 0, chat.Faultf(chat.CodeNotFound, "no such conversation")
	}
	return s.numbers.of(first[0].Pos), nil
}

// mustWorkspace is the workspace once it was found, which every way to a conversation begins with.
func (s *Server) mustWorkspace() chat.WorkspaceID {
	s.sites.mu.Lock()
	defer s.sites.mu.Unlock()
	return s.sites.ws
}

// know reads what a conversation's own events say.
func (s *Server) know(ctx context.Context, conv chat.Conversation, x site) (known, error) {
	k := known{Conversation: conv, site: x, name: conv.OpenedAt.UTC().Format("2006-01-02_15-04-05")}
	events, err := s.Store.EventsOfKinds(ctx, x.workspace, conv.ID, chat.KindOpened, kindRenamed, kindHidden)
	if err != nil {
		return k, err
	}
	for _, e := range events {
		switch e.Kind {
		case chat.KindOpened:
			k.number = s.numbers.of(e.Pos)
			_ = json.Unmarshal(e.Data, &k.opened) // erased: there is nothing to tell
		case kindRenamed:
			var d struct {
				Name string `json:"name"`
			}
			if json.Unmarshal(e.Data, &d) == nil && d.Name != "" {
				k.name, k.named = d.Name, true
			}
		case kindHidden:
			k.hidden = true
		default:
		}
	}
	return k, nil
}

func (k known) view() conversationView {
	v := conversationView{
		ID: k.number, Created: isoTime(k.OpenedAt), Updated: isoTime(k.Updated), Platform: k.Thread.Topic, Name: k.name, Metadata: k.opened.Metadata,
		Authentication: k.site.settings.AuthenticationRequired,
	}
	if len(v.Metadata) == 0 {
		v.Metadata = json.RawMessage("{}")
	}
	if k.opened.Override != "" {
		v.Override = &k.opened.Override
	}
	if k.opened.Flow != "" {
		v.Flows = []string{k.opened.Flow}
	}
	return v
}

// maxList is how many conversations of somebody are listed.
const maxList = 200

// fromSender lists the conversations of a user, the newest first.
func (s *Server) fromSender(w http.ResponseWriter, r *http.Request) error {
	sender := r.URL.Query().Get("sender")
	if sender == "" || len(sender) > maxToken {
		return refused{http.StatusBadRequest, "error", "sender is required"}
	}
	ctx := r.Context()
	all, err := s.sites.all(ctx)
	if err != nil {
		return err
	}
	found := []thread{}
	for _, x := range all {
		if x.settings.AuthenticationRequired {
			if good, err := s.good(ctx, x.workspace, bearer(r)); err != nil || !good {
				continue
			}
		}
		threads, err := s.threads(ctx, x, sender, "")
		if err != nil {
			return err
		}
		found = append(found, threads...)
	}
	slices.SortStableFunc(found, func(a, b thread) int { return b[0].OpenedAt.Compare(a[0].OpenedAt) })
	out := make([]conversationView, 0, len(found))
	for _, t := range found[:min(len(found), maxList)] {
		v, n := t.view(), 0
		for _, k := range t {
			count, err := s.Store.CountReceived(ctx, k.site.workspace, k.ID)
			if err != nil {
				return err
			}
			n += count
		}
		v.UserID, v.Messages = &sender, &n
		out = append(out, v)
	}
	return answer(w, http.StatusOK, out)
}

// find opens a conversation by its number.
func (s *Server) find(r *http.Request, text string) (known, error) {
	ctx := r.Context()
	ws, err := s.sites.workspace(ctx)
	if err != nil {
		return known{}, err
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 1 {
		return known{}, errNotFound()
	}
	pos, trusted, err := s.position(r, ws, number, access.ScopeWrite)
	if err != nil {
		return known{}, err
	}
	k, err := s.at(ctx, ws, pos)
	if err == nil && k.site.settings.AuthenticationRequired && !trusted {
		err = visitOf(ctx).untrusted()
	}
	return k, err
}

// position finds what a number stands for. A position in the log, by which workers know things, can be guessed: it is good only with a
// token that may read, or with one of the scopes that writing wants, all conversations.
func (s *Server) position(r *http.Request, ws chat.WorkspaceID, number int64, write ...string) (pos int64, trusted bool, err error) {
	scopes, trusted, err := s.scopes(r.Context(), ws, bearer(r))
	pos, known := s.numbers.position(number)
	if known && chat.CodeOf(err) == door.CodeThrottled {
		return pos, false, nil // the number alone is good, and many pages may show the same old token
	}
	if err != nil {
		return 0, false, err
	}
	if known {
		return pos, trusted, nil
	}
	wanted := []string{access.ScopeRead, scopeWorker}
	if r.Method == http.MethodPatch || r.Method == http.MethodDelete {
		wanted = write
	}
	if trusted && may(scopes, wanted...) {
		return number, true, nil
	}
	return 0, trusted, errNotFound()
}

// admit refuses a conversation that requires a token to callers without one.
func (s *Server) admit(r *http.Request, k known) error {
	if !k.site.settings.AuthenticationRequired {
		return nil
	}
	good, err := s.good(r.Context(), k.site.workspace, bearer(r))
	if err == nil && !good {
		err = errNoToken()
	}
	return err
}

// at is the conversation that was opened at a position.
func (s *Server) at(ctx context.Context, ws chat.WorkspaceID, pos int64) (known, error) {
	e, err := s.Store.EventAt(ctx, ws, pos)
	if err == nil && (e.Kind != chat.KindOpened || e.Conversation == "") || chat.CodeOf(err) == chat.CodeNotFound {
		return known{}, errNotFound()
	}
	if err != nil {
		return known{}, err
	}
	conv, err := s.Store.Conversation(ctx, ws, e.Conversation)
	if err != nil {
		return known{}, err
	}
	x, err := s.sites.channel(ctx, conv.Channel)
	if chat.CodeOf(err) == chat.CodeNotFound {
		return known{}, errNotFound()
	}
	if err != nil {
		return known{}, err
	}
	k, err := s.know(ctx, conv, x)
	if err == nil && k.hidden {
		err = errNotFound()
	}
	return k, err
}

func (s *Server) conversation(w http.ResponseWriter, r *http.Request) error {
	t, err := s.thread(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	v := t.view()
	chain, err := s.chain(r, t)
	if err != nil {
		return err
	}
	v.Chain = &chain
	return answer(w, http.StatusOK, v)
}

// maxNameLength is how long a conversation's name may be, in characters.
const maxNameLength = 255

func (s *Server) rename(w http.ResponseWriter, r *http.Request) error {
	t, err := s.thread(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	var in struct {
		Name *string `json:"name"`
	}
	if err := body(r, &in); err != nil {
		return err
	}
	v := t.view()
	if in.Name != nil {
		if strings.TrimSpace(*in.Name) == "" || len([]rune(*in.Name)) > maxNameLength {
			return answer(w, http.StatusBadRequest, map[string][]string{"name": {"This field has 1 to 255 characters."}})
		}
		if err := s.record(r.Context(), t[0], kindRenamed, map[string]string{"name": *in.Name}); err != nil {
			return err
		}
		v.Name = *in.Name
	}
	return answer(w, http.StatusOK, v)
}

// record appends what a client told.
func (s *Server) record(ctx context.Context, k known, kind chat.Kind, data any) error {
	_, err := s.Store.Append(ctx, &store.Record{
		Workspace: k.site.workspace, Conversation: k.ID, Kind: kind, Data: encoded(data),
		Sender: chat.Party{Type: chat.PartyContact, ID: k.Thread.Address},
	})
	return err
}

// hide takes a thread out of sight. It is closed first, so that it begins anew.
func (s *Server) hide(w http.ResponseWriter, r *http.Request) error {
	t, err := s.thread(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	for _, k := range t {
		if err := s.bury(r.Context(), k); err != nil {
			return err
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) bury(ctx context.Context, k known) error {
	if k.State != chat.StateClosed {
		_, err := s.Store.Append(ctx, &store.Place{
			Workspace: k.site.workspace, Conversation: k.ID, By: chat.Party{Type: chat.PartyContact, ID: k.Thread.Address},
			To: chat.PlaceData{State: chat.StateClosed, Reason: "deleted by the contact"},
		})
		if err != nil && chat.CodeOf(err) != chat.CodeClosed {
			return err
		}
	}
	return s.record(ctx, k, kindHidden, struct{}{})
}
