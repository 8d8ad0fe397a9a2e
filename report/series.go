package report

import (
	"context"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Query is what a series is asked of. Step and Zone have defaults: one that suits, and UTC.
type Query struct {
	From, To time.Time
	Step     Step
	Zone     *time.Location
	Queue    string
	Channel  chat.ChannelID
	Queues   []string // only these; nil: all
}

func (q Query) filter() store.ReportFilter {
	return store.ReportFilter{Version: Version, Queue: q.Queue, Channel: q.Channel, Queues: q.Queues}
}

// Series are sums over time.
type Series struct {
	Step   Step    `json:"step" enum:"15m,hour,day,week,month"`
	Behind int64   `json:"behind,omitempty" doc:"So many events are not counted yet; counting takes a few seconds, and longer after an update."`
	Points []Point `json:"series" nullable:"false"`
}

// Point is what happened from At until the next point. Durations are seconds, and absent where nothing was measured.
type Point struct {
	At          time.Time `json:"at"`
	Opened      int64     `json:"opened"`
	Queued      int64     `json:"queued" doc:"Came into a queue."`
	Closed      int64     `json:"closed"`
	Abandoned   int64     `json:"abandoned" doc:"Closed after a person was asked for, and none has answered."`
	Transferred int64     `json:"transferred" doc:"From an agent to another one, or back into a queue."`
	MessagesIn  int64     `json:"messages_in"`
	MessagesOut int64     `json:"messages_out"`
	MessagesBot int64     `json:"messages_bot" doc:"Of those that went out."`

	FirstReplies int64    `json:"first_replies"`
	FirstP50     *float64 `json:"first_reply_p50,omitempty" doc:"Seconds from when the contact began to wait for a person."`
	FirstP90     *float64 `json:"first_reply_p90,omitempty"`
	NextReplies  int64    `json:"next_replies"`
	NextP50      *float64 `json:"next_reply_p50,omitempty"`
	NextP90      *float64 `json:"next_reply_p90,omitempty"`
	WaitP50      *float64 `json:"wait_p50,omitempty" doc:"Seconds in a queue until an agent had it."`
	WaitP90      *float64 `json:"wait_p90,omitempty"`
	DurationP50  *float64 `json:"duration_p50,omitempty" doc:"Seconds from the opening to the close."`
	DurationP90  *float64 `json:"duration_p90,omitempty"`
}

// History reads a series.
func History(ctx context.Context, s *store.Store, ws chat.WorkspaceID, q Query) (Series, error) {
	if q.Zone == nil {
		q.Zone = time.UTC
	}
	step, times, err := Times(q.From, q.To, q.Step, q.Zone)
	if err != nil {
		return Series{}, err
	}
	found, err := s.ReportCounts(ctx, ws, times, q.filter())
	if err != nil {
		return Series{}, err
	}
	sums := make([]sums, len(times)-1)
	for _, c := range found {
		sums[c.Bin].add(c)
	}
	out := Series{Step: step, Points: make([]Point, len(sums))}
	for i, sum := range sums {
		out.Points[i] = sum.point(times[i])
	}
	out.Behind, err = s.Behind(ctx, ws, Follower())
	return out, err
}

// sums are counts by measure and bucket.
type sums map[string]Histogram

func (s *sums) add(c store.Counted) {
	if *s == nil {
		*s = sums{}
	}
	h := (*s)[c.Measure]
	if h == nil {
		h = Histogram{}
		(*s)[c.Measure] = h
	}
	h[c.Bucket] += c.N
}

func (s sums) point(at time.Time) Point {
	n := func(measure string) int64 { return s[measure].Total() }
	p := Point{
		At: at, Opened: n(Opened), Queued: n(Queued), Closed: n(Closed), Abandoned: n(Abandoned), Transferred: n(Transferred),
		MessagesIn: n(MessagesIn), MessagesOut: n(MessagesOut), MessagesBot: n(MessagesBot), FirstReplies: n(FirstReply), NextReplies: n(NextReply),
	}
	p.FirstP50, p.FirstP90 = s.seconds(FirstReply)
	p.NextP50, p.NextP90 = s.seconds(NextReply)
	p.WaitP50, p.WaitP90 = s.seconds(Wait)
	p.DurationP50, p.DurationP90 = s.seconds(Duration)
	return p
}

// seconds are the median of a measure and what nine of ten do not exceed.
func (s sums) seconds(measure string) (p50, p90 *float64) {
	of := func(q float64) *float64 {
		d, ok := s[measure].Quantile(q)
		if !ok {
			return nil
		}
		v := d.Round(time.Millisecond).Seconds()
		return &v
	}
	return of(0.5), of(0.9)
}

// AgentFigures are what an agent did in a span of time.
type AgentFigures struct {
	ID           string   `json:"id"`
	Name         string   `json:"name,omitempty"`
	Taken        int64    `json:"taken" doc:"Conversations that the agent got, by an offer or by assignment."`
	Closed       int64    `json:"closed"`
	Transferred  int64    `json:"transferred" doc:"Passed on."`
	Missed       int64    `json:"missed" doc:"Offers whose time passed."`
	Declined     int64    `json:"declined"`
	Messages     int64    `json:"messages"`
	FirstReplies int64    `json:"first_replies"`
	FirstP50     *float64 `json:"first_reply_p50,omitempty" doc:"Seconds."`
	FirstP90     *float64 `json:"first_reply_p90,omitempty"`
	NextReplies  int64    `json:"next_replies"`
	NextP50      *float64 `json:"next_reply_p50,omitempty"`
	NextP90      *float64 `json:"next_reply_p90,omitempty"`
}
