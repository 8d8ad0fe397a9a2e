package connectortest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/connector"
)

// Option tells the examination what it cannot find out by itself.
type Option func(*exam)

// Signer signs a webhook call as the platform would, with the secrets in settings: it sets headers or the URL.
type Signer func(settings json.RawMessage, req *connector.Request)

// WithSigner signs the calls of transcripts that have a sign section, and those that the laws have changed.
func WithSigner(sign Signer) Option { return func(x *exam) { x.sign = sign } }

// WithProof names what proves where a webhook call comes from: headers, or query parameters as "?name". A call
// without one of them, or with another value, must be refused.
func WithProof(names ...string) Option {
	return func(x *exam) { x.proofs = append(x.proofs, names...) }
}

// WithBodySigned says that the proof covers the body: a changed body must be refused. It needs WithSigner.
func WithBodySigned() Option { return func(x *exam) { x.bodySigned = true } }

// WithoutProof says that the platform gives none, and why.
func WithoutProof(reason string) Option { return func(x *exam) { x.noProof = reason } }

// WithHosts names hosts that may be called beside those in the settings; "*.example.org" stands for all below it.
func WithHosts(hosts ...string) Option {
	return func(x *exam) { x.hosts = append(x.hosts, hosts...) }
}

// WithFault says how the platform's answer with this status looks, where the general one (no body; 429 with Retry-After: 7)
// is not its way. A 429 must ask for 7 seconds. A nil header keeps the general one.
func WithFault(status int, header http.Header, body string) Option {
	return func(x *exam) { x.ownFaults[status] = answer{header: header, body: []byte(body)} }
}

// listenBound is how soon Listen has to end after its context.
const listenBound = 5 * time.Second

// exam is one examination.
type exam struct {
	platform   connector.Platform
	dir        string
	sign       Signer
	proofs     []string
	bodySigned bool
	noProof    string
	hosts      []string
	update     bool
	ownFaults  map[int]answer
	bound      time.Duration // how soon Listen has to end
	standin    *standin
	all        []*transcript
}

// Run examines a platform with the transcripts in dir, one subtest each, and then by the laws.
func Run(t *testing.T, p connector.Platform, dir string, opts ...Option) {
	t.Helper()
	x, err := newExam(p, dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.standin.server.Close)
	t.Run("transcripts", func(t *testing.T) {
		for _, tr := range x.all {
			t.Run(tr.name, func(t *testing.T) { x.play(t, tr) })
		}
	})
	t.Run("laws", func(t *testing.T) {
		for _, l := range laws {
			t.Run(l.name, func(t *testing.T) { l.check(x, t) })
		}
	})
}

func newExam(p connector.Platform, dir string, opts []Option) (*exam, error) {
	x := &exam{platform: p, dir: dir, update: os.Getenv("UPDATE_TRANSCRIPTS") == "1", bound: listenBound, ownFaults: map[int]answer{}}
	for _, o := range opts {
		o(x)
	}
	var err error
	if x.all, err = load(dir); err != nil {
		return nil, err
	}
	if len(x.all) == 0 {
		return nil, fmt.Errorf("no *.txtar in %s", dir)
	}
	x.standin = newStandin()
	return x, nil
}
