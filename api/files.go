package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// uploadTime is how long the bytes of an upload may take.
const uploadTime = 15 * time.Minute

// UploadedFile is a stored file with a link.
type UploadedFile struct {
	store.File
	URL string `json:"url" doc:"Good for a while, without a token."`
}

func (a *API) registerFiles() {
	a.addPlain(act{
		method: http.MethodPost, path: "/v1/files", id: "uploadFile", tag: "files", scope: ScopeWrite, raw: true, stream: true,
		summary: "Upload a file",
		more:    "The body is the file, with its Content-Type, or multipart/form-data whose first file counts. Name the answer's id as file in messages.",
	}, a.upload, func(op *huma.Operation) {
		bytes := &huma.Schema{Type: huma.TypeString, Format: "binary"}
		op.Parameters = []*huma.Param{
			{Name: "name", In: "query", Description: "The file's name, for a body that is the file.", Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: keyHeader, In: "header", Schema: &huma.Schema{Type: huma.TypeString}},
		}
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/octet-stream": {Schema: bytes},
			"multipart/form-data":      {Schema: &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"file": bytes}}},
		}}
		op.Responses["201"] = &huma.Response{Description: "Stored.", Content: map[string]*huma.MediaType{
			"application/json": {Schema: schemaFor[UploadedFile](a)},
		}}
	})
	op := act{method: http.MethodGet, path: "/files/{id}", id: "getFile", tag: "files", summary: "Read a file by its link", more: "Byte ranges work. The link comes with messages and uploads."}.operation()
	op.Security = nil
	str := &huma.Schema{Type: huma.TypeString}
	op.Parameters = []*huma.Param{{Name: "id", In: "path", Required: true, Schema: str}, {Name: "sig", In: "query", Required: true, Schema: str}}
	op.Responses = map[string]*huma.Response{
		"200": textResponse("The bytes.", "application/octet-stream"), "206": textResponse("A range of them.", "application/octet-stream"), "default": problemResponse(),
	}
	a.huma.OpenAPI().AddOperation(&op)
	a.handle("GET /files/{id}", route{open: true, stream: true}, a.download)
}

// upload streams; with an Idempotency-Key the bytes are part of what is compared.
func (a *API) upload(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), uploadTime)
	defer cancel()
	// an error only tells that this connection knows no deadlines
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(a.Now().Add(uploadTime))
	_ = rc.SetWriteDeadline(a.Now().Add(uploadTime + a.Limits.Timeout))
	name, mimeType, body, err := uploadBody(r)
	if err != nil {
		return err
	}
	sum := sha256.New()
	body = io.TeeReader(body, sum)
	key, who := r.Header.Get(keyHeader), callerOf(ctx)
	if key == "" {
		return a.storeUpload(ctx, w, name, mimeType, body)
	}
	if err := checkKey(key); err != nil {
		return err
	}
	release, err := a.locks.hold(ctx, onceName(who, key))
	if err != nil {
		return problem(string(chat.CodeConflict), "a request with this key is still under way").retryAfter(1)
	}
	defer release()
	request := func() string {
		return fingerprint(r, []byte(name+"\x00"+mimeType+"\x00"+hex.EncodeToString(sum.Sum(nil))))
	}
	if _, err := a.Store.Answer(ctx, who.Workspace, onceName(who, key)); err == nil {
		if _, err := io.Copy(io.Discard, body); err != nil {
			return problem(codeMalformed, "the body could not be read to its end")
		}
		if done, err := a.replay(w, ctx, who, onceName(who, key), request()); done || err != nil {
			return err
		}
	}
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	if err := a.storeUpload(ctx, rec, name, mimeType, body); err != nil {
		return err
	}
	a.keep(ctx, who, onceName(who, key), request(), rec)
	return nil
}

func (a *API) storeUpload(ctx context.Context, w http.ResponseWriter, name, mimeType string, body io.Reader) error {
	f, err := a.Hub.Upload(ctx, here(ctx), name, mimeType, body)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, UploadedFile{f, a.Public + a.Hub.FileLink(f.Workspace, f.ID)})
}

// uploadBody finds the file in a request: the body itself or the first part that is a file.
func uploadBody(r *http.Request) (name, mimeType string, body io.Reader, err error) {
	mimeType = r.Header.Get("Content-Type")
	mt, _, err := mime.ParseMediaType(mimeType)
	if err != nil || mt != "multipart/form-data" {
		return r.URL.Query().Get("name"), mimeType, wholeBody{r.Body}, nil
	}
	form, err := r.MultipartReader()
	if err != nil {
		return "", "", nil, problem(codeMalformed, "the form cannot be read")
	}
	for range 20 { // fields before the file
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", "", nil, problem(codeMalformed, "the form cannot be read")
		}
		if part.FileName() != "" {
			return part.FileName(), part.Header.Get("Content-Type"), wholeBody{part}, nil
		}
	}
	return "", "", nil, invalid(ProblemDetail{"body", "the form has no file"})
}

