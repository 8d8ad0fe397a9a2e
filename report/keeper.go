package report

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Version is the form of what is kept. When it changes, everything is counted again from the beginning of the log.
const Version = 1

const prefix = "report."

// Follower is the name of the follower that counts.
func Follower() string { return fmt.Sprint(prefix, Version) }

// Keeper counts.
type Keeper struct {
	Store *store.Store
	Every time.Duration // how often it looks at the log; default 2 s
}

// Run counts until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	every := k.Every
	if every == 0 {
		every = 2 * time.Second
	}
	if err := k.Store.KeepReports(ctx, prefix, Version, Follower()); err != nil && ctx.Err() == nil {
		return err
	}
	return k.Store.FollowCalmly(ctx, Follower(), every, step, kinds...)
}

func step(tx *store.Tx, e chat.Event) error {
	if e.Conversation == "" {
		return nil
	}
	text, err := tx.State()
	if err != nil {
		return err
	}
	m, err := recall(text)
	if err != nil {
		return err
	}
	next, counts := m.step(e)
	if now := next.text(); now != text {
		tx.SetState(now)
	}
	return tx.Count(Version, counts...)
}

func recall(text string) (m memory, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &m)
	}
	return m, err
}

func (m memory) text() string {
	raw, _ := json.Marshal(m) // numbers and texts: cannot fail
	return string(raw)
}
