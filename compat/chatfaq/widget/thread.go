package widget

import (
	"context"
	"net/http"
	"slices"

	"github.com/dragoman-hub/dragoman/chat"
)

// thread is what the protocol calls a conversation, and knows no end of: conversations of ours that followed one another, the newest first.
type thread []known

// threads lists what somebody wrote of on a channel, the newest first; with a topic, of that alone. What its contact deleted is left out.
func (s *Server) threads(ctx context.Context, x site, address, topic string) ([]thread, error) {
	convs, err := s.Store.AddressConversations(ctx, x.channel, address, maxList)
	if err != nil {
		return nil, err
	}
	var out []thread
	at := map[string]int{}
	for _, c := range convs {
		if c.Thread.Address != address || c.Thread.Topic == "" || topic != "" && c.Thread.Topic != topic {
			continue
		}
		k, err := s.know(ctx, c, x)
		if err != nil {
			return nil, err
		}
		if k.hidden {
			continue
		}
		n, found := at[c.Thread.Topic]
		if !found {
			n = len(out)
			at[c.Thread.Topic], out = n, append(out, nil)
		}
		out[n] = append(out[n], k)
	}
	for _, t := range out {
		slices.SortStableFunc(t, func(a, b known) int { return closed(a) - closed(b) }) // one that was opened again goes on
	}
	return out, nil
}

func closed(k known) int {
	if k.State == chat.StateClosed {
		return 1
	}
	return 0
}

// thread finds the thread that a conversation, by its number, belongs to.
func (s *Server) thread(r *http.Request, number string) (thread, error) {
	k, err := s.find(r, number)
	if err != nil || k.Thread.Topic == "" {
		return thread{k}, err
	}
	all, err := s.threads(r.Context(), k.site, k.Thread.Address, k.Thread.Topic)
	if err != nil || len(all) == 0 {
		return thread{k}, err
	}
	return all[0], nil
}

// view shows a thread as its newest conversation, with the newest name that it was given.
func (t thread) view() conversationView {
	v, first := t[0].view(), t[len(t)-1]
	v.Created, v.Name = isoTime(first.OpenedAt), first.name
	if n := slices.IndexFunc(t, func(k known) bool { return k.named }); n >= 0 {
		v.Name = t[n].name
	}
	return v
}
