// Package visitor serves the chat of our own widget on other people's web pages: who has come, what was said, what comes next.
//
// What a visitor says is accepted by the hub; what a visitor hears is read from the log. The package keeps nothing that a restart would
// lose: who somebody is stands in a token that they carry. It must not show one visitor anything of another, nor what is said inside.
package visitor

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/blob"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/wake"
)

// Prefix is where all paths of this package begin.
const Prefix = "/visitor/"

// Hub is what the Server needs of the hub.
type Hub interface {
	Accept(ctx context.Context, id chat.ChannelID, events []chat.Incoming) error
	PlainSettings(ctx context.Context, id chat.ChannelID) (store.Channel, json.RawMessage, error)
	FileLink(ws chat.WorkspaceID, id chat.FileID) string
	Forget(ctx context.Context, files []chat.FileID) error
}

// Blobs is where uploads go; blob.Store is one.
type Blobs interface {
	Put(ctx context.Context, key string, r io.Reader, limit int64) (blob.Info, error)
}

// Signer makes tokens; *secret.Keyring is one.
type Signer interface {
	Sign(place, payload string, expiry time.Time) string
	Verify(place, signed string, now time.Time) (string, error)
}

// Place is where a waiting conversation stands; zero: nobody knows.
type Place struct {
	Position int           // 1: next
	Estimate time.Duration // until somebody answers
}

// Options are what the Server needs. Waiting, Open, Address, Public and Limits may be left out.
type Options struct {
	Store  *store.Store
	Hub    Hub
	Blobs  Blobs
	Wake   wake.Bus
	Signer Signer
	// Waiting tells where a conversation stands in its queue.
	Waiting func(ctx context.Context, ws chat.WorkspaceID, conv chat.Conversation) (Place, error)
	// Open tells whether people answer now, by the name of opening hours.
	Open func(ctx context.Context, ws chat.WorkspaceID, hours string) (bool, error)
	// Address tells where a request comes from; nil: the other end of its connection.
	Address func(*http.Request) string
	Now     func() time.Time
	Log     *slog.Logger
	Public  string // base URL under which browsers reach us; "": the one of their request
	Limits  Limits
}

// Limits bound what visitors may do. Zero values have the defaults that are named here.
type Limits struct {
	Body      int64         // of a call that is no upload, in bytes; 64 KiB
	Calls     int           // a second of one address, five times that at once; 40
	Messages  int           // a minute of one visitor, a third of that at once; 60
	Uploads   int           // an hour of one visitor, a third of that at once; 60
	Traffic   int           // MiB of uploads an hour of one address, a quarter of that at once; 1024
	Streams   int           // open at the same time; 50,000
	Mine      int           // of one visitor; 12
	Near      int           // of one address; 1,000
	Buffer    int           // frames that wait for a slow reader before it is cut off; 128
	Backlog   int           // bytes of those frames; 1 MiB
	Page      int           // messages of a snapshot; 30
	Window    int           // events of a conversation that a stream catches up with; 300
	Heartbeat time.Duration // between signs of life; 15 s
	Sweep     time.Duration // how often the log is looked at when nobody told of it; 2 s
	Write     time.Duration // how long one write to a reader may take; 15 s
	Life      time.Duration // of a token; 30 days
}

func (l *Limits) defaults() {
	setDefault(&l.Body, 64<<10)
	setDefault(&l.Calls, 40)
	setDefault(&l.Messages, 60)
	setDefault(&l.Uploads, 60)
	setDefault(&l.Traffic, 1024)
	setDefault(&l.Streams, 50_000)
	setDefault(&l.Mine, 12)
	setDefault(&l.Near, 1000)
	setDefault(&l.Buffer, 128)
	setDefault(&l.Backlog, 1<<20)
	setDefault(&l.Page, 30)
	setDefault(&l.Window, 300)
	setDefault(&l.Heartbeat, 15*time.Second)
	setDefault(&l.Sweep, 2*time.Second)
	setDefault(&l.Write, 15*time.Second)
	setDefault(&l.Life, 30*24*time.Hour)
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Server answers visitors. It is safe for concurrent use.
type Server struct {
	Options
	mux   *http.ServeMux
	sites sites
	feeds *feeds
	paces paces

	mu       sync.Mutex
	open     map[string]int // streams by visitor and by address
	count    int
	stopping bool
	stop     chan struct{}
	streams  sync.WaitGroup
}

// New makes a server. Close ends its streams.
func New(o Options) *Server {
	o.Limits.defaults()
	o.Public = strings.TrimRight(o.Public, "/")
	s := &Server{Options: o, mux: http.NewServeMux(), stop: make(chan struct{}), open: map[string]int{}}
	s.sites = sites{s: s, known: map[chat.ChannelID]*site{}}
	s.paces = newPaces(o.Limits)
	s.feeds = &feeds{s: s, all: map[chat.WorkspaceID]*feed{}}
	s.routes()
	return s
}

// Close ends all streams, so that the program can stop; visitors come back by themselves.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.stopping {
		s.stopping = true
		close(s.stop)
	}
	s.mu.Unlock()
	s.streams.Wait()
}
