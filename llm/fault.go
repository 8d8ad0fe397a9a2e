package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/outbound"
)

// These end an exchange that takes too long.
var (
	errIdle = errors.New("llm: nothing came for too long")
	errTime = errors.New("llm: the answer takes too long")
)

// maxSaid bounds what is shown of an endpoint's own words, in characters.
const maxSaid = 300

// refusal says what to do about an answer that is no success.
func (c *Client) refusal(status int, body []byte) error {
	message, code := c.words(body)
	fault := func(kind chat.Code, what string) error {
		if message != "" {
			what += ": " + message
		}
		return chat.Faultf(kind, what)
	}
	switch {
	case code == "context_length_exceeded" || status == http.StatusRequestEntityTooLarge:
		return fault(chat.CodeTooLarge, "the messages are too long for the model")
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fault(chat.CodeInvalid, fmt.Sprintf("the endpoint refuses the key (%d): check key", status))
	case status == http.StatusPaymentRequired || code == "insufficient_quota":
		return fault(chat.CodeUnavailable, "the account has no credit left: check it at the provider")
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		return fault(chat.CodeInvalid, fmt.Sprintf("the endpoint does not know this path or model (%d): check base_url, which mostly ends in /v1, and model %q", status, c.model))
	case status == http.StatusTooManyRequests:
		return fault(chat.CodeUnavailable, "the endpoint has too many requests (429): try again later")
	case status >= 300 && status < 400:
		return fault(chat.CodeInvalid, fmt.Sprintf("the endpoint sends us elsewhere (%d): check base_url", status))
	case status >= 400 && status < 500 && status != http.StatusRequestTimeout:
		return fault(chat.CodeInvalid, fmt.Sprintf("the endpoint refuses the request (%d)", status))
	default:
		return fault(chat.CodeUnavailable, fmt.Sprintf("the endpoint fails (%d): try again later", status))
	}
}

// words finds an endpoint's own words for an error, and its code, in any of the usual forms. The key is never among them.
func (c *Client) words(body []byte) (message, code string) {
	var e struct {
		Error   json.RawMessage `json:"error"`
		Message json.RawMessage `json:"message"`
		Detail  json.RawMessage `json:"detail"`
		Code    json.RawMessage `json:"code"`
	}
	if json.Unmarshal(body, &e) != nil {
		return "", "" // a page of some proxy tells nothing
	}
	var inner struct {
		Message json.RawMessage `json:"message"`
		Code    json.RawMessage `json:"code"`
		Type    json.RawMessage `json:"type"`
	}
	code = textOf(e.Code)
	if json.Unmarshal(e.Error, &inner) == nil {
		e.Message = inner.Message
		for _, raw := range []json.RawMessage{inner.Type, inner.Code} {
			if s := textOf(raw); s != "" {
				code = s
			}
		}
	}
	for _, raw := range []json.RawMessage{e.Message, e.Error, e.Detail} {
		if message = textOf(raw); message != "" {
			return c.tame(message), code
		}
	}
	return "", code
}

// tame makes foreign words fit for showing.
func (c *Client) tame(s string) string {
	if c.key != "" {
		s = strings.ReplaceAll(s, c.key, "***")
	}
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	for i := range s {
		if i >= maxSaid {
			return s[:i] + "…"
		}
	}
	return s
}

// away says what to do about an exchange that came to no end. What the caller broke off stays the caller's own error.
func away(ctx context.Context, err error) error {
	if chat.CodeOf(err) != "" {
		return err
	}
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, errIdle):
		return chat.Faultf(chat.CodeUnavailable, "nothing came from the endpoint for too long: try again later")
	case errors.Is(cause, errTime):
		return chat.Faultf(chat.CodeUnavailable, "the answer takes too long: try again, or ask for less")
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", &chat.Fault{Code: chat.CodeUnavailable, Detail: "the endpoint took longer than there was time: try again"}, ctx.Err())
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, outbound.ErrPrivate):
		return chat.Faultf(chat.CodeInvalid, "base_url: "+outbound.ErrPrivate.Error())
	case errors.Is(err, outbound.ErrScheme):
		return chat.Faultf(chat.CodeInvalid, "base_url: "+outbound.ErrScheme.Error())
	default:
		return fmt.Errorf("%w: %w", &chat.Fault{Code: chat.CodeUnavailable, Detail: "the endpoint cannot be reached: check base_url, or try again later"}, err)
	}
}
