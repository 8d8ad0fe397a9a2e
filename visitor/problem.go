package visitor

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// refusal is an error with a status of its own.
type refusal struct {
	status       int
	code, detail string
}

func (r refusal) Error() string { return r.code + ": " + r.detail }

// paceError is the answer to who calls too often.
type paceError struct{ wait time.Duration }

func (t paceError) Error() string { return "throttled: too many calls, wait " + t.wait.String() }

// statusOf turns codes into statuses; others are 500.
var statusOf = map[chat.Code]int{
	chat.CodeInvalid: http.StatusUnprocessableEntity, chat.CodeNotFound: http.StatusNotFound, chat.CodeConflict: http.StatusConflict,
	chat.CodeClosed: http.StatusConflict, chat.CodeBlocked: http.StatusForbidden, chat.CodeTooLarge: http.StatusRequestEntityTooLarge,
	chat.CodeUnavailable: http.StatusServiceUnavailable, chat.CodeForbidden: http.StatusForbidden, chat.CodeUnsigned: http.StatusUnauthorized,
}

// problemOf finds what a visitor may know of an error.
func problemOf(err error) (p refusal, wait time.Duration) {
	if r, ok := errors.AsType[refusal](err); ok {
		return r, 0
	}
	if t, ok := errors.AsType[paceError](err); ok {
		return refusal{http.StatusTooManyRequests, "throttled", "too many calls"}, t.wait
	}
	if f, ok := errors.AsType[*chat.Fault](err); ok && statusOf[f.Code] != 0 {
		p = refusal{statusOf[f.Code], string(f.Code), f.Detail}
		if p.status == http.StatusServiceUnavailable {
			wait = time.Second
		}
		return p, wait
	}
	return refusal{http.StatusInternalServerError, "internal", "something went wrong on our side"}, 0
}

// fail answers an error as a problem (RFC 9457) and logs those that are ours.
func (s *Server) fail(c *call, err error) {
	p, wait := problemOf(err)
	if p.status >= http.StatusInternalServerError && !errors.Is(c.r.Context().Err(), context.Canceled) {
		s.Log.ErrorContext(c.r.Context(), "visitor: failed", "method", c.r.Method, "path", c.r.URL.Path, "status", p.status, "err", err)
	}
	h := c.w.Header()
	if wait > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	h.Set("Content-Type", "application/problem+json")
	c.w.WriteHeader(p.status)
	_ = json.NewEncoder(c.w).Encode(map[string]any{ // the reader may have left
		"type": "about:blank", "title": http.StatusText(p.status), "status": p.status, "code": p.code, "detail": p.detail, "action": h.Get("X-Action-Id"),
	})
}
