package widget

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/mml"
	"github.com/dragoman-hub/dragoman/store"
)

// uploadPrefix begins the name of an upload, as the protocol has it: uploads/<conversation>/<number>.
const uploadPrefix = "uploads/"

// place is what a link for an upload is good for. It is signed.
type place struct {
	Channel      chat.ChannelID      `json:"ch"`
	Conversation chat.ConversationID `json:"cv"`
	Max          int64               `json:"max,omitempty"` // bytes; 0: what all uploads may have
}

// presign adds to a file_upload layer where its file may be put. The links are made anew whenever the layer is shown.
func (s *Server) presign(v view, i item, l *mml.Layer) {
	var payload map[string]json.RawMessage
	var files map[string]map[string]json.RawMessage
	if json.Unmarshal(l.Payload, &payload) != nil || json.Unmarshal(payload["files"], &files) != nil {
		return
	}
	path := uploadPrefix + text(v.number) + "/" + text(i.id)
	for ext, f := range files {
		if f == nil {
			f = map[string]json.RawMessage{}
			files[ext] = f
		}
		p := place{Channel: v.channel, Conversation: v.conversation}
		_ = json.Unmarshal(f["max_size"], &p.Max) // not a number: no limit of its own
		sig := s.Signer.Sign(path, string(encoded(p)), s.Now().Add(s.Limits.LinkAge))
		contentType, _, _ := strings.Cut(mime.TypeByExtension("."+ext), ";")
		if contentType == "" {
			contentType = "application/octet-stream"
		}
		f["presigned_url"] = encoded(v.base + "/back/" + path + "?sig=" + url.QueryEscape(sig))
		f["s3_path"], f["content_type"] = encoded(path), encoded(contentType)
	}
	payload["files"] = encoded(files)
	if payload["max_files"] != nil {
		payload["max_files"] = encoded(1) // one link is for one file
	}
	l.Payload = encoded(payload)
}

// uploadTime is how long an upload may take.
const uploadTime = 15 * time.Minute

