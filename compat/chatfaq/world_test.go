// Package chatfaq_test runs the SDKs of this repository against a real hub: flows, workers, pages, files and knowledge on loopback.
package chatfaq_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/blob"
	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/rpc"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/widget"
	"github.com/dragoman-hub/dragoman/connector/all"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/knowledge"
	"github.com/dragoman-hub/dragoman/outbound"
	"github.com/dragoman-hub/dragoman/sdk/worker"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/storetest"
	"github.com/dragoman-hub/dragoman/telemetry"
	"github.com/dragoman-hub/dragoman/wake"
)

// patience is long because the machine may be busy.
const patience = time.Minute

// world is a hub with all that workers and pages reach of it.
type world struct {
	t       *testing.T
	store   *store.Store
	hub     *hub.Hub
	workers *rpc.Server
	library *knowledge.Library
	ws      chat.WorkspaceID
	url     string
	token   string
	mux     *http.ServeMux
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, mux: http.NewServeMux()}
	log, bus, dir := slog.New(slog.DiscardHandler), wake.Local(), t.TempDir()
	var err error
	w.store, err = store.Open(t.Context(), store.Options{
		DSN: storetest.SQLite(t), Wake: bus, Routes: append(hub.Routes(), bot.Routes()...), Log: log,
	})
	w.must(err)
	blobs, err := blob.Dir(filepath.Join(dir, "blobs"))
	w.must(err)
	keys, err := secret.NewKeyring(bytes.Repeat([]byte{7}, secret.KeySize))
	w.must(err)
	w.hub = hub.New(hub.Options{
		Store: w.store, Blobs: blobs, Wake: bus, Secrets: keys, Platforms: all.Platforms(), Random: rand.Reader, Now: time.Now, Log: log,
		HTTP: outbound.Client(outbound.Options{AllowPrivate: true, Log: log}), Meter: telemetry.NewMetrics(),
	})
	server := httptest.NewServer(w.mux)
	w.url, w.library = server.URL, knowledge.New(w.store)
	w.workers = rpc.New(rpc.Options{
		Store: w.store, Channels: w.hub, Wake: bus, Now: time.Now, Log: log, Knowledge: w.library,
		Link: func(ws chat.WorkspaceID, id chat.FileID) string { return w.url + w.hub.FileLink(ws, id) },
	})
	w.workers.Mount(w.mux)
	pages := widget.New(widget.Options{
		Store: w.store, Hub: w.hub, Blobs: blobs, Wake: bus, Signer: keys, Workers: w.workers.Connected, Now: time.Now, Log: log,
		Limits: widget.Limits{Grace: 600 * time.Millisecond}, // the flows are there before the pages
	})
	pages.Mount(w.mux)
	w.mux.HandleFunc("GET /files/{id}", w.file)
	space, err := w.store.AddWorkspace(t.Context(), "", "test")
	w.must(err)
	w.ws = space.ID
	w.token = w.addToken(rpc.ScopeWorker)
	stop := w.run(&bot.Runner{Store: w.store, Log: log, Fallback: "Sorry?"})
	t.Cleanup(func() {
		pages.Close()
		stop()
		server.Close()
		w.must(w.store.Close())
		w.must(blobs.Close())
	})
	return w
}

// run starts the stations.
func (w *world) run(bots *bot.Runner) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() { _ = bots.Run(ctx) })
	wg.Go(func() { _ = bots.RunCalls(ctx, w.workers.Call) })
	wg.Go(func() { _ = w.hub.Run(ctx) })
	wg.Go(func() { _ = w.workers.Run(ctx) })
	return func() {
		cancel()
		wg.Wait()
	}
}

// file serves a stored file by its signed link.
func (w *world) file(out http.ResponseWriter, r *http.Request) {
	id := chat.FileID(r.PathValue("id"))
	if _, err := w.hub.VerifyFileLink(id, r.URL.Query()); err != nil {
		http.Error(out, err.Error(), http.StatusForbidden)
		return
	}
	body, _, err := w.hub.OpenFile(r.Context(), id, 0, -1)
	if err != nil {
		http.Error(out, err.Error(), http.StatusNotFound)
		return
	}
	defer body.Close()
	_, _ = io.Copy(out, body) // the caller may have gone
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) addToken(scopes ...string) string {
	w.t.Helper()
	text, h := secret.NewToken("drg")
	_, err := w.store.AddToken(w.t.Context(), store.Token{Workspace: w.ws, Name: "t", Hash: hex.EncodeToString(h[:]), Scopes: scopes})
	w.must(err)
	return text
}

// serve runs a worker of the flow until the test ends, and waits until it is there.
func (w *world) serve(flow *worker.Flow) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- (&worker.Worker{URL: w.url, Token: w.token, Flow: flow, Logger: slog.New(slog.DiscardHandler)}).Run(ctx)
	}()
	w.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	})
	w.until("the worker of "+flow.Name, func() bool { return w.workers.Connected(w.ws, flow.Name) })
}

func (w *world) until(what string, good func() bool) {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !good(); <-tick.C {
		if time.Now().After(deadline) {
			w.t.Fatalf("never: %s", what)
		}
	}
}
