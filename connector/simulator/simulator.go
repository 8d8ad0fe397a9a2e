// Package simulator is a channel without a platform: people talk to it from the terminal and by curl, and demos
// and tests let it be slow or fail as a platform may. It must not open any connection.
package simulator

import (
	"context"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// maxDelay keeps a forgotten setting from blocking a channel for long, in milliseconds.
const maxDelay = 60_000

// Platform describes the channel.
func Platform() connector.Platform {
	return connector.Platform{
		Name: "simulator", Title: "Simulator", Traits: traits(), Open: open,
		Shapes: []connector.Connector{(*channel)(nil)},
		Settings: []connector.Setting{
			{
				Name: "key", Title: "Key", Type: connector.String, Secret: true, Required: true, Generate: true,
				Help: "Whoever writes to the channel sends it as Authorization: Bearer KEY",
			},
			{
				Name: "delay_ms", Title: "Delay", Type: connector.Integer, Default: 0,
				Help: "How long the simulated platform takes for each message, in milliseconds, at most 60000",
			},
			{
				Name: "fail", Title: "Failure", Type: connector.String, Default: "none",
				Enum: []string{"none", "retry", "unsure", "rejected", "gone", "throttled"},
				Help: "What the simulated platform answers to each message",
			},
		},
	}
}

// elements are all that there are: nothing has to be turned into something else on the way to nowhere.
var elements = []chat.ElementType{
	chat.Text, chat.Image, chat.Audio, chat.Voice, chat.Video, chat.File, chat.Sticker, chat.Location, chat.Contact,
	chat.Buttons, chat.QuickReplies, chat.Card, chat.Carousel, chat.Template, chat.Poll, chat.Choice, chat.Rating,
	chat.Feedback, chat.HTML, chat.FileUpload, chat.FileUploaded, chat.ToolUse, chat.ToolResult, chat.Unsupported,
}

func traits() connector.Traits {
	t := connector.Traits{
		Spans: true, Elements: elements, Album: 10, Idempotent: true, Initiate: true, Concurrency: 64,
		Media:    map[chat.ElementType]connector.MediaTrait{},
		Controls: map[chat.ElementType]connector.ControlsTrait{},
	}
	for _, e := range elements {
		if e.IsMedia() {
			t.Media[e] = connector.MediaTrait{MaxBytes: 1 << 30, Caption: true, ByURL: true, Upload: true}
		}
	}
	for _, e := range []chat.ElementType{chat.Buttons, chat.QuickReplies, chat.Card} {
		t.Controls[e] = connector.ControlsTrait{Max: 100, TitleLimit: 1000, PayloadLimit: 4000, URL: true, Phone: true, Request: true}
	}
	return t
}

type settings struct {
	Key   string `json:"key"`
	Delay int64  `json:"delay_ms"`
	Fail  string `json:"fail"`
}

// failures are the answers of a failing platform, by the setting's words.
var failures = map[string]*connector.Error{
	"":          nil,
	"none":      nil,
	"retry":     {Policy: connector.Retry, Code: "simulated", Detail: "the simulated platform is away"},
	"unsure":    {Policy: connector.IsUnsure, Code: "simulated", Detail: "the simulated platform did not answer"},
	"rejected":  {Policy: connector.Rejected, Code: "simulated", Detail: "the simulated platform does not take it"},
	"gone":      {Policy: connector.Gone, Code: "simulated", Detail: "the simulated contact has blocked us"},
	"throttled": {Policy: connector.Throttled, Code: "simulated", Detail: "the simulated platform is busy", After: time.Second},
}

// channel is an open channel.
type channel struct {
	key   string
	now   func() time.Time
	delay time.Duration
	fail  *connector.Error
}

func open(_ context.Context, env connector.Env) (connector.Connector, error) {
	var s settings
	if err := env.Decode(&s); err != nil {
		return nil, err
	}
	fail, known := failures[s.Fail]
	switch {
	case s.Key == "":
		return nil, connector.Malformedf("key: missing")
	case s.Delay < 0 || s.Delay > maxDelay:
		return nil, connector.Malformedf("delay_ms: must be 0 to %d", maxDelay)
	case !known:
		return nil, connector.Malformedf("fail: is %q, must be none, retry, unsure, rejected, gone or throttled", s.Fail)
	}
	return &channel{key: s.Key, now: env.Now, delay: time.Duration(s.Delay) * time.Millisecond, fail: fail}, nil
}

// Send implements connector.Connector. The same key gives the same id, as on a platform that takes keys.
func (c *channel) Send(ctx context.Context, part connector.Part) (connector.Sent, error) {
	if c.delay > 0 {
		timer := time.NewTimer(c.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return connector.Sent{}, &connector.Error{Policy: connector.Retry, Code: "simulated", Err: ctx.Err()}
		}
	}
	if c.fail != nil {
		e := *c.fail
		return connector.Sent{}, &e
	}
	return connector.Sent{ID: "sim:" + part.Key}, nil
}

var _ connector.Receiver = (*channel)(nil)
