package telegram

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"sync/atomic"
	"unicode"

	"github.com/dragoman-hub/dragoman/connector"
)

// upload is a stored file that goes along with a call, under this field.
type upload struct {
	field string
	name  string
	media connector.Media
}

// post makes the call of a draft: as JSON, or with files as multipart.
func (b *bot) post(ctx context.Context, d *draft, result any) error {
	if len(d.files) == 0 {
		return b.call(ctx, d.method, d.params, result)
	}
	body, kind, err := d.stream(ctx)
	if err != nil {
		return err
	}
	req, err := b.request(ctx, http.MethodPost, b.method(d.method), body)
	if err != nil {
		return errors.Join(err, body.Close())
	}
	req.Header.Set("Content-Type", kind)
	req.ContentLength = body.length
	err = b.do(req, result)
	if err != nil && body.broken.Load() { // half a form is never carried out
		return &connector.Error{Policy: connector.Retry, Code: "file_unreadable", Detail: "a stored file could not be read", Err: err}
	}
	return err
}

// formBody is a multipart form whose files are read while they are sent: only what stands between them is in memory.
type formBody struct {
	io.Reader
	files  []io.Closer
	length int64 // -1 if the size of a file is not known
	broken atomic.Bool
}

// Close closes the files. The transport calls it, whatever happens.
func (f *formBody) Close() error {
	var err error
	for _, c := range f.files {
		err = errors.Join(err, c.Close())
	}
	return err
}

// stream opens the files and lays the form around them.
func (d *draft) stream(ctx context.Context) (*formBody, string, error) {
	body := &formBody{}
	var text bytes.Buffer
	form := multipart.NewWriter(&text)
	var parts []io.Reader
	for _, name := range slices.Sorted(maps.Keys(d.params)) {
		if err := form.WriteField(name, formValue(d.params[name])); err != nil {
			return nil, "", rejected("bad_parameters", err.Error())
		}
	}
	for _, f := range d.files {
		file, err := f.begin(ctx, form)
		if err != nil {
			return nil, "", errors.Join(err, body.Close())
		}
		body.files = append(body.files, file)
		parts = append(parts, bytes.NewReader(bytes.Clone(text.Bytes())), &watched{file, &body.broken})
		body.add(int64(text.Len()), f.media.Size)
		text.Reset()
	}
	if err := form.Close(); err != nil {
		return nil, "", errors.Join(rejected("bad_parameters", err.Error()), body.Close())
	}
	body.add(int64(text.Len()), 0)
	body.Reader = io.MultiReader(append(parts, &text)...)
	return body, form.FormDataContentType(), nil
}

// add counts the length of the form: bytes around a file and the file's own, where it is known.
func (f *formBody) add(around, file int64) {
	if f.length < 0 || file < 0 {
		f.length = -1
		return
	}
	f.length += around + file
}

// begin writes a file's header into the form and opens the file.
func (u upload) begin(ctx context.Context, form *multipart.Writer) (io.ReadCloser, error) {
	header := textproto.MIMEHeader{}
	header.Set("Content-Disposition", `form-data; name="`+u.field+`"; filename="`+safeName(u.name)+`"`)
	header.Set("Content-Type", firstOf(u.media.MIME, "application/octet-stream"))
	if _, err := form.CreatePart(header); err != nil {
		return nil, rejected("bad_parameters", err.Error())
	}
	file, err := u.media.Open(ctx)
	if err != nil {
		return nil, &connector.Error{Policy: connector.Retry, Code: "file_unreadable", Detail: "a stored file could not be opened", Err: err}
	}
	return file, nil
}

// safeName keeps a name inside the quotes of a header. Letters of all scripts stay as UTF-8: the Bot API server does not read
// the filename* form.
func safeName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '"' || r == '\\' || r == '/' || unicode.IsControl(r) {
			return '_'
		}
		return r
	}, name)
}

// watched remembers that its file could not be read to the end.
type watched struct {
	file   io.Reader
	broken *atomic.Bool
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.file.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.broken.Store(true)
	}
	return n, err
}
