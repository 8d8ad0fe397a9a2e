package connectortest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// The faults of an answer.
const (
	refused  = "refused" // nobody listens
	lost     = "lost"    // the request was read, then the connection closed
	timedOut = "timeout" // the request was read, then nothing
	cut      = "cut"     // half a body
	over     = "over"    // the script has ended: nothing is sent
)

// seen is a request as it left the connector, before it was led to the stand-in.
type seen struct {
	method string
	url    *url.URL
	header http.Header
	body   []byte
}

// answer is what the stand-in does with a request.
type answer struct {
	status int
	header http.Header
	body   []byte
	fault  string
}

// standin is a real server on loopback that plays all platforms. Which answer belongs to a request was decided
// when it left the connector (outside); a header carries the number.
type standin struct {
	server *httptest.Server
	mu     sync.Mutex
	last   int
	open   map[string]exchange
}

type exchange struct {
	answer answer
	hangUp context.CancelFunc
}

const exchangeHeader = "Connectortest-Exchange"

func newStandin() *standin {
	s := &standin{open: map[string]exchange{}}
	s.server = httptest.NewServer(s)
	return s
}

func (s *standin) expect(e exchange) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	id := strconv.Itoa(s.last)
	s.open[id] = e
	return id
}

// ServeHTTP reads the request in full and answers as scripted.
func (s *standin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	id := r.Header.Get(exchangeHeader)
	e, ok := s.open[id]
	delete(s.open, id)
	s.mu.Unlock()
	if _, err := io.Copy(io.Discard, r.Body); err != nil || !ok {
		panic(http.ErrAbortHandler)
	}
	for name, values := range e.answer.header {
		w.Header()[name] = values
	}
	switch e.answer.fault {
	case lost:
		panic(http.ErrAbortHandler)
	case timedOut:
		e.hangUp()
		<-r.Context().Done()
	case cut:
		w.Header().Set("Content-Length", strconv.Itoa(len(e.answer.body)+1))
		w.WriteHeader(e.answer.status)
		_, _ = w.Write(e.answer.body[:(len(e.answer.body)+1)/2])
		panic(http.ErrAbortHandler)
	default:
		w.WriteHeader(e.answer.status)
		_, _ = w.Write(e.answer.body) // the connector may have hung up
	}
}

// outside is the one way out of an open connector: it records every request and leads it to the stand-in.
type outside struct {
	standin *standin
	allowed func(host string) bool
	next    func(n int) answer // of the n-th request, from 0
	over    func()             // the script has ended

	gone chan struct{} // closed when nobody looks any more
	once sync.Once

	mu      sync.Mutex
	seen    []seen
	foreign []string
}

// errForeign is the answer to a request that would have left for somewhere else.
var errForeign = errors.New("connectortest: this host is not among the settings")

// errGone is the answer to a request that nobody waits for any more.
var errGone = errors.New("connectortest: the examination is over")

// end lets waiting requests go.
func (o *outside) end() { o.once.Do(func() { close(o.gone) }) }

// RoundTrip implements http.RoundTripper.
func (o *outside) RoundTrip(req *http.Request) (*http.Response, error) {
	s, err := record(req)
	if err != nil {
		return nil, err
	}
	n, ok := o.note(s)
	if !ok {
		return nil, errForeign
	}
	a := answer{status: http.StatusOK, body: []byte("{}")}
	if o.next != nil {
		a = o.next(n)
	}
	switch a.fault {
	case refused:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case over:
		if o.over != nil {
			o.over()
		}
		select {
		case <-req.Context().Done():
			return nil, req.Context().Err()
		case <-o.gone:
			return nil, errGone
		}
	}
	return o.lead(req, s.body, a)
}

// record reads the request's body, so that it is complete before anything is decided.
func record(req *http.Request) (seen, error) {
	s := seen{method: req.Method, header: req.Header.Clone()}
	u := *req.URL
	s.url = &u
	if req.Host != "" {
		s.url.Host = req.Host
	}
	if req.Body != nil {
		defer req.Body.Close()
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return seen{}, err
		}
		s.body = body
	}
	return s, nil
}

func (o *outside) note(s seen) (int, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.allowed != nil && !o.allowed(s.url.Hostname()) {
		o.foreign = append(o.foreign, s.url.Host)
		return 0, false
	}
	o.seen = append(o.seen, s)
	return len(o.seen) - 1, true
}

// requests are those seen so far.
func (o *outside) requests() []seen {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]seen(nil), o.seen...)
}

// strangers are the hosts that were called and must not be.
func (o *outside) strangers() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.foreign...)
}

// lead sends the request to the stand-in. Connections are not kept, for the transport would repeat a request
// on its own when a kept one closes.
func (o *outside) lead(req *http.Request, body []byte, a answer) (*http.Response, error) {
	ctx := req.Context()
	e := exchange{answer: a}
	if a.fault == timedOut {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		e.hangUp = cancel
	}
	out := req.Clone(ctx)
	out.Header.Set(exchangeHeader, o.standin.expect(e))
	if req.Body != nil {
		out.Body = io.NopCloser(bytes.NewReader(body))
	}
	out.URL.Scheme, out.Host = "http", out.URL.Host
	out.URL.Host = strings.TrimPrefix(o.standin.server.URL, "http://")
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	res, err := transport.RoundTrip(out)
	if err != nil && a.fault == timedOut && req.Context().Err() == nil {
		return nil, timeoutError{}
	}
	return res, err
}

// timeoutError is what a client's time limit gives.
type timeoutError struct{}

func (timeoutError) Error() string { return "timeout awaiting the answer" }

// Timeout implements net.Error.
func (timeoutError) Timeout() bool { return true }

// Temporary implements net.Error.
func (timeoutError) Temporary() bool { return true }
