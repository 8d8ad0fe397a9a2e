package connector

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

// AnswerLimit is how much of a platform's answer Call reads, in bytes.
const AnswerLimit = 1 << 20

// Answer is a platform's answer, read in full.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// RetryAfter reads the header of that name: seconds, or an HTTP date against now. Zero if there is none.
func (a Answer) RetryAfter(now time.Time) time.Duration {
	v := a.Header.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil && s > 0 {
		return time.Duration(s) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil && t.After(now) {
		return t.Sub(now)
	}
	return 0
}

// Call makes exactly one request and reads the answer, whatever its status. When it fails it knows how
// sure that is: nothing had left yet, or the request only asks (GET, HEAD) → Retry; the request had left → unsure.
// Addresses do not appear in its errors, for they may hold tokens.
func Call(client *http.Client, req *http.Request) (Answer, error) {
	var left atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { left.Store(true) }}
	res, err := client.Do(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err != nil {
		return Answer{}, lost(req, left.Load(), err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, AnswerLimit+1))
	if err != nil {
		return Answer{Status: res.StatusCode}, lost(req, res.StatusCode < 500, err)
	}
	if len(body) > AnswerLimit {
		return Answer{Status: res.StatusCode}, lost(req, res.StatusCode < 500, fmt.Errorf("answer above %d bytes", AnswerLimit))
	}
	return Answer{Status: res.StatusCode, Header: res.Header, Body: body}, nil
}

// lost classifies a request without a readable answer.
func lost(req *http.Request, left bool, err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // the text of *url.Error has the address
	}
	policy := Retry
	if left && req.Method != http.MethodGet && req.Method != http.MethodHead {
		policy = IsUnsure
	}
	return &Error{Policy: policy, Code: "no_answer", Detail: req.Method + " " + req.URL.Host, Err: err}
}
