// Package outbound makes the HTTP client with which connectors and hooks reach the world: never private addresses
// unless that is allowed, no redirects, no proxies from the environment, limited in time.
//
// It must not know whom it calls or what the answers mean, and it does not retry.
package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// ErrPrivate says that a host is not on the public internet. What reaches the hub from outside (a hook's address, a
// channel's setting, a link in a message) must not reach what is behind our firewall.
var ErrPrivate = errors.New("this address is private, local or reserved; `dragoman serve --allow-private` lets the hub call it")

// ErrScheme says that an address is neither http nor https.
var ErrScheme = errors.New("only http and https addresses can be called")

// Options are the settings of a Client; the zero value is usable.
type Options struct {
	AllowPrivate   bool
	Timeout        time.Duration                 // of a whole exchange, the body included; 0: 60 s, above the usual long poll
	ConnectTimeout time.Duration                 // 0: 10 s; the TLS handshake has as much again
	HeaderBytes    int64                         // largest header of an answer; 0: 64 KiB
	MaxPerHost     int                           // connections to one host; 0: 64
	MaxIdlePerHost int                           // of them kept open while idle; 0: 8
	TLS            *tls.Config                   // nil: the system's roots, TLS 1.2 or later
	Log            *slog.Logger                  // nil: none; requests at debug level, without paths
	Tracer         trace.Tracer                  // nil: no spans
	Propagator     propagation.TextMapPropagator // nil: no trace headers leave the house
}

// Client makes a client. Its errors are *url.Error, whose text has the whole address: use Do, or Redact.
func Client(o Options) *http.Client {
	return &http.Client{
		Transport:     &guard{next: transport(o), opts: o},
		Timeout:       either(o.Timeout, time.Minute),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func transport(o Options) *http.Transport {
	connect := either(o.ConnectTimeout, 10*time.Second)
	d := &net.Dialer{Timeout: connect, KeepAlive: 30 * time.Second, ControlContext: o.control}
	return &http.Transport{
		Proxy:                  nil, // the proxy, not we, would resolve names
		DialContext:            d.DialContext,
		TLSClientConfig:        o.TLS,
		TLSHandshakeTimeout:    connect,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: either(o.HeaderBytes, 64<<10),
		MaxConnsPerHost:        either(o.MaxPerHost, 64),
		MaxIdleConnsPerHost:    either(o.MaxIdlePerHost, 8),
		MaxIdleConns:           256,
		IdleConnTimeout:        90 * time.Second,
		ExpectContinueTimeout:  time.Second,
	}
}

// control sees the address that is about to be connected to, after the name was resolved: a name that changes its
// address between check and use gains nothing.
func (o Options) control(ctx context.Context, network, address string, _ syscall.RawConn) error {
	if o.AllowPrivate {
		return nil
	}
	ap, err := netip.ParseAddrPort(address)
	if err == nil && Public(ap.Addr()) {
		return nil
	}
	o.log().WarnContext(ctx, "outbound: refused", "network", network, "address", address)
	return ErrPrivate
}

func (o Options) log() *slog.Logger {
	if o.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Log
}

// guard checks what the dialer cannot see.
type guard struct {
	next *http.Transport
	opts Options
}

// RoundTrip is http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		if req.Body != nil {
			req.Body.Close() //nolint:errcheck // a RoundTripper has to close it; nothing was read
		}
		return nil, ErrScheme
	}
	req, span := g.begin(req)
	res, err := g.next.RoundTrip(req)
	if err == nil && res.StatusCode/100 == 3 {
		if _, bad := req.URL.Parse(res.Header.Get("Location")); bad != nil {
			res.Header.Del("Location") // http.Client would fail, and show it
		}
	}
	end(span, res, err)
	g.opts.log().DebugContext(req.Context(), "outbound: request", "method", req.Method, "host", req.URL.Host, "outcome", outcome(res, err))
	return res, err
}

// CloseIdleConnections lets http.Client.CloseIdleConnections through.
func (g *guard) CloseIdleConnections() { g.next.CloseIdleConnections() }

func outcome(res *http.Response, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(res.StatusCode)
}

func either[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