// wholeBody makes the caller's error of a body that was cut off.
type wholeBody struct{ r io.Reader }

// Read is io.Reader.
func (w wholeBody) Read(b []byte) (int, error) {
	n, err := w.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = problem(codeMalformed, "the body could not be read to its end")
	}
	return n, err
}

// shown are the types that a browser may show in place; everything else is for saving, above all what could run.
var shown = map[string]bool{
	"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true, "image/avif": true, "text/plain": true,
	"audio/mpeg": true, "audio/ogg": true, "audio/mp4": true, "audio/wav": true, "audio/webm": true, "audio/aac": true,
	"video/mp4": true, "video/webm": true, "video/ogg": true, "video/quicktime": true,
}

// download sends a file to whoever has the link.
func (a *API) download(w http.ResponseWriter, r *http.Request) error {
	id := chat.FileID(r.PathValue("id"))
	ws, err := a.Hub.VerifyFileLink(id, r.URL.Query())
	if err != nil {
		return err
	}
	body, f, err := a.Hub.OpenFile(r.Context(), id, 0, -1)
	if err != nil {
		return err
	}
	if f.Workspace != ws { // somebody named a file that is not theirs
		return errors.Join(chat.Faultf(chat.CodeNotFound, "no such file"), body.Close())
	}
	seeker := &fileSeeker{a: a, ctx: r.Context(), id: id, size: f.Size, body: body}
	defer seeker.close()
	h := w.Header()
	mt, _, err := mime.ParseMediaType(f.MIME)
	if err != nil {
		mt = "application/octet-stream"
	}
	how, contentType := "attachment", mt
	if shown[mt] {
		how = "inline"
	}
	if mt == "text/plain" {
		contentType = "text/plain; charset=utf-8"
	}
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", disposition(how, f.Name))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // the link itself is the permission
	h.Set("Cache-Control", "private, max-age=900")
	h.Set("X-Robots-Tag", "noindex")
	if f.SHA256 != "" {
		h.Set("ETag", `"`+f.SHA256+`"`)
	}
	a.unbound(w, r)
	http.ServeContent(&steady{a, w}, r, "", f.CreatedAt, seeker)
	return nil
}

// unbound lets an answer last as long as its reader takes it; a body, which nobody asked for, stays bounded.
func (a *API) unbound(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // an error: this connection knows no deadlines
	}
}

// steady is an answer of which every piece has to be taken in time.
type steady struct {
	a *API
	http.ResponseWriter
}

// Write is http.ResponseWriter.
func (s *steady) Write(b []byte) (int, error) {
	_ = http.NewResponseController(s.ResponseWriter).SetWriteDeadline(s.a.Now().Add(2 * s.a.Limits.Timeout))
	return s.ResponseWriter.Write(b)
}

// disposition names the file; characters that could end the header are gone.
func disposition(how, name string) string {
	name = strings.Map(func(c rune) rune {
		if c < 0x20 || c == 0x7f || c == '/' || c == '\\' {
			return '_'
		}
		return c
	}, name)
	if name == "" {
		return how
	}
	if s := mime.FormatMediaType(how, map[string]string{"filename": name}); s != "" {
		return s
	}
	return how
}

// fileSeeker lets http.ServeContent read any part of a file; it opens it again where it has to.
type fileSeeker struct {
	a    *API
	ctx  context.Context //nolint:containedctx // lives as long as its request
	id   chat.FileID
	size int64
	at   int64
	body io.ReadCloser // stands at opened
	from int64
}

// Seek is io.Seeker.
func (s *fileSeeker) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += s.at
	case io.SeekEnd:
		offset += s.size
	}
	if offset < 0 {
		return 0, errors.New("api: seek before the beginning")
	}
	s.at = offset
	return offset, nil
}

// Read is io.Reader.
func (s *fileSeeker) Read(b []byte) (int, error) {
	if s.at >= s.size {
		return 0, io.EOF
	}
	if s.body == nil || s.from != s.at {
		s.close()
		body, _, err := s.a.Hub.OpenFile(s.ctx, s.id, s.at, -1)
		if err != nil {
			return 0, err
		}
		s.body, s.from = body, s.at
	}
	n, err := s.body.Read(b)
	s.at += int64(n)
	s.from = s.at
	return n, err
}

func (s *fileSeeker) close() {
	if s.body != nil {
		s.body.Close()
		s.body = nil
	}
}
