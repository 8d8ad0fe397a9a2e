package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store/pgtest"
)

// The first two promises: a yes is for good, and an update that comes many times, in parallel, while the process is killed again and
// again, has one effect.
func TestKillNine(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { killNine(t) })
	t.Run("postgres", func(t *testing.T) { killNine(t, "--database", pgtest.Start(t), "--lease", "1s") })
}

const (
	updates = 500
	copies  = 8
	people  = 50
	kills   = 10
)

func killNine(t *testing.T, args ...string) {
	p := newPlatform()
	server := httptest.NewServer(p)
	defer server.Close()
	hub := startHub(t, t.TempDir(), args...)
	channel := addEcho(t, hub.client(), server.URL)

	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	due, killed := make(chan struct{}, kills), make(chan struct{})
	go func() {
		defer close(killed)
		for range due {
			<-time.After(time.Duration(rand.IntN(100)) * time.Millisecond)
			hub.kill()
			hub.start()
		}
	}()
	const each = updates / kills
	flood(ctx, t, hub.url+"/in/"+channel, copies, func(i int) {
		if i%each == each/2 { // however fast the machine is, there is traffic
			due <- struct{}{}
		}
	})
	close(due)
	<-killed
	// after the last kill once more, for all that was in flight
	flood(ctx, t, hub.url+"/in/"+channel, 1, func(int) {})
	checkOnce(t, hub, channel, p)
}

// flood sends every update many times in parallel, and each copy until the hub has said yes. It tells which one it begins with.
func flood(ctx context.Context, t *testing.T, url string, copies int, begins func(i int)) {
	web := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 10 * time.Second}
	defer web.CloseIdleConnections()
	work := make(chan int)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range work {
				body := fmt.Sprintf(`{"id":"u%d","from":"p%d","name":"Person %d","text":"hello %d"}`, i, i%people, i%people, i)
				var copy sync.WaitGroup
				for range copies {
					copy.Go(func() {
						if err := post(ctx, web, url, body); err != nil {
							t.Errorf("update %d: %v", i, err)
						}
					})
				}
				copy.Wait()
			}
		})
	}
	for i := range updates {
		begins(i)
		work <- i
	}
	close(work)
	wg.Wait()
}

// checkOnce waits until nothing is under way any more, and counts.
func checkOnce(t *testing.T, hub *process, channel string, p *platform) {
	t.Helper()
	var convs map[string][]chat.Event
	var in, steps int
	out := map[chat.Status]int{}
	eventually(t, patience, "every message is settled", func() error {
		convs = everything(t, hub.client(), channel)
		in, steps = 0, 0
		clear(out)
		for _, events := range convs {
			for _, e := range events {
				switch {
				case e.Kind == chat.KindMessage && e.Direction == chat.In:
					in++
				case e.Kind == chat.KindMessage:
					out[e.Status]++
				case e.Kind == chat.KindFlowStep:
					steps++
				}
			}
		}
		if out[chat.Sent]+out[chat.Unsure] < updates {
			return fmt.Errorf("stored %d, answers %v", in, out)
		}
		return nil
	})
	t.Logf("stored %d, flow steps %d, answers %v, conversations %d", in, steps, out, len(convs))
	if in != updates || len(convs) != people || out[chat.Sent]+out[chat.Unsure] != updates {
		t.Errorf("stored %d of %d in %d conversations, answers %v", in, updates, len(convs), out)
	}
	if want := updates + people; steps != want { // the opening of a conversation is a step too
		t.Errorf("%d flow steps, want %d", steps, want)
	}
	for id, events := range convs {
		checkConversation(t, id, events, p)
	}
}

func checkConversation(t *testing.T, id string, events []chat.Event, p *platform) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, e := range events {
		if e.Seq != int64(i+1) {
			t.Errorf("conversation %s: event %d has sequence %d", id, i+1, e.Seq)
		}
		if e.Kind != chat.KindMessage || e.Direction != chat.Out {
			continue
		}
		n := p.got[e.Message.Text()]
		if e.Status == chat.Sent && n != 1 || n > 1 {
			t.Errorf("%q is %s and reached its platform %d times", e.Message.Text(), e.Status, n)
		}
	}
}
