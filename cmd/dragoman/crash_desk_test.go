package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store/pgtest"
)

// TestKilledDesk: customers write, agents accept what they are offered and close it, and the process is killed again and again. In the end
// each conversation was with one agent once, who was asked, and nobody ever had more than the limit.
func TestKilledDesk(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); killDesk(t) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); killDesk(t, "--database", pgtest.Start(t), "--lease", "1s") })
}

const (
	customers = 60
	deskKills = 5
	atOnce    = 2 // the agents' limit
)

var deskAgents = []string{"ann", "bob", "cid"}

func killDesk(t *testing.T, args ...string) {
	hub := startHub(t, t.TempDir(), args...)
	c := hub.client()
	for _, id := range deskAgents {
		must(t, c, http.MethodPut, "/v1/agents/"+id, map[string]any{"name": id, "capacity": atOnce}, nil)
		must(t, c, http.MethodPost, "/v1/agents/"+id+"/state", map[string]any{"state": "active"}, nil)
	}
	must(t, c, http.MethodPut, "/v1/queues/support", map[string]any{"rule": "least_busy", "members": deskAgents, "settings": map[string]any{"accept_seconds": 3600}}, nil)
	var ch channelView
	must(t, c, http.MethodPost, "/v1/channels", map[string]any{
		"connector": "webhook", "name": "desk", "queue": "support",
		"settings": map[string]any{"url": "http://127.0.0.1:1/", "receive": map[string]any{"verify": map[string]any{"type": "none"}}},
	}, &ch)

	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		for range deskKills {
			<-time.After(time.Duration(200+rand.IntN(500)) * time.Millisecond)
			hub.kill()
			hub.start()
		}
	})
	wg.Go(func() {
		for i := range customers {
			body := fmt.Sprintf(`{"id":"d%d","from":"p%d","text":"help %d"}`, i, i, i)
			if err := post(ctx, http.DefaultClient, hub.url+"/in/"+ch.ID, body); err != nil {
				t.Errorf("customer %d: %v", i, err)
			}
		}
	})
	served := make(chan struct{})
	var agents sync.WaitGroup
	for _, id := range deskAgents {
		agents.Go(func() { workAtDesk(ctx, c, id, served) })
	}
	wg.Wait()
	eventually(t, 2*time.Minute, "everybody was served", func() error {
		closed, err := listAll[struct{}](ctx, c, "/v1/conversations?state=closed&channel="+ch.ID)
		if err == nil && len(closed) < customers {
			err = fmt.Errorf("%d of %d", len(closed), customers)
		}
		return err
	})
	close(served)
	agents.Wait()
	checkDesk(t, c, everything(t, c, ch.ID))
}

// workAtDesk accepts what the agent is offered and closes what the agent has, whatever becomes of the hub meanwhile.
func workAtDesk(ctx context.Context, c *client, me string, until <-chan struct{}) {
	for {
		select {
		case <-until:
			return
		case <-ctx.Done():
			return
		case <-time.After(10 * time.Millisecond):
		}
		waiting, _ := listAll[struct{ ID string }](ctx, c, "/v1/conversations?state=queued") // nothing while it is down
		for _, conv := range waiting {
			events, _ := c.events(ctx, conv.ID)
			if slices.Contains(offeredTo(events), me) {
				_ = c.call(ctx, http.MethodPost, "/v1/conversations/"+conv.ID+"/accept", map[string]any{"agent": me}, nil)
			}
		}
		mine, _ := listAll[struct{ ID string }](ctx, c, "/v1/conversations?state=assigned&assignee="+me)
		for _, conv := range mine {
			_ = c.call(ctx, http.MethodPost, "/v1/conversations/"+conv.ID+"/close", map[string]any{"reason": "done"}, nil)
		}
	}
}

// offeredTo is who was asked last.
func offeredTo(events []chat.Event) (agents []string) {
	for _, e := range events {
		if e.Kind == chat.KindOffered {
			var o chat.OfferData
			_ = json.Unmarshal(e.Data, &o) // ours
			agents = o.Agents
		}
	}
	return agents
}

func checkDesk(t *testing.T, c *client, convs map[string][]chat.Event) {
	t.Helper()
	var flaws page[json.RawMessage]
	must(t, c, http.MethodGet, "/v1/check", nil, &flaws)
	if len(flaws.Items) > 0 || len(convs) != customers {
		t.Errorf("%d conversations of %d customers; the check finds %s", len(convs), customers, flaws.Items)
	}
	var all []chat.Event
	for id, events := range convs {
		all = append(all, events...)
		count := map[chat.Kind]int{}
		for i, e := range events {
			count[e.Kind]++
			if e.Kind == chat.KindAssigned && !slices.Contains(offeredTo(events[:i]), assignee(e)) {
				t.Errorf("conversation %s: %s was not asked", id, assignee(e))
			}
		}
		if last := events[len(events)-1].Kind; count[chat.KindMessage] != 1 || count[chat.KindAssigned] != 1 || count[chat.KindClosed] != 1 || last != chat.KindClosed {
			t.Errorf("conversation %s went %v and ended with %s", id, count, last)
		}
	}
	slices.SortFunc(all, func(a, b chat.Event) int { return cmp.Compare(a.Pos, b.Pos) })
	load, has := map[string]int{}, map[chat.ConversationID]string{}
	for _, e := range all {
		switch e.Kind {
		case chat.KindAssigned:
			has[e.Conversation] = assignee(e)
			if load[has[e.Conversation]]++; load[has[e.Conversation]] > atOnce {
				t.Errorf("%s has %d at position %d", has[e.Conversation], load[has[e.Conversation]], e.Pos)
			}
		case chat.KindClosed:
			load[has[e.Conversation]]--
		default:
		}
	}
}

func assignee(e chat.Event) string {
	var to chat.PlaceData
	_ = json.Unmarshal(e.Data, &to) // ours
	return to.Assignee
}
