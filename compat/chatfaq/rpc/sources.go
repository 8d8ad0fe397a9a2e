package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/knowledge"
	"github.com/dragoman-hub/dragoman/store"
)

// maxSourceURL bounds the address of a data source, in bytes.
const maxSourceURL = 2000

// sourceView is a data source in the protocol's words.
type sourceView struct {
	ID      int64              `json:"id"`
	Created time.Time          `json:"created_date"`
	Updated time.Time          `json:"updated_date"`
	Base    int64              `json:"knowledge_base"`
	Parser  *string            `json:"parser"`
	CSV     *string            `json:"original_csv"`
	PDF     *string            `json:"original_pdf"`
	URL     *string            `json:"original_url"`
	Task    string             `json:"task_id"`
	Status  store.SourceStatus `json:"status"`
	Detail  string             `json:"detail,omitempty"`
}

func (s *Server) sourceView(ws chat.WorkspaceID, x store.KnowledgeSource) sourceView {
	return sourceView{
		x.ID, x.CreatedAt, x.UpdatedAt, x.Base, orNothing(x.Parser), s.link(ws, x.CSV), s.link(ws, x.PDF), orNothing(x.URL),
		x.Task, x.Status, x.Detail,
	}
}

// link is where a file can be had for a while.
func (s *Server) link(ws chat.WorkspaceID, id chat.FileID) *string {
	if id == "" || s.Link == nil {
		return nil
	}
	return orNothing(s.Link(ws, id))
}

// task is what a parser is told.
type task struct {
	Base   int64   `json:"kb_id"`
	Source int64   `json:"ds_id"`
	Task   string  `json:"task_id"`
	CSV    *string `json:"csv"`
	PDF    *string `json:"pdf"`
	URL    *string `json:"url"`
}

// addSource has something read by a parser, or reads a table itself.
func (s *Server) addSource(w http.ResponseWriter, r *http.Request, token store.Token) error {
	f, err := readForm(r, knowledge.MaxDocument)
	if err != nil {
		return err
	}
	if err := checkSource(f); err != nil {
		return err
	}
	base, err := s.base(r, token.Workspace, name(f.fields["knowledge_base"]))
	if err != nil {
		return err
	}
	x := store.KnowledgeSource{Parser: f.fields["parser"], URL: f.fields["original_url"], Task: chat.NewID(), Status: store.SourceFinished}
	if x.Parser == "" {
		x, err = s.readTable(r.Context(), token.Workspace, base, x, f)
	} else {
		x, err = s.give(r.Context(), token.Workspace, base, x, f)
	}
	if err != nil {
		return err
	}
	answerJSON(w, http.StatusCreated, s.sourceView(token.Workspace, x))
	return nil
}

