package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
)

type replayCmd struct {
	remote
	Conversation string `arg:"" help:"Conversation, by its id."`
	JSON         bool   `help:"Print the traces as JSON." name:"json"`
}

// errDiffers is the end of a replay that decided otherwise than the log says.
var errDiffers = errors.New("the replay decided otherwise than the log says")

// Run replays a conversation.
func (c replayCmd) Run(ctx context.Context, t terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	events, err := api.events(ctx, c.Conversation)
	if err != nil {
		return err
	}
	flows := map[string]*bot.Flow{}
	steps, err := bot.Replay(events, func(name string, version int) (*bot.Flow, error) {
		key := fmt.Sprintf("%s@%d", name, version)
		if f := flows[key]; f != nil {
			return f, nil
		}
		stored, err := api.flow(ctx, name, version)
		if err != nil {
			return nil, err
		}
		f, err := bot.Parse(stored.Definition)
		flows[key] = f
		return f, err
	})
	if err != nil {
		return err
	}
	same := true
	for _, s := range steps {
		same = same && s.Same
		if c.JSON {
			if err := json.NewEncoder(t.out).Encode(s); err != nil {
				return err
			}
			continue
		}
		_, _ = fmt.Fprint(t.out, stepLines(s))
	}
	if !same {
		return errDiffers
	}
	if !c.JSON {
		_, _ = fmt.Fprintf(t.out, "%d steps, all as recorded\n", len(steps))
	}
	return nil
}

// events reads a whole conversation.
func (c *client) events(ctx context.Context, conversation string) ([]chat.Event, error) {
	var out []chat.Event
	for after := int64(0); ; {
		var p page[chat.Event]
		path := fmt.Sprintf("/v1/conversations/%s/events?after=%d&limit=200", url.PathEscape(conversation), after)
		if err := c.call(ctx, "GET", path, nil, &p); err != nil {
			return nil, err
		}
		if len(p.Items) == 0 {
			return out, nil
		}
		out = append(out, p.Items...)
		after = p.Items[len(p.Items)-1].Seq
	}
}

// stepLines shows one step for people.
func stepLines(s bot.Replayed) string {
	var b strings.Builder
	mark := "="
	if !s.Same {
		mark = "!"
	}
	_, _ = fmt.Fprintf(&b, "%s %d %s", mark, s.Event.Seq, s.Event.Kind)
	if text := s.Event.Message.Text(); text != "" {
		_, _ = fmt.Fprintf(&b, " %q", text)
	}
	_, _ = fmt.Fprintf(&b, "  (%s version %d)\n", s.Flow, s.Version)
	for _, d := range s.Now.Decisions {
		to := d.To
		if d.Transition < 0 {
			to = "nothing fired"
		}
		_, _ = fmt.Fprintf(&b, "    %s -> %s\n", d.From, to)
		for _, k := range d.Candidates {
			_, _ = fmt.Fprintf(&b, "      to %s: %g for, %g against\n", k.Dest, k.For, k.Against)
		}
	}
	for _, x := range s.Now.Set {
		_, _ = fmt.Fprintf(&b, "    %s = %v\n", x.Name, x.Value)
	}
	for _, e := range s.Now.Effects {
		_, _ = fmt.Fprintf(&b, "    %s\n", e)
	}
	for _, p := range s.Now.Problems {
		_, _ = fmt.Fprintf(&b, "    problem at %s: %s\n", p.Path, p.Detail)
	}
	if !s.Same {
		then, _ := json.Marshal(s.Then) // traces are plain data
		now, _ := json.Marshal(s.Now)
		_, _ = fmt.Fprintf(&b, "    recorded: %s\n    replayed: %s\n", then, now)
	}
	return b.String()
}
