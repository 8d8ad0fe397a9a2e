package api

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/desk"
	"github.com/dragoman-hub/dragoman/knowledge"
	"github.com/dragoman-hub/dragoman/llm"
	"github.com/dragoman-hub/dragoman/outbound"
	"github.com/dragoman-hub/dragoman/report"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/wake"
)

// Options are what the API needs. LLM, Metrics, Public, TrustProxy, Origins, Limits and Lines may be left out.
type Options struct {
	Store   *store.Store
	Hub     Hub
	Wake    wake.Bus
	Secrets Sealer
	Now     func() time.Time
	Log     *slog.Logger
	Version string
	HTTP    *http.Client // the guarded one, for the hooks of actions; nil: one that reaches the public internet only
	LLM     *llm.Book    // the language models; nil: only such as are on the public internet
	Metrics http.Handler // answers /metrics; nil: there is none
	Public  string       // base URL under which others reach us, without a slash at the end
	// TrustProxy believes X-Forwarded-For, -Proto and -Host. Only right behind a proxy that sets all of them itself.
	TrustProxy bool
	Origins    []string // web pages of these origins may call us; "*" is any; none by default
	Limits     Limits
	Access     access.Settings // how users sign in
	Lines      *desk.Lines     // hears which users follow the log; nil: nobody wants to know
}

// Sealer keeps answers at rest that may hold a new token; *secret.Keyring is one.
type Sealer interface {
	Seal(place string, plain []byte) string
	Open(place, sealed string) ([]byte, error)
}

// Limits bound what callers may ask. Zero values have the defaults that are named here.
type Limits struct {
	Body      int64         // largest JSON body in bytes; 1 MiB + 64 KiB
	Timeout   time.Duration // for one request, but for streams and uploads; 30 s
	Rate      float64       // requests per second and token; 500
	Burst     int           // and at once; twice the rate
	Failures  int           // wrong tokens per minute and address; 30
	Visits    float64       // requests per second and address to what needs no token (see Paced); 200, four times that at once
	Streams   int           // open event streams per token; 200
	Buffer    int           // events that wait for a slow reader of a stream before it is cut off; 512
	Heartbeat time.Duration // between signs of life of a stream; 15 s
	Sweep     time.Duration // how often a stream looks for events that nobody told it of; 2 s
}

func (l *Limits) defaults() {
	setDefault(&l.Body, 1<<20+64<<10)
	setDefault(&l.Timeout, 30*time.Second)
	setDefault(&l.Rate, 500)
	setDefault(&l.Burst, max(1, int(2*l.Rate)))
	setDefault(&l.Failures, 30)
	setDefault(&l.Visits, 200)
	setDefault(&l.Streams, 200)
	setDefault(&l.Buffer, 512)
	setDefault(&l.Heartbeat, 15*time.Second)
	setDefault(&l.Sweep, 2*time.Second)
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// API answers HTTP. It is safe for concurrent use.
type API struct {
	Options
	mux    *http.ServeMux
	huma   huma.API
	routes map[string]route // by the mux's pattern
	doc    document
	page   page

	gate    *access.Gate
	tokens  *tokenCache
	pace    *limiters // per token
	failed  *limiters // per address
	visits  *limiters // per address
	streams *streams
	present present
	locks   keyLocks
	again   chan struct{} // has room for one who plays a time again
	library *knowledge.Library
	board   *report.Board
	closed  chan struct{}
	closing sync.Once
}

// route is how a request is treated before its handler sees it.
type route struct {
	id     string
	scope  string       // that the token needs; "" is any token
	right  access.Right // that the caller needs; "" leaves it to the scope
	audits string       // the kind of thing whose change the audit log tells of
	open   bool         // no token
	json   bool         // open, and takes a JSON body
	person bool         // only for users who have signed in
	raw    bool         // the handler reads the body itself
	exact  bool         // the handler takes care of Idempotency-Key itself
	stream bool         // has no time limit
}

// New makes the API. Close ends its event streams.
func New(o Options) *API {
	o.Limits.defaults()
	if o.Access.Queues == nil {
		o.Access.Queues = o.Store
	}
	o.Public = strings.TrimSuffix(o.Public, "/")
	a := &API{
		Options: o, mux: http.NewServeMux(), routes: map[string]route{},
		tokens: newTokenCache(), closed: make(chan struct{}),
		pace:   newLimiters(o.Limits.Rate, o.Limits.Burst),
		visits: newLimiters(o.Limits.Visits, int(4*o.Limits.Visits)),
		failed: newLimiters(float64(o.Limits.Failures)/60, o.Limits.Failures),
		locks:  keyLocks{held: map[string]*keyLock{}},
		again:  make(chan struct{}, 1),
	}
	a.gate = access.New(access.Options{Settings: o.Access, Store: o.Store, Secrets: o.Secrets, Now: o.Now, Log: o.Log})
	a.library = knowledge.New(o.Store)
	a.board = &report.Board{Store: o.Store, Now: o.Now}
	if a.HTTP == nil {
		a.HTTP = outbound.Client(outbound.Options{Log: o.Log})
	}
	if a.LLM == nil {
		a.LLM = llm.NewBook(o.Store, o.Secrets, a.HTTP, llm.Limits{})
	}
	a.streams = newStreams(a)
	a.huma = humago.New(gated{a}, a.config())
	a.register()
	a.doc = a.finish()
	a.page = newPage()
	return a
}

// Close ends all event streams, so that the server can shut down; clients come back by themselves. Other requests still work.
func (a *API) Close() { a.closing.Do(func() { close(a.closed) }) }

// register names every resource; one file each.
func (a *API) register() {
	a.registerHealth()
	a.registerDocs()
	a.registerWebhooks()
	a.registerMe()
	a.registerConnectors()
	a.registerChannels()
	a.registerSimulate()
	a.registerFlows()
	a.registerKnowledge()
	a.registerModels()
	a.registerPrompts()
	a.registerConversations()
	a.registerDeskChannels()
	a.registerDeskPeople()
	a.registerMyOffers()
	a.registerMessages()
	a.registerPlaces()
	a.registerWatch()
	a.registerLife()
	a.registerHistory()
	a.registerBatch()
	a.registerMyDesk()
	a.registerCheck()
	a.registerOffers()
	a.registerQueues()
	a.registerTeams()
	a.registerRouting()
	a.registerAgents()
	a.registerConversationPatch()
	a.registerStart()
	a.registerSearch()
	a.registerFields()
	a.registerReplies()
	a.registerActions()
	a.registerPresence()
	a.registerContacts()
	a.registerFiles()
	a.registerEvents()
	a.registerDeadLetters()
	a.registerTokens()
	a.registerWorkspaces()
	a.registerSessions()
	a.registerUsers()
	a.registerRoles()
	a.registerAudit()
	a.registerReports()
}

// Patterns lists everything that is answered, as "METHOD /path", sorted; a path alone takes any method.
func (a *API) Patterns() []string {
	out := make([]string, 0, len(a.routes))
	for p := range a.routes {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

var _ http.Handler = (*API)(nil)

// Route names the pattern that a request belongs to, for metrics; "" for none.
func (a *API) Route(r *http.Request) string {
	_, pattern := a.mux.Handler(r)
	return pattern
}