func checkSource(f form) error {
	wrong := invalidError{}
	if f.fields["knowledge_base"] == "" {
		wrong["knowledge_base"] = []string{wordRequired}
	}
	_, table := f.files["original_csv"]
	_, pdf := f.files["original_pdf"]
	switch parser := f.fields["parser"]; {
	case len(parser) > maxNames:
		wrong["parser"] = []string{fmt.Sprintf("Ensure this field has no more than %d characters.", maxNames)}
	case parser == "" && (pdf || f.fields["original_url"] != ""):
		wrong["parser"] = []string{"The hub itself reads tables only: name a parser of a worker."}
	case parser == "" && !table:
		wrong["parser"] = []string{"Name a parser of a worker, or send a table as original_csv."}
	}
	if address := f.fields["original_url"]; address != "" {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(address) > maxSourceURL {
			wrong["original_url"] = []string{"Enter a valid URL."}
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	return nil
}

// readTable makes items of an uploaded table.
func (s *Server) readTable(ctx context.Context, ws chat.WorkspaceID, base store.KnowledgeBase, x store.KnowledgeSource, f form) (store.KnowledgeSource, error) {
	t := knowledge.Table{
		Header: true, Columns: knowledge.Columns{Text: 1, URL: 2, Section: 3, Role: 4, Page: 5}, Content: f.files["original_csv"].content,
	}
	wrong := invalidError{}
	if text := f.fields["csv_header"]; text != "" {
		var err error
		if t.Header, err = strconv.ParseBool(text); err != nil {
			wrong["csv_header"] = []string{"Must be a valid boolean."}
		}
	}
	for member, column := range map[string]*int{
		"title_index_col": &t.Title, "content_index_col": &t.Text, "url_index_col": &t.URL, "section_index_col": &t.Section,
		"role_index_col": &t.Role, "page_number_index_col": &t.Page,
	} {
		if text := f.fields[member]; text != "" {
			var err error
			if *column, err = strconv.Atoi(text); err != nil {
				wrong[member] = []string{"A valid integer is required."}
			}
		}
	}
	if len(wrong) > 0 {
		return x, wrong
	}
	items, err := t.Read()
	if err != nil {
		return x, err
	}
	return s.Knowledge.AddSource(ctx, ws, base.Name, x, items)
}

// give hands a source to a parser.
func (s *Server) give(ctx context.Context, ws chat.WorkspaceID, base store.KnowledgeBase, x store.KnowledgeSource, f form) (store.KnowledgeSource, error) {
	c, err := s.parsers.pick(ws, x.Parser, x.Task)
	if err != nil {
		return x, err
	}
	x.Status = store.SourcePending
	var kept []chat.FileID
	for member, id := range map[string]*chat.FileID{"original_csv": &x.CSV, "original_pdf": &x.PDF} {
		u, there := f.files[member]
		if !there || err != nil {
			continue
		}
		var file store.File
		if file, err = s.keepFile(ctx, ws, u); err == nil {
			*id, kept = file.ID, append(kept, file.ID)
		}
	}
	if err == nil {
		x, err = s.Knowledge.AddSource(ctx, ws, base.Name, x, nil)
	}
	if err != nil {
		s.parsers.drop(x.Task)
		s.unkeep(ctx, kept...)
		return x, err
	}
	return s.handOver(ctx, ws, c, x)
}

// handOver gives a stored source to the parser that was picked for its task.
func (s *Server) handOver(ctx context.Context, ws chat.WorkspaceID, c *socket, x store.KnowledgeSource) (store.KnowledgeSource, error) {
	if !s.parsers.settle(x.Task) {
		s.fail(ctx, ws, x.Task) // its socket closed meanwhile
		return s.Store.KnowledgeSource(ctx, ws, x.ID)
	}
	c.send(outgoing{x.Parser, statusFine, task{x.Base, x.ID, x.Task, s.link(ws, x.CSV), s.link(ws, x.PDF), orNothing(x.URL)}})
	return x, nil
}

// repeatSource has a source read again that is over: it failed, or what it names has changed.
func (s *Server) repeatSource(w http.ResponseWriter, r *http.Request, token store.Token) error {
	id, err := number(r)
	if err != nil {
		return err
	}
	ctx, ws := r.Context(), token.Workspace
	x, err := s.Store.KnowledgeSource(ctx, ws, id)
	if err != nil {
		return err
	}
	if x.Parser == "" {
		return chat.Faultf(chat.CodeConflict, "the hub read this table itself: send it anew")
	}
	base, err := s.Store.KnowledgeBaseOf(ctx, ws, knowledge.Item{Base: x.Base})
	if err != nil {
		return err
	}
	next := chat.NewID()
	c, err := s.parsers.pick(ws, x.Parser, next)
	if err != nil {
		return err
	}
	if x, err = s.Store.RepeatKnowledgeSource(ctx, ws, base.Name, x, next); err == nil {
		x, err = s.handOver(ctx, ws, c, x)
	} else {
		s.parsers.drop(next)
	}
	if err != nil {
		return err
	}
	answerJSON(w, http.StatusOK, s.sourceView(ws, x))
	return nil
}

// keepFile stores an upload.
func (s *Server) keepFile(ctx context.Context, ws chat.WorkspaceID, u upload) (store.File, error) {
	f := store.File{ID: chat.FileID(chat.NewID()), Workspace: ws, Name: u.name, MIME: u.mime, Status: store.FileStored}
	if s.Blobs == nil {
		return f, chat.Faultf(chat.CodeConflict, "this hub keeps no files")
	}
	info, err := s.Blobs.Put(ctx, string(f.ID), bytes.NewReader(u.content), int64(len(u.content)))
	if err != nil {
		return f, err
	}
	f.Size, f.SHA256 = info.Size, info.SHA256
	return s.Store.AddFile(ctx, f)
}

// unkeep deletes uploads that came to nothing.
func (s *Server) unkeep(ctx context.Context, ids ...chat.FileID) {
	for _, id := range ids {
		err := s.Blobs.Delete(ctx, string(id))
		if err == nil {
			err = s.Store.DropUnsent(ctx, id)
		}
		if err != nil {
			s.Log.WarnContext(ctx, "rpc: an upload is left behind", "file", id, "err", err)
		}
	}
}

func (s *Server) oneSource(w http.ResponseWriter, r *http.Request, token store.Token) error {
	id, err := number(r)
	if err != nil {
		return err
	}
	x, err := s.Store.KnowledgeSource(r.Context(), token.Workspace, id)
	if err != nil {
		return err
	}
	answerJSON(w, http.StatusOK, s.sourceView(token.Workspace, x))
	return nil
}

func (s *Server) listSources(w http.ResponseWriter, r *http.Request, token store.Token) error {
	limit, offset := window(r, 2*store.MaxKnowledgeSources)
	page, count, err := s.Store.KnowledgeSources(r.Context(), token.Workspace, offset, limit)
	if err != nil {
		return err
	}
	views := make([]sourceView, len(page))
	for i, x := range page {
		views[i] = s.sourceView(token.Workspace, x)
	}
	answerJSON(w, http.StatusOK, listOf(r, views, count, limit, offset))
	return nil
}

// sourceOf finds the source that an item says it is of. One that is not known, or not any more, is none.
func (s *Server) sourceOf(r *http.Request, ws chat.WorkspaceID, base store.KnowledgeBase, which name) (int64, error) {
	id, err := strconv.ParseInt(string(which), 10, 64)
	if err != nil {
		return 0, nil //nolint:nilerr // clients may have sources of their own
	}
	x, err := s.Store.KnowledgeSource(r.Context(), ws, id)
	switch {
	case chat.CodeOf(err) == chat.CodeNotFound:
		return 0, nil
	case err != nil:
		return 0, err
	case x.Base != base.ID:
		return 0, invalidError{"data_source": []string{"It is one of another knowledge base."}}
	}
	return x.ID, nil
}

// jsonFields are the members of an object that are texts, numbers or truths.
func jsonFields(members map[string]json.RawMessage) map[string]string {
	out := map[string]string{}
	for member, raw := range members {
		var text string
		switch {
		case isNull(raw):
		case json.Unmarshal(raw, &text) == nil:
			out[member] = text
		default:
			out[member] = string(raw)
		}
	}
	return out
}