// put takes the bytes of a file.
func (s *Server) put(w http.ResponseWriter, r *http.Request) error {
	path := uploadPrefix + r.PathValue("conversation") + "/" + r.PathValue("number")
	signed, err := s.Signer.Verify(path, r.URL.Query().Get("sig"), s.Now())
	var p place
	if err != nil || json.Unmarshal([]byte(signed), &p) != nil {
		return problem(http.StatusForbidden, "the link is wrong or too old")
	}
	limit := s.Limits.Attachment
	if p.Max > 0 {
		limit = min(limit, p.Max)
	}
	if r.ContentLength > limit {
		return problem(http.StatusRequestEntityTooLarge, "the file is too large")
	}
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(s.Now().Add(uploadTime)) // an error: this connection knows no deadlines
	_ = rc.SetWriteDeadline(s.Now().Add(uploadTime))
	ws, err := s.sites.workspace(r.Context())
	if err != nil {
		return err
	}
	f := store.File{Workspace: ws, Channel: p.Channel, Conversation: p.Conversation, MIME: r.Header.Get("Content-Type")}
	if f, err = s.keep(r, f, r.Body, limit); err != nil {
		return err
	}
	if err := s.Store.SetNote(r.Context(), p.Channel, path, string(f.ID)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// keep stores the bytes of a file and its row.
func (s *Server) keep(r *http.Request, f store.File, body interface{ Read([]byte) (int, error) }, limit int64) (store.File, error) {
	f.ID, f.Status = chat.FileID(chat.NewID()), store.FileStored
	if _, _, err := mime.ParseMediaType(f.MIME); err != nil {
		f.MIME = "application/octet-stream"
	}
	info, err := s.Blobs.Put(r.Context(), string(f.ID), body, limit)
	if err != nil {
		return f, err
	}
	f.Size, f.SHA256 = info.Size, info.SHA256
	return s.Store.AddFile(r.Context(), f)
}

// uploaded names the stored files of a message's file_uploaded layers. Only files of this conversation can be named: their path has its
// number, and only whoever had our link could put something there.
func (s *Server) uploaded(ctx context.Context, v view, m *chat.Message) error {
	for i, e := range m.Stack {
		if e.Type != chat.File {
			continue
		}
		l := mml.Layers(chat.Message{Stack: []chat.Element{e}})[0]
		p, there := named(l)
		if !there {
			continue
		}
		number, last, ok := strings.Cut(strings.TrimPrefix(p.Path, uploadPrefix), "/")
		if _, err := strconv.ParseInt(last, 10, 64); err != nil || !ok || number != text(v.number) {
			return chat.Faultf(chat.CodeInvalid, "s3_path: not an upload of this conversation")
		}
		id, err := s.Store.Note(ctx, v.channel, p.Path)
		if err != nil {
			return err
		}
		if id == "" {
			return chat.Faultf(chat.CodeInvalid, "s3_path: nothing was uploaded there")
		}
		if m.Stack[i], err = s.attached(ctx, e, chat.FileID(id), p.Name); err != nil {
			return err
		}
	}
	return nil
}

// naming is how a file_uploaded layer names a file.
type naming struct {
	Path string `json:"s3_path"`
	Name string `json:"name"`
}

// named reads which file a layer names: newer clients make a list of the one that they may send.
func named(l mml.Layer) (naming, bool) {
	var p struct {
		naming
		Files []naming `json:"files"`
	}
	if l.Type != mml.TypeFileUploaded || json.Unmarshal(l.Payload, &p) != nil {
		return naming{}, false
	}
	if p.Path == "" && len(p.Files) == 1 {
		p.naming = p.Files[0]
	}
	return p.naming, p.Path != ""
}

// attached puts the file into the element, and the name that the contact gave it to the file.
func (s *Server) attached(ctx context.Context, e chat.Element, id chat.FileID, name string) (chat.Element, error) {
	f, err := s.Store.File(ctx, id)
	if err != nil {
		return e, err
	}
	if name = plainName(name); f.Name == "" && name != "" {
		f.Name = name
		if err := s.Store.SetFile(ctx, f); err != nil {
			return e, err
		}
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(e.Payload, &fields); err != nil {
		return e, err
	}
	delete(fields, "url")
	fields["file"], fields["mime"], fields["size"] = encoded(id), encoded(f.MIME), encoded(f.Size)
	return chat.Element{Type: e.Type, Payload: encoded(fields)}, nil
}

// plainName is the last part of a name, without what no file may be called.
func plainName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, name)
	if len(name) > 200 {
		name = strings.ToValidUTF8(name[:200], "")
	}
	return name
}

// upload is for programs with a token: a form with one file, answered by a link.
func (s *Server) upload(w http.ResponseWriter, r *http.Request) error {
	ws, err := s.sites.workspace(r.Context())
	if err != nil {
		return err
	}
	scopes, good, err := s.scopes(r.Context(), ws, bearer(r))
	switch {
	case err != nil || !good:
		return orProblem(err, http.StatusUnauthorized, "Authentication credentials were not provided.")
	case !may(scopes, access.ScopeWrite, scopeWorker):
		return problem(http.StatusForbidden, "the token has not got the scope write")
	}
	form, err := r.MultipartReader()
	if err != nil {
		return problem(http.StatusBadRequest, "send multipart/form-data with a file")
	}
	for range 20 {
		part, err := form.NextPart()
		if err != nil {
			break
		}
		if part.FormName() != "file" {
			continue
		}
		f, err := s.keep(r, store.File{Workspace: ws, Name: plainName(part.FileName()), MIME: part.Header.Get("Content-Type")}, part, s.Limits.Attachment)
		if err != nil {
			return err
		}
		return answer(w, http.StatusCreated, map[string]string{"url": s.base(r) + s.Hub.FileLink(ws, f.ID)})
	}
	return answer(w, http.StatusBadRequest, map[string][]string{"file": {"No file was submitted."}})
}
