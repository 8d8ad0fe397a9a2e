package desk

import (
	"context"
	"errors"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// silenceTicks is how many ticks lie between two looks for silent conversations: their time is counted in minutes.
const silenceTicks = 10

// live does what the clock does to conversations: it ends their rest, and closes those in which nothing is said any more. All nodes look;
// inside the transaction the rule is checked again, so that one of them does it.
func (r *Router) live(ctx context.Context) error {
	every := r.Tick
	if every == 0 {
		every = time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := r.wakeRested(ctx)
		if n%silenceTicks == 0 {
			err = errors.Join(err, r.closeSilent(ctx))
		}
		if err != nil && ctx.Err() == nil && r.Log != nil {
			r.Log.WarnContext(ctx, "desk: conversations whose time has come", "err", err)
		}
	}
}

func (r *Router) wakeRested(ctx context.Context) error {
	due, err := r.Store.Rested(ctx, overdueBatch)
	return r.overdue(ctx, due, err, func(o store.Overdue) store.Command {
		return &store.Awaken{Workspace: o.Workspace, Conversation: o.Conversation, Due: true, By: chat.Party{Type: chat.PartySystem}}
	})
}

func (r *Router) closeSilent(ctx context.Context) error {
	due, err := r.Store.Silent(ctx, r.BotSilence, overdueBatch)
	return r.overdue(ctx, due, err, func(o store.Overdue) store.Command {
		return &store.CloseSilent{Workspace: o.Workspace, Conversation: o.Conversation, Bot: r.BotSilence}
	})
}

// overdue does what is due; where another node, or a person, was faster there is nothing to do.
func (r *Router) overdue(ctx context.Context, due []store.Overdue, err error, do func(store.Overdue) store.Command) error {
	cmds := make([]store.Command, len(due))
	for i, o := range due {
		cmds[i] = do(o)
	}
	_, failed := r.Store.AppendAll(ctx, cmds)
	errs := []error{err}
	for _, err := range failed {
		switch chat.CodeOf(err) {
		case chat.CodeConflict, chat.CodeClosed, chat.CodeNotFound:
		default:
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
