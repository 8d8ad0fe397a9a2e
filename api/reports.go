package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/report"
)

type historyReportQuery struct {
	Accept  string         `header:"Accept" doc:"text/csv gives a table for spreadsheets."`
	From    time.Time      `query:"from" doc:"By default a day before to."`
	To      time.Time      `query:"to" doc:"By default now."`
	Step    report.Step    `query:"step" enum:"15m,hour,day,week,month" doc:"How far apart the points are; by default one that suits. Days begin at midnight of the time zone, weeks on Monday."`
	Zone    string         `query:"time_zone" maxLength:"64" doc:"An IANA name; UTC by default." example:"Europe/Berlin"`
	Queue   string         `query:"queue" maxLength:"100" doc:"Only this one."`
	Channel chat.ChannelID `query:"channel" maxLength:"100" doc:"Only this one."`
}

type agentsReportQuery struct {
	Accept  string         `header:"Accept" doc:"text/csv gives a table for spreadsheets."`
	From    time.Time      `query:"from" doc:"By default a day before to."`
	To      time.Time      `query:"to" doc:"By default now. Quarters of an hour are not divided."`
	Queue   string         `query:"queue" maxLength:"100" doc:"Only this one."`
	Channel chat.ChannelID `query:"channel" maxLength:"100" doc:"Only this one."`
}

func (a *API) registerReports() {
	const tag = "reports"
	add(a, act{
		method: http.MethodGet, path: "/v1/reports/live", id: "reportLive", tag: tag, scope: ScopeRead,
		summary: "How it stands in queues and with agents now", more: "Cheap enough to ask for every second. Who does not reach all conversations is told of the own queues and their members.",
	}, a.liveReport)
	add(a, act{
		method: http.MethodGet, path: "/v1/reports/history", id: "reportHistory", tag: tag, scope: ScopeRead,
		summary: "What happened, as a series over time", more: "Percentiles come from sums in buckets of which each is at most an eighth wide.",
	}, a.historyReport)
	add(a, act{
		method: http.MethodGet, path: "/v1/reports/agents", id: "reportAgents", tag: tag, scope: ScopeRead, summary: "What agents did in a span of time",
	}, a.agentsReport)
	a.orCSV("/v1/reports/history", schemaFor[report.Series](a))
	a.orCSV("/v1/reports/agents", schemaFor[list[report.AgentFigures]](a))
}

// orCSV tells that an operation answers JSON or a table.
func (a *API) orCSV(path string, schema *huma.Schema) {
	r := textResponse("OK", "text/csv")
	r.Content["application/json"] = &huma.MediaType{Schema: schema}
	a.huma.OpenAPI().Paths[path].Get.Responses["200"] = r
}

func (a *API) liveReport(ctx context.Context, _ *none) (*reply[*report.Live], error) {
	by := who(ctx)
	see := report.Scope{All: sightOf(by) == nil, Agent: by.User}
	if by.Reach == access.ReachQueues {
		see.Queues = by.Queues
	}
	live, err := a.board.Live(ctx, here(ctx), see)
	return &reply[*report.Live]{live}, err
}

func (a *API) historyReport(ctx context.Context, in *historyReportQuery) (*reply[func(huma.Context)], error) {
	q, err := a.reportQuery(ctx, in.From, in.To, in.Queue, in.Channel)
	if err != nil {
		return nil, err
	}
	q.Step = in.Step
	if q.Zone, err = zone(in.Zone); err != nil {
		return nil, err
	}
	s, err := report.History(ctx, a.Store, here(ctx), q)
	return tableOr(in.Accept, "history", s, s.Points), err
}

func (a *API) agentsReport(ctx context.Context, in *agentsReportQuery) (*reply[func(huma.Context)], error) {
	q, err := a.reportQuery(ctx, in.From, in.To, in.Queue, in.Channel)
	if err != nil {
		return nil, err
	}
	found, err := report.Agents(ctx, a.Store, here(ctx), q)
	return tableOr(in.Accept, "agents", list[report.AgentFigures]{Items: found}, found), err
}

// reportQuery fills in what is not said and what the caller may see: who reaches only the own conversations has no figures of queues.
func (a *API) reportQuery(ctx context.Context, from, to time.Time, queue string, channel chat.ChannelID) (q report.Query, err error) {
	if to.IsZero() {
		to = a.Now()
	}
	if from.IsZero() {
		from = to.Add(-24 * time.Hour)
	}
	q = report.Query{From: from.UTC(), To: to.UTC(), Queue: queue, Channel: channel}
	q.Queues, err = reachedQueues(who(ctx))
	return q, err
}

// reachedQueues are the queues whose figures somebody may see; nil: all.
func reachedQueues(by access.Who) ([]string, error) {
	switch {
	case sightOf(by) == nil:
		return nil, nil
	case by.Reach != access.ReachQueues:
		return nil, chat.Faultf(chat.CodeForbidden, "your role reaches no queue")
	default:
		return append([]string{}, by.Queues...), nil
	}
}

func zone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	z, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, invalid(ProblemDetail{"query.time_zone", "no time zone of the IANA list, such as Europe/Berlin"})
	}
	return z, nil
}
