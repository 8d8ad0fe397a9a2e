package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// errEnough stops an answer early, by the wish of its reader.
var errEnough = errors.New("worker: enough")

// mostFrames that wait for the reader of one answer; beyond, the answer fails.
const mostFrames = 65536

// afterError is how long the end of an answer is waited for that has failed by an error frame.
const afterError = 2 * time.Second

// aiResult is a frame of an answer, of any of the three kinds.
type aiResult struct {
	Channel    ID              `json:"bot_channel_name"`
	Content    json.RawMessage `json:"content"`
	LastChunk  bool            `json:"last_chunk"`
	ID         ID              `json:"lm_msg_id"`
	StopReason string          `json:"stop_reason"`
	Usage      Usage           `json:"usage"`

	KnowledgeBaseID any               `json:"knowledge_base_id"`
	KnowledgeItems  []KnowledgeItem   `json:"knowledge_items"`
	Images          map[string]string `json:"knowledge_item_images"`

	Prompt *string `json:"prompt"`
}

// aiLink is the ai socket of one connection. A slot is a request under way; there is one for each kind and
// channel at most. A request that is given up keeps its slot until the hub's last frame, or until some time
// has passed, so that its late frames are not taken for those of the next.
type aiLink struct {
	send    func([]byte) error
	timeout time.Duration // between two frames

	mu    sync.Mutex
	slots map[string]*slot
}

type slot struct {
	frames  []aiResult
	failed  error
	given   bool          // up: nobody reads
	arrived chan struct{} // capacity 1: frames or failed have changed
	done    chan struct{} // closed when the slot is free
}

func newAILink(send func([]byte) error, timeout time.Duration) *aiLink {
	return &aiLink{send: send, timeout: timeout, slots: map[string]*slot{}}
}

func (l *aiLink) ask(ctx context.Context, kind, channel string, out outgoing, each func(aiResult) error) error {
	raw, err := json.Marshal(out)
	if err != nil {
		return err
	}
	key := kind + " " + channel
	s, err := l.take(ctx, key)
	if err != nil {
		return err
	}
	if err := l.send(raw); err != nil {
		l.free(key, s)
		return err
	}
	for {
		f, err := l.next(ctx, s)
		if err != nil {
			l.giveUp(key, s, err)
			return err
		}
		last := isLast(key, f)
		if err := each(f); err != nil {
			if last {
				l.free(key, s)
			} else {
				l.giveUp(key, s, err)
			}
			return err
		}
		if last {
			l.free(key, s)
			return nil
		}
	}
}

// take waits until no other request has the key.
func (l *aiLink) take(ctx context.Context, key string) (*slot, error) {
	for {
		l.mu.Lock()
		busy := l.slots[key]
		if busy == nil {
			s := &slot{arrived: make(chan struct{}, 1), done: make(chan struct{})}
			l.slots[key] = s
			l.mu.Unlock()
			return s, nil
		}
		l.mu.Unlock()
		select {
		case <-busy.done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// next waits for a frame.
func (l *aiLink) next(ctx context.Context, s *slot) (aiResult, error) {
	timer := time.NewTimer(l.timeout)
	defer timer.Stop()
	for {
		l.mu.Lock()
		if len(s.frames) > 0 {
			f := s.frames[0]
			s.frames = s.frames[1:]
			l.mu.Unlock()
			return f, nil
		}
		failed := s.failed
		l.mu.Unlock()
		if failed != nil {
			return aiResult{}, failed
		}
		select {
		case <-s.arrived:
		case <-timer.C:
			return aiResult{}, ErrAITimeout
		case <-ctx.Done():
			return aiResult{}, context.Cause(ctx)
		}
	}
}

func (l *aiLink) free(key string, s *slot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.slots[key] == s {
		delete(l.slots, key)
		close(s.done)
	}
}

// giveUp leaves the slot to the frames that are still to come.
func (l *aiLink) giveUp(key string, s *slot, why error) {
	l.mu.Lock()
	ended := len(s.frames) > 0 && isLast(key, s.frames[len(s.frames)-1])
	s.given, s.frames = true, nil
	l.mu.Unlock()
	var hub *HubError
	switch {
	case ended:
		l.free(key, s)
	case errors.As(why, &hub):
		time.AfterFunc(min(afterError, l.timeout), func() { l.free(key, s) })
	default:
		time.AfterFunc(l.timeout, func() { l.free(key, s) })
	}
}

// deliver gives a frame to the request that it answers.
func (l *aiLink) deliver(in incoming) error {
	var f aiResult
	if err := json.Unmarshal(in.Payload, &f); err != nil {
		return fmt.Errorf("worker: %s: %w", in.Type, err)
	}
	key := strings.TrimSuffix(in.Type, "_result") + " " + string(f.Channel)
	l.mu.Lock()
	s := l.slots[key]
	switch {
	case s == nil:
		l.mu.Unlock()
		return fmt.Errorf("worker: %s that nobody waits for", in.Type)
	case s.given:
		l.mu.Unlock()
		if isLast(key, f) {
			l.free(key, s)
		}
		return nil
	case len(s.frames) >= mostFrames:
		s.failed, s.frames = errors.New("worker: the answer's reader is too slow"), nil
	case s.failed == nil:
		s.frames = append(s.frames, f)
	}
	l.mu.Unlock()
	s.wake()
	return nil
}

// fail gives an error frame to the request that it is about: the one of its channel, or else the only one.
// It tells whether there was one.
func (l *aiLink) fail(payload json.RawMessage) bool {
	about, errs := errorFrame(payload)
	l.mu.Lock()
	defer l.mu.Unlock()
	var hit *slot
	waiting := 0
	for key, s := range l.slots {
		if s.given {
			continue
		}
		waiting++
		if hit == nil || about != "" && key == about {
			hit = s
		}
		if about != "" && key == about {
			waiting = 1
			break
		}
	}
	if hit == nil || waiting != 1 {
		return false
	}
	hit.failed = &HubError{errs}
	hit.wake()
	return true
}

// isLast tells the end of an answer: only models answer in several frames.
func isLast(key string, f aiResult) bool {
	return f.LastChunk || !strings.HasPrefix(key, "llm_request ")
}

func (s *slot) wake() {
	select {
	case s.arrived <- struct{}{}:
	default:
	}
}

// errorFrame reads what is wrong, and the key of the request if the hub repeats it.
func errorFrame(payload json.RawMessage) (about, errs string) {
	type named struct {
		Type    string `json:"type"`
		Channel ID     `json:"bot_channel_name"`
	}
	var p struct {
		Errors  json.RawMessage `json:"errors"`
		Request struct {
			named
			Data named `json:"data"`
		} `json:"request_info"`
	}
	if json.Unmarshal(payload, &p) != nil || p.Errors == nil {
		return "", string(payload)
	}
	channel := p.Request.Data.Channel
	if channel == "" {
		channel = p.Request.Channel
	}
	if p.Request.Type != "" && channel != "" {
		about = p.Request.Type + " " + string(channel)
	}
	return about, string(p.Errors)
}
