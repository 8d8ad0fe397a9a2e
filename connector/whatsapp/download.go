package whatsapp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// Download fetches an attachment in two steps: the media id gives an address that is good for five minutes, and that
// address gives the bytes. Both want the access token.
func (n *number) Download(ctx context.Context, src chat.Source) (connector.Attachment, error) {
	if !graphID.MatchString(src.ID) {
		return connector.Attachment{}, rejected("an attachment is named by a media id of digits")
	}
	at := n.endpoint(src.ID)
	at.RawQuery = url.Values{"phone_number_id": {n.set.PhoneNumberID}}.Encode()
	var info struct {
		URL  string `json:"url"`
		MIME string `json:"mime_type"`
		Size loose  `json:"file_size"`
	}
	if err := n.get(ctx, at, &info); err != nil {
		return connector.Attachment{}, err
	}
	a, err := n.fetch(ctx, info.URL)
	if err != nil {
		return connector.Attachment{}, err
	}
	if info.MIME != "" {
		a.MIME = info.MIME
	}
	if size, err := strconv.ParseInt(string(info.Size), 10, 64); err == nil && size >= 0 && a.Size < 0 {
		a.Size = size
	}
	return a, nil
}

// fetch begins the second step. The token goes only over TLS, or to the server that the channel is configured with.
func (n *number) fetch(ctx context.Context, address string) (connector.Attachment, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "https" && (u.Scheme != n.base.Scheme || u.Host != n.base.Host)) {
		return connector.Attachment{}, rejected("the platform's address of the attachment is not a safe one")
	}
	req, err := n.request(ctx, http.MethodGet, u)
	if err != nil {
		return connector.Attachment{}, err
	}
	res, err := n.http.Do(req)
	if err != nil {
		return connector.Attachment{}, &connector.Error{Policy: connector.Retry, Code: "no_answer", Detail: "GET " + u.Host, Err: withoutAddress(err)}
	}
	if res.StatusCode != http.StatusOK {
		defer res.Body.Close()
		body, _ := io.ReadAll(io.LimitReader(res.Body, connector.AnswerLimit)) // a part of it still tells the status
		return connector.Attachment{}, n.refusal(connector.Answer{Status: res.StatusCode, Header: res.Header, Body: body})
	}
	return connector.Attachment{MIME: res.Header.Get("Content-Type"), Size: res.ContentLength, Body: res.Body}, nil
}

// withoutAddress takes the address out of a client's error: it is signed.
func withoutAddress(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
