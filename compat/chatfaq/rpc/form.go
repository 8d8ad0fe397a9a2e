package rpc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// Bounds of a form.
const (
	maxParts = 50
	maxField = 16 << 10 // bytes
)

// form is the body of a call: an object, or multipart/form-data, which may have files.
type form struct {
	fields map[string]string // what is null or empty is not there
	files  map[string]upload
}

// upload is a file of a form.
type upload struct {
	name, mime string
	content    []byte
}

// readForm reads a body whose files have at most so many bytes, each.
func readForm(r *http.Request, most int) (form, error) {
	f := form{files: map[string]upload{}}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "multipart/form-data" {
		var members map[string]json.RawMessage
		err := readBody(r, &members)
		f.fields = jsonFields(members)
		for _, member := range []string{"original_csv", "original_pdf"} {
			if err == nil && f.fields[member] != "" {
				err = invalidError{member: []string{"The submitted data was not a file. Check the encoding type on the form."}}
			}
		}
		return f, err
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return f, errForm
	}
	f.fields = map[string]string{}
	for range maxParts {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return f, errForm
		}
		if err := f.take(p, most); err != nil {
			return f, err
		}
	}
	return f, chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("a form has %d parts at the most", maxParts))
}

var errForm = &chat.Fault{Code: chat.CodeInvalid, Detail: "Multipart form parse error: the body could not be read to its end"}

func (f form) take(p *multipart.Part, most int) error {
	isFile := p.FileName() != ""
	if !isFile {
		most = maxField
	}
	content, err := io.ReadAll(io.LimitReader(p, int64(most)+1))
	switch {
	case err != nil:
		return errForm
	case len(content) > most:
		return chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("%.40s: %d bytes at the most", p.FormName(), most))
	case isFile:
		f.files[p.FormName()] = upload{strings.ToValidUTF8(p.FileName(), ""), p.Header.Get("Content-Type"), content}
	case len(content) > 0:
		f.fields[p.FormName()] = strings.ToValidUTF8(string(content), "\uFFFD")
	}
	return nil
}
