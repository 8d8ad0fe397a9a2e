// Package store is the log and the tables around it: what happened, in order, for good.
//
// It runs on SQLite and on PostgreSQL with one SQL text. It knows no platform, no bot and no HTTP; it must not do
// I/O other than the database's, and nobody but this package writes SQL for the log.
package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/wake"
)

// Options say where the database is and what the store needs to know of the rest.
type Options struct {
	// DSN is a PostgreSQL address (postgres://...) or the path of a SQLite file.
	DSN string
	// Wake is told after each commit how far the log of a workspace goes, and tells of other nodes' commits.
	Wake wake.Bus
	// Routes say which events mean work (see Work).
	Routes []Route
	// Now is the clock; ids of rows are made by NewID. Both have defaults.
	Now   func() time.Time
	NewID func() string
	Log   *slog.Logger
	// Lease is how long a node may keep a follower without a word; default 15 s.
	Lease time.Duration
	// Sweep is how often followers look for commits that nobody told them of; default 2 s.
	Sweep time.Duration
}

// Route says which events mean work of a kind. Lane is a pure function: it names the queue that the event's job
// stands in ("" for no job); jobs of a lane are done in the order of the log.
type Route struct {
	Work string
	Lane func(e *chat.Event) string
}

// Store is the database, opened. It is safe for concurrent use.
type Store struct {
	engine engine
	wake   wake.Bus
	routes []Route
	clock  func() time.Time
	id     func() string
	log    *slog.Logger
	lease  time.Duration
	sweep  time.Duration
	holder string

	queue    chan *request
	settling chan settling
	closed   chan struct{}
	ended    chan struct{}
	once     sync.Once
	uses     tokenUses

	workspaces sync.Map // chat.WorkspaceID -> int64; never changes
	channels   sync.Map // chat.ChannelID -> channelName; never changes
	heads      headBoard
	readers    prepared
	warm       warmth
	turns      turns
	along      companions
	numbers    numbers
}

// channelName is a channel's inner name.
type channelName struct{ ws, no int64 }

// Open opens or makes the database, brings it to the newest form and starts the committer. Close ends it.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{
		wake: o.Wake, routes: o.Routes, clock: o.Now, id: o.NewID, log: o.Log, lease: o.Lease, sweep: o.Sweep,
		queue: make(chan *request, maxBatch*4), settling: make(chan settling), closed: make(chan struct{}), ended: make(chan struct{}),
		holder: chat.NewID(),
	}
	s.defaults()
	var err error
	if isPostgres(o.DSN) {
		s.engine, err = openPostgres(ctx, o.DSN)
	} else {
		s.engine, err = openSQLite(ctx, o.DSN)
	}
	if err != nil {
		return nil, err
	}
	if s.engine.single() {
		// nobody else can be alive: leases of a killed process are over
		if err := s.engine.exec(ctx, stmt{sql: "UPDATE followers SET holder = '', lease_until = 0"}); err != nil {
			_ = s.engine.close()
			return nil, fmt.Errorf("store: free leases: %w", err)
		}
	}
	go s.commitLoop()
	go s.settleLoop()
	go s.hear(s.wake.Subscribe())
	return s, nil
}

func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

func (s *Store) defaults() {
	if s.clock == nil {
		s.clock = time.Now //nolint:forbidigo // the edge: the default clock
	}
	if s.id == nil {
		s.id = chat.NewID
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.lease == 0 {
		s.lease = 15 * time.Second
	}
	if s.wake == nil {
		s.wake = wake.Local()
	}
	if s.sweep == 0 {
		s.sweep = 2 * time.Second
	}
	s.heads.init()
}

// now is the clock at the precision of the tables, so that what is returned equals what is read again.
func (s *Store) now() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }

// Close stops the committer after what is under way and closes the database.
func (s *Store) Close() error {
	var err error
	s.once.Do(func() {
		close(s.closed)
		<-s.ended
		s.uses.close()
		err = s.engine.close()
	})
	return err
}

func (s *Store) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.engine.reader().QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return unavailable(err)
	}
	return nil
}

// workspaceNo finds the inner name of a workspace.
func (s *Store) workspaceNo(ctx context.Context, uid chat.WorkspaceID) (int64, error) {
	if no, ok := s.workspaces.Load(uid); ok {
		return no.(int64), nil
	}
	var no int64
	err := s.engine.reader().QueryRowContext(ctx, "SELECT id FROM workspaces WHERE uid = $1", cleanText(string(uid))).Scan(&no)
	if err == sql.ErrNoRows { //nolint:errorlint // database/sql promises this very value
		return 0, chat.Faultf(chat.CodeNotFound, "no such workspace")
	}
	if err != nil {
		return 0, unavailable(err)
	}
	s.workspaces.Store(uid, no)
	return no, nil
}

// channelNo finds the inner name of a channel.
func (s *Store) channelNo(ctx context.Context, uid chat.ChannelID) (channelName, error) {
	if name, ok := s.channels.Load(uid); ok {
		return name.(channelName), nil
	}
	var name channelName
	err := s.engine.reader().QueryRowContext(ctx, "SELECT workspace, no FROM channels WHERE uid = $1", cleanText(string(uid))).Scan(&name.ws, &name.no)
	if err == sql.ErrNoRows { //nolint:errorlint // database/sql promises this very value
		return name, chat.Faultf(chat.CodeNotFound, "no such channel")
	}
	if err != nil {
		return name, unavailable(err)
	}
	s.channels.Store(uid, name)
	return name, nil
}

// unavailable marks an error of the database itself: the caller may try again.
func unavailable(err error) error {
	if err == nil || chat.CodeOf(err) != "" {
		return err
	}
	return fmt.Errorf("%w: %w", &chat.Fault{Code: chat.CodeUnavailable, Detail: "the database did not take it"}, err)
}
