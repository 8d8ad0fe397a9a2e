package search

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/store"
)

// Index keeps the words of all messages up to date.
type Index struct {
	Store *store.Store
	Fold  func(string) []string // gives the words of a text as they are looked for
	Log   *slog.Logger
	Every time.Duration // how often it looks for new messages; 0: 1 s
}

const (
	batch = 256 // messages of one transaction at the most
	share = 4   // while there is much to do it rests so many times as long as it works
)

// Run indexes until ctx ends. What it has not come to is found a little later; nothing waits for it.
func (x *Index) Run(ctx context.Context) error {
	every := x.Every
	if every == 0 {
		every = time.Second
	}
	in := x.Store.Indexer(x.words)
	rest := time.NewTimer(0)
	defer rest.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-rest.C:
		}
		begun := x.Store.Now()
		more, err := in.Next(ctx, batch)
		if err != nil && ctx.Err() == nil {
			x.Log.WarnContext(ctx, "search: index", "err", err)
		}
		if more && err == nil {
			rest.Reset(min(share*x.Store.Now().Sub(begun), every))
			continue
		}
		rest.Reset(every)
	}
}

func (x *Index) words(text string) string { return strings.Join(x.Fold(text), " ") }
