package widget

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
)

// feedbackData is what the log keeps of a feedback; a later event with Of changes an earlier one.
type feedbackData struct {
	Of     int64           `json:"of,omitempty"` // position of the first
	Source int64           `json:"message_source,omitempty"`
	Target *int64          `json:"message_target,omitempty"`
	Data   json.RawMessage `json:"feedback_data"`
}

// feedbackView is a feedback as the protocol shows it.
type feedbackView struct {
	ID      int64           `json:"id"`
	Created string          `json:"created_date"`
	Updated string          `json:"updated_date"`
	Source  int64           `json:"message_source"`
	Target  *int64          `json:"message_target"`
	Data    json.RawMessage `json:"feedback_data"`
}

// Bounds of feedback.
const (
	maxFeedback = 16 << 10 // bytes of one
	maxOpinions = 500      // of a conversation, changes included
)

// of finds the conversation of a message, or of a feedback, by its number, and the position that this stands for. Those that are hidden,
// or not of this protocol, are not found.
func (s *Server) of(r *http.Request, number int64) (known, int64, error) {
	ctx := r.Context()
	ws, err := s.sites.workspace(ctx)
	if err != nil {
		return known{}, 0, err
	}
	pos, _, err := s.position(r, ws, number, access.ScopeWrite, scopeWorker)
	if err != nil {
		return known{}, 0, err
	}
	k, err := s.around(r, ws, pos)
	return k, pos, err
}

// around finds the conversation of an event.
func (s *Server) around(r *http.Request, ws chat.WorkspaceID, pos int64) (known, error) {
	ctx := r.Context()
	e, err := s.Store.EventAt(ctx, ws, pos)
	if chat.CodeOf(err) == chat.CodeNotFound || err == nil && e.Conversation == "" {
		return known{}, errNotFound()
	}
	if err != nil {
		return known{}, err
	}
	first, err := s.Store.Events(ctx, ws, e.Conversation, 0, 1)
	if err != nil || len(first) == 0 {
		return known{}, orProblem(err, http.StatusNotFound, "Not found.")
	}
	k, err := s.at(ctx, ws, first[0].Pos)
	if err != nil {
		return k, err
	}
	return k, s.admit(r, k)
}

// opinions reads the feedback of a conversation, the first first.
func (s *Server) opinions(ctx context.Context, k known) (all []feedbackView, events int, err error) {
	found, err := s.Store.EventsOfKinds(ctx, k.site.workspace, k.ID, kindFeedback)
	if err != nil {
		return nil, 0, err
	}
	at := map[int64]int{}
	for _, e := range found {
		var d feedbackData
		if json.Unmarshal(e.Data, &d) != nil || len(d.Data) == 0 {
			continue // erased
		}
		if i, ok := at[d.Of]; ok && d.Of != 0 {
			all[i].Data, all[i].Updated = d.Data, isoTime(e.At)
			continue
		}
		at[e.Pos] = len(all)
		all = append(all, feedbackView{ID: e.Pos, Created: isoTime(e.At), Updated: isoTime(e.At), Source: d.Source, Target: d.Target, Data: d.Data})
	}
	return all, len(found), nil
}

// listFeedback lists what was said of a message.
func (s *Server) listFeedback(w http.ResponseWriter, r *http.Request) error {
	found := []feedbackView{}
	source, err := strconv.ParseInt(r.URL.Query().Get("message_source"), 10, 64)
	if err != nil || source < 1 {
		return answer(w, http.StatusOK, paged(s, r, found)) // nobody lists the feedback on everything
	}
	k, source, err := s.of(r, source)
	if _, none := err.(refused); none { //nolint:errorlint // made by of
		return answer(w, http.StatusOK, paged(s, r, found))
	}
	if err != nil {
		return err
	}
	all, _, err := s.opinions(r.Context(), k)
	if err != nil {
		return err
	}
	for _, f := range all {
		if f.Source == source {
			found = append(found, s.shown(f))
		}
	}
	return answer(w, http.StatusOK, paged(s, r, found))
}

func isObject(raw json.RawMessage) bool {
	return bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) && len(raw) <= maxFeedback
}

