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

// Bounds of a form, in bytes but for the parts. Files are kept in memory while they are read.
const (
	maxParts    = 50
	maxField    = 16 << 10
	maxFiles    = 2
	maxFileName = 255
	formSpace   = 256 << 10 // for all but the files
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
	r.Body = http.MaxBytesReader(nil, r.Body, int64(maxFiles*most+formSpace))
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
			return f, formFault(err)
		}
		if err := f.take(p, most); err != nil {
			return f, err
		}
	}
	return f, chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("a form has %d parts at the most", maxParts))
}

var errForm = &chat.Fault{Code: chat.CodeInvalid, Detail: "Multipart form parse error: the body could not be read to its end"}

// formFault tells a form that is too large from one that is broken.
func formFault(err error) error {
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("a form has %d bytes at the most", large.Limit))
	}
	return errForm
}

func (f form) take(p *multipart.Part, most int) error {
	isFile := p.FileName() != ""
	if !isFile {
		most = maxField
	}
	content, err := io.ReadAll(io.LimitReader(p, int64(most)+1))
	switch {
	case err != nil:
		return formFault(err)
	case isFile && max(len(p.FileName()), len(p.Header.Get("Content-Type"))) > maxFileName:
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("%.40s: the names of a file and of its type have %d bytes at the most", p.FormName(), maxFileName))
	case len(content) > most:
		return chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("%.40s: %d bytes at the most", p.FormName(), most))
	case isFile:
		f.files[p.FormName()] = upload{strings.ToValidUTF8(p.FileName(), ""), p.Header.Get("Content-Type"), content}
	case len(content) > 0:
		f.fields[p.FormName()] = strings.ToValidUTF8(string(content), "\uFFFD")
	}
	return nil
}
