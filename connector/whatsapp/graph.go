package whatsapp

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/dragoman-hub/dragoman/connector"
)

// endpoint is a path below the Graph API's version, made of segments that need escaping.
func (n *number) endpoint(segments ...string) *url.URL {
	parts := []string{n.set.APIVersion}
	for _, s := range segments {
		parts = append(parts, url.PathEscape(s))
	}
	return n.base.JoinPath(parts...)
}

// request makes an authorized request.
func (n *number) request(ctx context.Context, method string, u *url.URL) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, connector.Malformedf("request for %s cannot be made", u.Host)
	}
	req.Header.Set("Authorization", "Bearer "+n.set.AccessToken)
	return req, nil
}

// get asks and decodes the answer into result.
func (n *number) get(ctx context.Context, u *url.URL, result any) error {
	req, err := n.request(ctx, http.MethodGet, u)
	if err != nil {
		return err
	}
	return n.call(req, connector.Retry, result)
}

// post sends a JSON body and decodes the answer into result.
func (n *number) post(ctx context.Context, u *url.URL, body, result any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return &connector.Error{Policy: connector.Rejected, Code: "unwritable", Detail: "the message has no JSON form", Err: err}
	}
	req, err := n.request(ctx, http.MethodPost, u)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Body, req.ContentLength = nopCloser{bytes.NewReader(raw)}, int64(len(raw))
	return n.call(req, connector.IsUnsure, result)
}

// nopCloser is a request body that may be closed. It has no GetBody, so that nothing sends a request a second time.
type nopCloser struct{ *bytes.Reader }

// Close does nothing.
func (nopCloser) Close() error { return nil }

// call makes the request once. unread is the policy for a success whose answer cannot be read.
func (n *number) call(req *http.Request, unread connector.Policy, result any) error {
	answer, err := connector.Call(n.api, req)
	if err != nil {
		return err
	}
	if answer.Status < 200 || answer.Status > 299 {
		return n.refusal(answer)
	}
	if err := json.Unmarshal(answer.Body, result); err != nil {
		return &connector.Error{Policy: unread, Code: "bad_answer", Detail: "the answer is not the JSON that was expected", Err: err}
	}
	return nil
}
