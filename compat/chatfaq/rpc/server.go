package rpc

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-hub/dragoman/blob"
	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/door"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/knowledge"
	"github.com/dragoman-hub/dragoman/llm"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/wake"
)

// Channels is what the Server needs of the hub: a registered flow gets a channel for the widget.
type Channels interface {
	Platforms() []connector.Platform
	Channels(ctx context.Context, ws chat.WorkspaceID) ([]hub.Channel, error)
	AddChannel(ctx context.Context, ws chat.WorkspaceID, in hub.ChannelInput) (hub.Channel, error)
	PatchChannel(ctx context.Context, ws chat.WorkspaceID, id chat.ChannelID, patch hub.ChannelPatch) (hub.Channel, error)
}

// Blobs is where files go; blob.Store is one.
type Blobs interface {
	Put(ctx context.Context, key string, r io.Reader, limit int64) (blob.Info, error)
	Delete(ctx context.Context, key string) error
}

// Options are what the Server needs.
type Options struct {
	Store    *store.Store
	Channels Channels
	Wake     wake.Bus
	Now      func() time.Time
	Log      *slog.Logger
	Link     func(chat.WorkspaceID, chat.FileID) string // a link to a stored file that is good for an hour; nil: none
	Blobs    Blobs                                      // where pictures and documents go; nil: there are none
	Door     *door.Door                                 // bounds wrong tokens; nil: one of its own

	LLM       *llm.Book          // nil: there is none, and each request is told so
	Knowledge *knowledge.Library // likewise

	Limits Limits
}

// Limits bound what workers may do. Zero values have the defaults that are named here.
type Limits struct {
	Frame   int64 // largest frame of a worker in bytes; 4 MiB
	Rate    int   // frames a second of a socket; 5,000. What comes faster waits
	Sockets int   // of a token at the same time; 256
	Calls   int   // under way at the same time at one worker; 256
	Request int   // largest frame to a worker in bytes; 1,000,000, for the SDK refuses 1 MiB
	Asks    int   // requests under way at the same time of one ai socket; 32
}

func (l *Limits) defaults() {
	if l.Frame <= 0 {
		l.Frame = 4 << 20
	}
	for limit, usual := range map[*int]int{&l.Rate: 5000, &l.Sockets: 256, &l.Calls: 256, &l.Request: 1_000_000, &l.Asks: 32} {
		if *limit <= 0 {
			*limit = usual
		}
	}
}

// Server connects workers with the flows whose functions they offer. It is safe for concurrent use.
type Server struct {
	Options
	node        string // this one among others
	pool        *pool
	transcripts transcripts
	registering sync.Mutex // registrations are rare: one at a time
	dropped     atomic.Int64
	parsers     parsers

	mu       sync.Mutex
	sockets  map[*socket]struct{}
	reserved map[string]int // sockets by token id
	stopping bool
	open     sync.WaitGroup
}

// New makes a server. Run has to run for tokens to be watched; Call may be used at once.
func New(o Options) *Server {
	o.Limits.defaults()
	if o.Door == nil {
		o.Door = door.New(nil, o.Now)
	}
	return &Server{
		Options: o, node: chat.NewID(), pool: newPool(o.Limits.Calls), transcripts: transcripts{store: o.Store, now: o.Now, link: o.Link},
		parsers: newParsers(), sockets: map[*socket]struct{}{}, reserved: map[string]int{},
	}
}

// Mount puts the paths of the protocol into a mux.
func (s *Server) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /back/ws/broker/rpc/{$}", s.calls)
	mux.HandleFunc("GET /back/ws/broker/rpc/{name}/{$}", s.calls)
	mux.HandleFunc("GET /back/ws/broker/ai/{$}", s.ai)
	mux.HandleFunc("GET /back/ws/broker/parse/{$}", s.parse)
	mux.HandleFunc("POST /back/api/login/{$}", s.login)
	mux.HandleFunc("POST /back/api/logout/{$}", s.logout)
	mux.HandleFunc("GET /back/api/broker/sdks/{$}", s.listWorkers)
	s.mountKnowledge(mux)
}

// Run watches tokens, and hears of workers of other nodes, until ctx ends; then all sockets are closed.
func (s *Server) Run(ctx context.Context) error {
	var others sync.WaitGroup
	defer others.Wait()
	others.Go(func() { s.hear(ctx) })
	others.Go(func() { s.watch(ctx) })
	tick := time.NewTicker(tokenTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			s.stop()
			return nil
		case <-tick.C:
			s.sweep(ctx)
		}
	}
}

// Dropped is how many results came for calls that are over, or never were.
func (s *Server) Dropped() int64 { return s.dropped.Load() }

func (s *Server) stop() {
	s.mu.Lock()
	s.stopping = true
	for c := range s.sockets {
		c.cut(errStopping)
	}
	s.mu.Unlock()
	s.open.Wait()
}

// reserve makes room for a socket of a token.
func (s *Server) reserve(token string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopping:
		return chat.Faultf(chat.CodeUnavailable, errStopping.Error())
	case s.reserved[token] >= s.Limits.Sockets:
		return errTooMany
	}
	s.reserved[token]++
	s.open.Add(1)
	return nil
}

func (s *Server) release(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reserved[token]--; s.reserved[token] == 0 {
		delete(s.reserved, token)
	}
	s.open.Done()
}

func (s *Server) keep(c *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets[c] = struct{}{}
	if s.stopping {
		c.cut(errStopping)
	}
}

func (s *Server) forget(c *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sockets, c)
}

// workerView is a connected worker as the protocol lists it.
type workerView struct {
	Group string `json:"layer_group_name"`
	Key   string `json:"rr_group_key"`
	Flow  string `json:"fsm_name"`
}

func (s *Server) listWorkers(w http.ResponseWriter, r *http.Request) {
	token, err := s.caller(r)
	if err != nil {
		refuse(w, err)
		return
	}
	all := s.pool.list(token.Workspace)
	answerJSON(w, http.StatusOK, map[string]any{"count": len(all), "next": nil, "previous": nil, "results": all})
}

// answerJSON writes an answer.
func answerJSON(w http.ResponseWriter, status int, v any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error tells only that the caller has gone
}

var _ bot.Caller = (*Server)(nil).Call
