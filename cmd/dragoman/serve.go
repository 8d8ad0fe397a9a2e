package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"time"
)

type serveCmd struct{ settings }

// stopTime is how long requests may go on after the signal to stop.
const stopTime = 15 * time.Second

// Run serves until ctx ends: then it takes no new requests, lets what is under way end, and closes everything.
func (c serveCmd) Run(ctx context.Context, t terminal) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	// the address first: when it is taken, nothing has been made yet
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("%w\n  is another hub running? Choose another address with --listen, such as 127.0.0.1:8080", err)
	}
	defer l.Close() //nolint:errcheck // the server has closed it unless something failed before
	p, err := build(ctx, c.settings, t.err)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	p.url = reachable(l.Addr())
	n, fresh, err := setUp(ctx, p)
	if err != nil {
		return err
	}
	n.URL = p.url
	if err := n.write(c.Data); err != nil {
		return err
	}
	p.log.Info("started", "version", version, "data", c.Data, "database", c.databaseName())
	p.log.Info("listening", "url", p.url)
	greet(t.out, p, n, fresh)
	defer p.log.Info("stopped")
	return p.serve(ctx, l)
}

// serve runs the stations and answers requests.
func (p *program) serve(ctx context.Context, l net.Listener) error {
	// the collector works whenever the heap has doubled, and a heap of a few megabytes doubles all the time. This doubles at 64 MB;
	// it is never touched, so it takes addresses and no memory
	defer runtime.KeepAlive(make([]byte, 64<<20))
	work, stop := context.WithCancel(ctx)
	defer stop()
	worked := make(chan error, 1)
	go func() { worked <- p.work(work) }()
	server := p.server()
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()

	var failed error
	select {
	case <-ctx.Done():
	case failed = <-served:
	case failed = <-worked:
		worked <- nil
	}
	p.log.Info("stopping")
	p.api.Close() // streams end first, for they would never end by themselves
	p.chats.Close()
	p.visitors.Close()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		p.log.Warn("requests were cut off", "err", err)
		_ = server.Close() // they have had their time
	}
	stop()
	if werr := <-worked; failed == nil {
		failed = werr
	}
	if errors.Is(failed, http.ErrServerClosed) {
		return nil
	}
	return failed
}
