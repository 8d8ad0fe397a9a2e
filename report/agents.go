package report

import (
	"cmp"
	"context"
	"slices"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Agents reads what agents did from one time to another, in whole quarters of an hour, by their ids.
func Agents(ctx context.Context, s *store.Store, ws chat.WorkspaceID, q Query) ([]AgentFigures, error) {
	if _, _, err := Times(q.From, q.To, Month, q.From.Location()); err != nil {
		return nil, err
	}
	found, err := s.CountsBetween(ctx, ws, q.From, q.To, true, q.filter())
	if err != nil {
		return nil, err
	}
	by := map[string]*sums{}
	for _, c := range found {
		if by[c.Agent] == nil {
			by[c.Agent] = &sums{}
		}
		by[c.Agent].add(c)
	}
	names, err := s.Agents(ctx, ws)
	if err != nil {
		return nil, err
	}
	out := make([]AgentFigures, 0, len(by))
	for id, sum := range by {
		f := sum.agent(id)
		if i := slices.IndexFunc(names, func(a store.Agent) bool { return a.ID == id }); i >= 0 {
			f.Name = names[i].Name
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b AgentFigures) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

func (s sums) agent(id string) AgentFigures {
	n := func(measure string) int64 { return s[measure].Total() }
	f := AgentFigures{
		ID: id, Taken: n(Taken), Closed: n(Closed), Transferred: n(Transferred), Missed: n(Missed), Declined: n(Declined),
		Messages: n(MessagesOut), FirstReplies: n(FirstReply), NextReplies: n(NextReply),
	}
	f.FirstP50, f.FirstP90 = s.seconds(FirstReply)
	f.NextP50, f.NextP90 = s.seconds(NextReply)
	return f
}