func (s *Server) addFeedback(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Source *int64          `json:"message_source"`
		Target *int64          `json:"message_target"`
		Data   json.RawMessage `json:"feedback_data"`
	}
	if err := body(r, &in); err != nil {
		return err
	}
	faults := map[string][]string{}
	if in.Source == nil {
		faults["message_source"] = []string{required}
	}
	if !isObject(in.Data) {
		faults["feedback_data"] = []string{"An object of at most 16 KiB."}
	}
	if len(faults) > 0 {
		return answer(w, http.StatusBadRequest, faults)
	}
	k, source, err := s.of(r, *in.Source)
	if _, none := err.(refused); none { //nolint:errorlint // made by of
		return answer(w, http.StatusBadRequest, map[string][]string{"message_source": {"Invalid pk - object does not exist."}})
	}
	if err != nil {
		return err
	}
	d := feedbackData{Source: source, Data: in.Data}
	if in.Target != nil {
		other, target, err := s.of(r, *in.Target)
		if d.Target = &target; err != nil || other.ID != k.ID {
			return answer(w, http.StatusBadRequest, map[string][]string{"message_target": {"Not a message of this conversation."}})
		}
	}
	return s.opine(w, r, k, 0, d)
}

// opine stores a feedback, or a change of one, and answers with how it is now.
func (s *Server) opine(w http.ResponseWriter, r *http.Request, k known, id int64, d feedbackData) error {
	_, events, err := s.opinions(r.Context(), k)
	if err != nil {
		return err
	}
	if events >= maxOpinions {
		return problem(http.StatusTooManyRequests, "too much feedback on one conversation")
	}
	if err := s.record(r.Context(), k, kindFeedback, d); err != nil {
		return err
	}
	all, _, err := s.opinions(r.Context(), k)
	if err != nil {
		return err
	}
	status, now := http.StatusCreated, all[len(all)-1]
	if id != 0 {
		status = http.StatusOK
		for _, f := range all {
			if f.ID == id {
				now = f
			}
		}
	}
	return answer(w, status, s.shown(now))
}

// shown is a feedback with numbers in place of positions.
func (s *Server) shown(f feedbackView) feedbackView {
	f.ID = s.numbers.of(f.ID)
	if f.Source != 0 {
		f.Source = s.numbers.of(f.Source)
	}
	if f.Target != nil {
		target := s.numbers.of(*f.Target)
		f.Target = &target
	}
	return f
}

// feedback finds one by its id.
func (s *Server) feedback(r *http.Request) (known, feedbackView, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		return known{}, feedbackView{}, errNotFound()
	}
	k, id, err := s.of(r, id)
	if err != nil {
		return k, feedbackView{}, err
	}
	all, _, err := s.opinions(r.Context(), k)
	for _, f := range all {
		if f.ID == id {
			return k, f, err
		}
	}
	return k, feedbackView{}, orProblem(err, http.StatusNotFound, "Not found.")
}

func (s *Server) oneFeedback(w http.ResponseWriter, r *http.Request) error {
	_, f, err := s.feedback(r)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, s.shown(f))
}

func (s *Server) changeFeedback(w http.ResponseWriter, r *http.Request) error {
	k, f, err := s.feedback(r)
	if err != nil {
		return err
	}
	var in struct {
		Data json.RawMessage `json:"feedback_data"`
	}
	if err := body(r, &in); err != nil {
		return err
	}
	if in.Data == nil {
		return answer(w, http.StatusOK, s.shown(f))
	}
	if !isObject(in.Data) {
		return answer(w, http.StatusBadRequest, map[string][]string{"feedback_data": {"An object of at most 16 KiB."}})
	}
	return s.opine(w, r, k, f.ID, feedbackData{Of: f.ID, Data: in.Data})
}

// conversationFeedback is what newer clients say of a whole conversation, which they name as they do in the socket's path. Only one that
// somebody is connected to is found by that name.
func (s *Server) conversationFeedback(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Conversation json.RawMessage `json:"conversation_id"`
		Tags         json.RawMessage `json:"tags"`
		Comment      string          `json:"comment"`
	}
	if err := body(r, &in); err != nil {
		return err
	}
	id, ok := words255(in.Conversation)
	if !ok || id == "" {
		return answer(w, http.StatusBadRequest, map[string][]string{"conversation_id": {required}})
	}
	v, found := s.feed.topic(id)
	if !found {
		return errNotFound()
	}
	pos, _ := s.numbers.position(v.number)
	k, err := s.at(r.Context(), v.workspace, pos)
	if err != nil {
		return err
	}
	if err := s.admit(r, k); err != nil {
		return err
	}
	data := encoded(map[string]any{"tags": in.Tags, "comment": in.Comment})
	if len(data) > maxFeedback {
		return problem(http.StatusBadRequest, "at most 16 KiB")
	}
	return s.opine(w, r, k, 0, feedbackData{Data: data})
}
