package whatsapp

import (
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// mediaTypes translates element types; a voice note is an audio with a mark.
var mediaTypes = map[chat.ElementType]string{
	chat.Image: "image", chat.Audio: "audio", chat.Voice: "audio", chat.Video: "video", chat.File: "document", chat.Sticker: "sticker",
}

// media sends an attachment: a stored file by its id after an upload, a public one by its link.
func (n *number) media(ctx context.Context, e chat.Element, files map[chat.FileID]connector.Media) (statement, error) {
	var m chat.Media
	if err := e.Into(&m); err != nil {
		return statement{}, rejected("the payload of the %s element cannot be read", e.Type)
	}
	body, stored, err := n.object(ctx, m, files)
	if err != nil {
		return statement{}, err
	}
	var notice string
	if m.Caption != "" && (e.Type == chat.Image || e.Type == chat.Video || e.Type == chat.File) {
		body["caption"], notice = formatted(m.Caption, m.Spans, maxBody)
	}
	if name := either(loose(m.Name), loose(stored.Name)); name != "" && e.Type == chat.File {
		body["filename"] = string(name)
	}
	if e.Type == chat.Voice && strings.HasPrefix(mimeOf(m, stored), "audio/ogg") {
		body["voice"] = true // the platform takes Ogg with Opus only
	}
	return statement{kind: mediaTypes[e.Type], body: body, notice: notice}, nil
}

// object names an attachment as the platform wants it, with the stored file if there is one.
func (n *number) object(ctx context.Context, m chat.Media, files map[chat.FileID]connector.Media) (map[string]any, connector.Media, error) {
	if m.File == "" {
		if m.URL == "" {
			return nil, connector.Media{}, rejected("the attachment has neither a stored file nor a public address")
		}
		return map[string]any{"link": m.URL}, connector.Media{}, nil
	}
	stored, found := files[m.File]
	if !found || stored.Open == nil {
		return nil, stored, rejected("the stored file of the attachment is not there")
	}
	id, err := n.upload(ctx, m, stored)
	if err != nil {
		return nil, stored, err
	}
	return map[string]any{"id": id}, stored, nil
}

func mimeOf(m chat.Media, stored connector.Media) string {
	if stored.MIME != "" {
		return stored.MIME
	}
	return m.MIME
}

// upload stores a file with the platform, streamed, and gives its id (good for 30 days). Nothing was said yet, so an
// upload without an answer may be repeated.
func (n *number) upload(ctx context.Context, m chat.Media, stored connector.Media) (string, error) {
	file, err := stored.Open(ctx)
	if err != nil {
		return "", &connector.Error{Policy: connector.Retry, Code: "no_file", Detail: "the stored file cannot be opened", Err: err}
	}
	defer file.Close()
	req, err := n.request(ctx, http.MethodPost, n.endpoint(n.set.PhoneNumberID, "media"))
	if err != nil {
		return "", err
	}
	if err := form(req, file, stored.Size, name(m, stored), mimeOf(m, stored)); err != nil {
		return "", err
	}
	var answer struct {
		ID loose `json:"id"`
	}
	if err := n.call(req, connector.Retry, &answer); err != nil {
		return "", harmless(err)
	}
	if answer.ID == "" {
		return "", &connector.Error{Policy: connector.Retry, Code: "no_id", Detail: "the answer to the upload has no id"}
	}
	return string(answer.ID), nil
}

// harmless turns unsure into retry, for requests that may be repeated.
func harmless(err error) error {
	e := *connector.AsError(err)
	if e.Policy == connector.IsUnsure {
		e.Policy = connector.Retry
	}
	return &e
}

// name is the file's name; the platform wants one.
func name(m chat.Media, stored connector.Media) string {
	if n := either(loose(m.Name), loose(stored.Name)); n != "" {
		return string(n)
	}
	return "file"
}

// form makes the request a multipart form whose file is read while it is sent.
func form(req *http.Request, file io.Reader, size int64, filename, mime string) error {
	if mime == "" {
		mime = "application/octet-stream"
	}
	var frame strings.Builder
	w := multipart.NewWriter(&frame)
	for _, field := range [][2]string{{"messaging_product", "whatsapp"}, {"type", mime}} {
		if err := w.WriteField(field[0], field[1]); err != nil {
			return fmt.Errorf("write form: %w", err)
		}
	}
	header := textproto.MIMEHeader{}
	header.Set("Content-Disposition", multipart.FileContentDisposition("file", filename))
	header.Set("Content-Type", strings.NewReplacer("\r", "", "\n", "").Replace(mime))
	if _, err := w.CreatePart(header); err != nil {
		return fmt.Errorf("write form: %w", err)
	}
	head := frame.String()
	frame.Reset()
	if err := w.Close(); err != nil {
		return fmt.Errorf("write form: %w", err)
	}
	tail := frame.String()
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Body = io.NopCloser(io.MultiReader(strings.NewReader(head), file, strings.NewReader(tail)))
	req.ContentLength = -1
	if size > 0 {
		req.ContentLength = int64(len(head)) + size + int64(len(tail))
	}
	return nil
}
