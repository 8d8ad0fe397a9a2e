package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dragoman-hub/dragoman/desk"
)

type routeCmd struct {
	Why    routeWhyCmd    `cmd:"" help:"Tell why a conversation is where it is: who was asked, and why nobody else."`
	WhatIf routeWhatIfCmd `cmd:"" name:"what-if" help:"Play the past again under another rule."`
}

type routeWhyCmd struct {
	remote
	Conversation string `arg:"" help:"Conversation, by its id."`
	JSON         bool   `help:"Print the answer as JSON." name:"json"`
}

// Run tells the decisions.
func (c routeWhyCmd) Run(ctx context.Context, t terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	var account desk.Account
	if err := api.call(ctx, http.MethodGet, "/v1/conversations/"+url.PathEscape(c.Conversation)+"/routing", nil, &account); err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(t.out).Encode(account)
	}
	for _, d := range account.Decisions {
		writeDecision(t.out, d)
	}
	if account.Now != nil {
		_, _ = fmt.Fprintf(t.out, "now, number %d in line:\n", account.Position)
		writeDecision(t.out, *account.Now)
	}
	return nil
}

func writeDecision(w io.Writer, d desk.Told) {
	_, _ = fmt.Fprintf(w, "%s  %s\n", d.At.Local().Format(time.DateTime), d.Text)
	for _, c := range d.Candidates {
		_, _ = fmt.Fprintf(w, "    %s: %s\n", cmp.Or(c.Name, string(c.Agent)), c.Text)
	}
	if more := d.Considered - len(d.Candidates); more > 0 {
		_, _ = fmt.Fprintf(w, "    and %d more\n", more)
	}
}

type routeWhatIfCmd struct {
	remote
	Rule       string         `arg:"" enum:"everyone,least_busy,round_robin,skills,expression" help:"The rule: everyone, least_busy, round_robin, skills or expression."`
	Queue      string         `help:"The queue that has this rule; all of them by default."`
	Since      time.Duration  `help:"How far back to begin." default:"720h"`
	Expression string         `help:"Of the rule expression; that of the queue by default."`
	Skills     map[string]int `help:"Of the rule skills, as fr=2;de=1; those of the queue by default."`
	JSON       bool           `help:"Print the answer as JSON." name:"json"`
}

// Run asks and compares.
func (c routeWhatIfCmd) Run(ctx context.Context, t terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	now := time.Now()
	body := map[string]any{"rule": c.Rule, "queue": c.Queue, "from": now.Add(-c.Since), "to": now}
	if settings := c.settings(); len(settings) > 0 {
		body["settings"] = settings
	}
	var would desk.Would
	if err := api.call(ctx, http.MethodPost, "/v1/routing/what-if", body, &would); err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(t.out).Encode(would)
	}
	return writeWould(t.out, would)
}

func (c routeWhatIfCmd) settings() map[string]any {
	out := map[string]any{}
	if c.Expression != "" {
		out["expression"] = c.Expression
	}
	if len(c.Skills) > 0 {
		out["skills"] = c.Skills
	}
	return out
}

// writeWould shows both sides beside one another.
func writeWould(w io.Writer, x desk.Would) error {
	_, _ = fmt.Fprintf(w, "%d conversations from %s to %s, with the rule %s\n", x.Arrived, x.From.Local().Format(time.DateTime), x.To.Local().Format(time.DateTime), x.Rule)
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	line := func(cells ...string) { _, _ = fmt.Fprintln(tw, strings.Join(cells, "\t")) }
	seconds := func(s float64) string { return time.Duration(s * float64(time.Second)).Round(time.Second).String() }
	line("", "was", "would")
	line("accepted", fmt.Sprint(x.Was.Accepted), fmt.Sprint(x.Would.Accepted))
	line("without an agent", fmt.Sprint(x.Was.Unserved), fmt.Sprint(x.Would.Unserved))
	line("wait p50", seconds(x.Was.WaitP50), seconds(x.Would.WaitP50))
	line("wait p90", seconds(x.Was.WaitP90), seconds(x.Would.WaitP90))
	was := map[desk.AgentID]int{}
	for _, a := range x.Was.Agents {
		was[a.Agent] = a.Accepted
	}
	for _, a := range x.Would.Agents {
		line(string(a.Agent), fmt.Sprint(was[a.Agent]), fmt.Sprint(a.Accepted))
		delete(was, a.Agent)
	}
	for _, a := range x.Was.Agents {
		if n, ok := was[a.Agent]; ok {
			line(string(a.Agent), fmt.Sprint(n), "0")
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d by the same agent, %d otherwise\n", x.SameAgent, x.Different)
	return err
}
