package hub_test

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

// eventually asks again and again until done, for what tells no news.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(patience); !done(); <-tick.C {
		if time.Now().After(limit) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// slowRows is a world whose rows of channels can be made to wait for.
type slowRows struct {
	*world
	db *sql.DB
}

func newSlowRows(t *testing.T, platforms ...connector.Platform) slowRows {
	t.Helper()
	dsn := storetest.Postgres(t)
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return slowRows{newWorld(t, setup{dsn: dsn, platforms: platforms}), db}
}

// stop keeps everybody from reading channels; the answer ends that.
func (w slowRows) stop() (release func()) {
	w.t.Helper()
	tx, err := w.db.BeginTx(w.t.Context(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := tx.ExecContext(w.t.Context(), "LOCK TABLE channels IN ACCESS EXCLUSIVE MODE"); err != nil {
		w.t.Fatal(err)
	}
	return sync.OnceFunc(func() {
		if err := tx.Rollback(); err != nil {
			w.t.Error(err)
		}
	})
}

// readers is how many wait for channels now.
func (w slowRows) readers() (n int) {
	w.t.Helper()
	row := w.db.QueryRowContext(w.t.Context(), "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'channels'::regclass")
	if err := row.Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// ask lets callers use a channel side by side; each tells when it is done.
func (w slowRows) ask(ctx context.Context, id chat.ChannelID, callers int) <-chan error {
	done := make(chan error, callers)
	for range callers {
		go func() {
			_, err := w.MaxBody(ctx, id)
			done <- err
		}()
	}
	return done
}

func TestOneLooksAtAChannelAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	w := newSlowRows(t)
	id := w.channel("simulator", map[string]any{})
	if _, err := w.MaxBody(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	w.clock.advance(3 * time.Second)
	release := w.stop()
	defer release()
	const callers = 50
	done := w.ask(t.Context(), id, callers)
	for range callers - 1 {
		if err := hear(t, "those who need not wait", done); err != nil {
			t.Error(err)
		}
	}
	if n := w.readers(); n > 1 {
		t.Errorf("%d read the row at once", n)
	}
	w.clock.advance(20 * time.Second) // too old for anybody
	late := w.ask(t.Context(), id, callers)
	eventually(t, "another reader", func() bool { return w.readers() > 0 })
	if len(late) > 0 {
		t.Error("somebody went on with settings that are 23 seconds old")
	}
	release()
	for range callers {
		if err := hear(t, "those who waited", late); err != nil {
			t.Error(err)
		}
	}
	if err := hear(t, "the one who looked", done); err != nil {
		t.Error(err)
	}
}

func TestAChannelIsOpenedOnce(t *testing.T) {
	t.Parallel()
	var opened atomic.Int64
	p := (&script{}).platform("counted", connector.Traits{})
	open := p.Open
	p.Open = func(ctx context.Context, env connector.Env) (connector.Connector, error) {
		opened.Add(1)
		return open(ctx, env)
	}
	w := newSlowRows(t, p)
	id := w.channel("counted", map[string]any{"token": "SECRETcountedTOKEN001"})
	before := opened.Load()
	release := w.stop()
	defer release()
	const callers = 50
	ctx, leave := context.WithCancel(t.Context())
	first := w.ask(ctx, id, 1)
	eventually(t, "the first reader", func() bool { return w.readers() == 1 })
	done := w.ask(t.Context(), id, callers)
	leave() // whoever came first does not end the look of all
	release()
	for range callers {
		if err := hear(t, "the channel", done); err != nil {
			t.Error(err)
		}
	}
	_ = hear(t, "the one who left", first)
	if n := opened.Load() - before; n != 1 {
		t.Errorf("opened %d times", n)
	}
}

func TestAChangeCountsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	id := w.channel("telegram", map[string]any{"token": botToken, "secret_token": hook})
	var calls sync.WaitGroup
	defer calls.Wait()
	stop, leave := context.WithCancel(t.Context())
	defer leave()
	for range 2 { // others look all the time, also while the row is changed
		calls.Go(func() {
			for stop.Err() == nil {
				w.clock.advance(2001 * time.Millisecond)
				_, _ = w.MaxBody(stop, id)
			}
		})
	}
	for i := range int64(50) {
		now := []string{"SECRETtelegramHOOK0001", "SECRETtelegramHOOK0002"}[i%2]
		if _, err := w.PatchChannel(t.Context(), w.workspace, id, hub.ChannelPatch{Settings: asJSON(map[string]any{"secret_token": now})}); err != nil {
			t.Fatal(err)
		}
		w.secrets = append(w.secrets, now)
		if _, err := w.Receive(t.Context(), id, update(now, said(100+i, 7, "hi"))); err != nil {
			t.Fatalf("after change %d: %v", i, err)
		}
	}
}
