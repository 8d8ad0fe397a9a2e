package telegram

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// Download implements connector.Downloader: getFile tells where the file is, for an hour, then it is fetched. The public server
// gives files up to 20 MB. The address holds the token and stays in here.
func (b *bot) Download(ctx context.Context, src chat.Source) (connector.Attachment, error) {
	var f struct {
		Path string `json:"file_path"`
	}
	if src.ID == "" {
		return connector.Attachment{}, rejected("no_file", "the source has no file id")
	}
	if err := b.ask(ctx, "getFile", params{"file_id": src.ID}, &f); err != nil {
		return connector.Attachment{}, err
	}
	if f.Path == "" || path.IsAbs(f.Path) || path.Clean(f.Path) != f.Path || strings.HasPrefix(f.Path, "..") {
		return connector.Attachment{}, rejected("no_path", "the Bot API server gives no path below its address (is it in --local mode?)")
	}
	return b.fetch(ctx, f.Path)
}

// fetch answers with an open body.
func (b *bot) fetch(ctx context.Context, filePath string) (connector.Attachment, error) {
	req, err := b.request(ctx, http.MethodGet, b.address("file", "bot"+b.token, filePath), http.NoBody)
	if err != nil {
		return connector.Attachment{}, err
	}
	res, err := b.env.HTTP.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // without the address
		}
		return connector.Attachment{}, &connector.Error{Policy: connector.Retry, Code: "no_answer", Detail: "file download", Err: err}
	}
	if res.StatusCode != http.StatusOK {
		_ = res.Body.Close() // nothing of it is wanted
		return connector.Attachment{}, b.noFile(res)
	}
	return connector.Attachment{
		Name: path.Base(filePath), MIME: mimeByPath(filePath, res.Header.Get("Content-Type")), Size: res.ContentLength, Body: res.Body,
	}, nil
}

func (b *bot) noFile(res *http.Response) error {
	e := &connector.Error{Policy: verdict(res.StatusCode, ""), Code: strconv.Itoa(res.StatusCode), Detail: "file download"}
	if res.StatusCode == http.StatusNotFound { // the token was good for getFile a moment ago
		e.Policy = connector.Rejected
	}
	if e.Policy == connector.Throttled {
		e.After = min(connector.Answer{Header: res.Header}.RetryAfter(b.env.Now()), longestWait)
	}
	return e
}

// mimeTypes are the extensions that Telegram gives to what it keeps; its file server says application/octet-stream for all.
var mimeTypes = map[string]string{
	".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".gif": "image/gif",
	".mp4": "video/mp4", ".mov": "video/quicktime", ".webm": "video/webm", ".oga": "audio/ogg", ".ogg": "audio/ogg",
	".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".pdf": "application/pdf", ".tgs": mimeLottie,
}

func mimeByPath(name, header string) string {
	if known, ok := mimeTypes[strings.ToLower(path.Ext(name))]; ok {
		return known
	}
	return header
}
