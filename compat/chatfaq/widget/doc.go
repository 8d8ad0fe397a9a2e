// Package widget speaks ChatFAQ's protocol for chats on web pages, so that its browser widget, and others' clients of that protocol, work
// with Dragoman unmodified: the broker socket, the REST calls for history, feedback and files, and the widget's configuration.
//
// What a client says is accepted by the hub; what it hears is read from the log. The package keeps nothing that a restart would lose.
package widget

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/blob"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/door"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/wake"
)

// Hub is what the Server needs of the hub.
type Hub interface {
	Accept(ctx context.Context, id chat.ChannelID, events []chat.Incoming) error
	Channels(ctx context.Context, ws chat.WorkspaceID) ([]hub.Channel, error)
	AddChannel(ctx context.Context, ws chat.WorkspaceID, in hub.ChannelInput) (hub.Channel, error)
	FileLink(ws chat.WorkspaceID, id chat.FileID) string
	RenewFileLink(ws chat.WorkspaceID, id chat.FileID, query url.Values) string
}

// Signer signs links; *secret.Keyring is one.
type Signer interface {
	Sign(place, payload string, expiry time.Time) string
	Verify(place, signed string, now time.Time) (string, error)
}

// Blobs is where uploads go; blob.Store is one.
type Blobs interface {
	Put(ctx context.Context, key string, r io.Reader, limit int64) (blob.Info, error)
}

// Options are what the Server needs. Workers, Door, Public and Limits may be left out.
type Options struct {
	Store  *store.Store
	Hub    Hub
	Blobs  Blobs
	Wake   wake.Bus
	Signer Signer
	// Workers tells whether a worker of the flow is connected; nil: not asked, calls wait for workers themselves. Flows without
	// functions of workers are not asked for.
	Workers func(ws chat.WorkspaceID, flow string) bool
	Now     func() time.Time
	Log     *slog.Logger
	Door    *door.Door // bounds wrong tokens; nil: one of its own
	Public  string     // base URL under which browsers reach us; "": the one of their request
	Limits  Limits
}

// Limits bound what clients may do. Zero values have the defaults that are named here.
type Limits struct {
	Grace      time.Duration // how long a client waits for a flow or its workers before it is refused; 10 s
	Frame      int64         // largest frame of a client in bytes; 256 KiB
	Rate       int           // frames a second of a socket, three times that at once; 10
	Sockets    int           // open at the same time; 50,000
	Room       int           // of one conversation; 32
	Buffer     int           // frames that wait for a slow client before it is cut off; 128
	Backlog    int64         // bytes of those frames; one frame always may wait; 4 MiB
	Replay     int           // messages that a client which comes back gets again; 50
	Sweep      time.Duration // how often the log is looked at when nobody told of it; 2 s
	Ping       time.Duration // between signs of life; 30 s
	Attachment int64         // largest upload in bytes; 50 MiB
	LinkAge    time.Duration // how long a link for an upload is good; 1 h
}

func (l *Limits) defaults() {
	setDefault(&l.Grace, 10*time.Second)
	setDefault(&l.Frame, 256<<10)
	setDefault(&l.Rate, 10)
	setDefault(&l.Sockets, 50_000)
	setDefault(&l.Room, 32)
	setDefault(&l.Buffer, 128)
	setDefault(&l.Backlog, 4<<20)
	setDefault(&l.Replay, 50)
	setDefault(&l.Sweep, 2*time.Second)
	setDefault(&l.Ping, 30*time.Second)
	setDefault(&l.Attachment, 50<<20)
	setDefault(&l.LinkAge, time.Hour)
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Server answers the widget. It is safe for concurrent use.
type Server struct {
	Options
	sites   *sites
	feed    *feed
	numbers numbers

	mu       sync.Mutex
	sockets  map[*socket]context.CancelFunc
	stopping bool
	stop     chan struct{}
	open     sync.WaitGroup
}

// New makes a server. Close ends its sockets.
func New(o Options) *Server {
	o.Limits.defaults()
	if o.Door == nil {
		o.Door = door.New(nil, o.Now)
	}
	o.Public = strings.TrimRight(o.Public, "/")
	s := &Server{Options: o, numbers: newNumbers(o.Signer), stop: make(chan struct{}), sockets: map[*socket]context.CancelFunc{}}
	s.sites = &sites{s: s, flows: map[string]knownFlow{}}
	s.feed = &feed{s: s, rooms: map[roomKey]*room{}, convs: map[chat.ConversationID]*room{}, channels: map[chat.ChannelID]int{}}
	return s
}

// Mount puts the paths of the protocol into a mux.
func (s *Server) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /back/ws/broker/{conversation}/{flow}/{user}/{$}", s.broker)
	s.mountREST(mux)
}

// closeTime is how long clients may take to hear that the server stops.
const closeTime = 3 * time.Second

// Close ends all sockets, so that the program can stop; clients come back by themselves. Those that do not read are cut off.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.stopping {
		s.stopping = true
		close(s.stop)
	}
	s.mu.Unlock()
	defer time.AfterFunc(closeTime, s.cut).Stop()
	s.open.Wait()
}

func (s *Server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, cancel := range s.sockets {
		cancel()
	}
}

// enter makes room for a socket.
func (s *Server) enter(k *socket, cancel context.CancelFunc) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping || len(s.sockets) >= s.Limits.Sockets {
		return false
	}
	s.sockets[k] = cancel
	s.open.Add(1)
	return true
}

func (s *Server) leave(k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sockets, k)
	s.open.Done()
}
