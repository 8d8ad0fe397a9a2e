package visitor

import (
	"context"
	"errors"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector/webchat"
)

// unsentEvery is how often uploads that were never sent are looked for, and unsentPage how many of a channel are deleted at once.
const (
	unsentEvery = time.Hour
	unsentPage  = 200
)

// Run deletes uploads that were never sent, until the context ends. Several nodes may do so.
func (s *Server) Run(ctx context.Context) error {
	tick := time.NewTicker(unsentEvery)
	defer tick.Stop()
	for {
		if err := s.Clear(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "visitor: uploads that were never sent are still there", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Clear deletes the uploads of all channels of ours that can be sent no more.
func (s *Server) Clear(ctx context.Context) error {
	all, err := s.Store.Channels(ctx, "")
	if err != nil {
		return err
	}
	var errs []error
	for _, ch := range all {
		if ch.Connector == webchat.Name {
			errs = append(errs, s.clear(ctx, ch.ID))
		}
	}
	return errors.Join(errs...)
}

// clear deletes the bytes first: a row whose bytes are gone is found again, bytes without a row are not.
func (s *Server) clear(ctx context.Context, channel chat.ChannelID) error {
	for {
		files, err := s.Store.Unsent(ctx, channel, s.Now().Add(-unsentLife), unsentPage)
		if err == nil {
			err = s.Hub.Forget(ctx, files)
		}
		for _, id := range files {
			if err == nil {
				err = s.Store.DropUnsent(ctx, id)
			}
		}
		if err != nil || len(files) < unsentPage {
			return err
		}
	}
}
