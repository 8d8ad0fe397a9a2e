package worker

import (
	"context"
	"errors"
)

// work is one of the places for calls.
func (s *session) work(ctx context.Context) {
	for {
		select {
		case r := <-s.calls:
			s.call(ctx, r)
		case <-ctx.Done():
			return
		}
	}
}

func (s *session) call(ctx context.Context, r *request) {
	r.conv.AI = &boundAI{s.link, r.conv.ID, r.conv.channel}
	within, cancel := context.WithTimeout(ctx, s.CallTimeout)
	defer cancel()
	err := s.Flow.answer(within, r, func(raw []byte) error { return s.write(ctx, s.rpc, raw) })
	if err != nil && ctx.Err() == nil {
		s.Logger.Error("worker: call failed",
			"flow", s.Flow.Name, "function", r.Name, "conversation", r.conv.ID, "error", s.redact(err))
	}
}

// refuse answers a call that finds no place.
func (s *session) refuse(ctx context.Context, r *request) {
	t := &turn{flow: s.Flow, request: r, write: func(raw []byte) error { return s.write(ctx, s.rpc, raw) }}
	err := t.refuse(errors.New("worker: too many calls"))
	s.Logger.Error("worker: call refused", "flow", s.Flow.Name, "function", r.Name, "error", s.redact(err))
}
