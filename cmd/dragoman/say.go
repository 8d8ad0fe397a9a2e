package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/store"
)

type sayCmd struct {
	remote
	Text    []string       `arg:"" optional:"" help:"What to say; without it every line of the standard input is said."`
	Flow    string         `help:"Talk to this definition (JSON file) with no hub running and no network." type:"existingfile"`
	As      string         `help:"Who is talking: a contact of that name." default:"terminal"`
	Channel chat.ChannelID `help:"Simulated channel to talk through (default: the one of the first start)."`
	Key     string         `help:"That channel's key." name:"channel-key"`
	Wait    time.Duration  `help:"How long to wait for further answers." default:"1s"`
	Events  bool           `help:"Show every event, not only what is said."`
}

// talk is a conversation as the terminal sees it.
type talk interface {
	// say sends a text or, with payload, a pressed button.
	say(ctx context.Context, text, payload string) error
	// next waits for the next event of the conversation.
	next(ctx context.Context) (chat.Event, error)
	close()
}

// Run talks.
func (c sayCmd) Run(ctx context.Context, t terminal) error {
	var with talk
	var err error
	if c.Flow != "" {
		with, err = c.offline(ctx, t)
	} else {
		with, err = c.online(ctx)
	}
	if err != nil {
		return err
	}
	defer with.close()
	s := &speaker{cmd: c, t: t, with: with}
	if len(c.Text) > 0 {
		return s.turn(ctx, strings.Join(c.Text, " "))
	}
	return s.lines(ctx)
}

// speaker reads lines and prints answers.
type speaker struct {
	cmd     sayCmd
	t       terminal
	with    talk
	buttons []chat.Button
}

func (s *speaker) lines(ctx context.Context) error {
	prompt := isTerminal(s.t.in)
	in := bufio.NewScanner(s.t.in)
	in.Buffer(nil, 1<<20)
	for {
		if prompt {
			_, _ = fmt.Fprint(s.t.out, "> ")
		}
		if !in.Scan() {
			return in.Err()
		}
		if text := strings.TrimSpace(in.Text()); text != "" {
			if err := s.turn(ctx, text); err != nil {
				return err
			}
		}
	}
}

func isTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// firstAnswer is how long a flow may take for its first words; after them --wait counts.
const firstAnswer = 10 * time.Second

// turn says one thing and prints what comes back until it is quiet.
func (s *speaker) turn(ctx context.Context, text string) error {
	payload := ""
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= len(s.buttons) {
		text, payload = s.buttons[n-1].Title, s.buttons[n-1].Value()
	}
	s.buttons = nil
	if err := s.with.say(ctx, text, payload); err != nil {
		return err
	}
	for patience := firstAnswer; ; {
		quiet, cancel := context.WithTimeout(ctx, patience)
		e, err := s.with.next(quiet)
		late := err != nil && quiet.Err() != nil // what came is shown, however late it is looked at
		cancel()
		if late && ctx.Err() == nil {
			if patience == firstAnswer {
				_, _ = fmt.Fprintln(s.t.err, "(no answer)")
			}
			return nil
		}
		if err != nil {
			return err
		}
		if s.print(e) {
			patience = s.cmd.Wait
		}
		if e.Kind == chat.KindClosed {
			return nil
		}
	}
}

// print shows an event; it tells whether that was something to see.
func (s *speaker) print(e chat.Event) bool {
	switch {
	case e.Kind == chat.KindMessage && e.Direction == chat.Out:
		for _, element := range e.Message.Stack {
			s.element(element)
		}
	case e.Kind == chat.KindClosed:
		_, _ = fmt.Fprintln(s.t.out, "(closed)")
	case e.Kind == chat.KindQueued:
		var d chat.PlaceData
		_ = json.Unmarshal(e.Data, &d) // an unreadable one is shown without its queue
		_, _ = fmt.Fprintf(s.t.out, "(waiting for a person%s)\n", prefixed(" in queue ", d.Queue))
	case s.cmd.Events:
		raw, err := json.Marshal(e)
		if err != nil {
			return false
		}
		_, _ = fmt.Fprintf(s.t.out, "  %s\n", raw)
	default:
		return false
	}
	return true
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// element prints what a terminal can show of an element, and numbers its buttons.
func (s *speaker) element(e chat.Element) {
	var p chat.ButtonsPayload
	text := (&chat.Message{Stack: []chat.Element{e}}).Text()
	if text == "" {
		text = "[" + string(e.Type) + "]"
	}
	_, _ = fmt.Fprintln(s.t.out, text)
	if e.Into(&p) != nil {
		return
	}
	for _, b := range p.Buttons {
		s.buttons = append(s.buttons, b)
		_, _ = fmt.Fprintf(s.t.out, "  [%d] %s%s\n", len(s.buttons), b.Title, prefixed("  ", b.URL))
	}
}

// onlineTalk goes through a running hub: in by its webhook, back by its stream of events.
type onlineTalk struct {
	api          *client
	path, key    string
	as           string
	stream       io.ReadCloser
	events       chan chat.Event
	failed       chan error
	conversation chat.ConversationID
}

func (c sayCmd) online(ctx context.Context) (talk, error) {
	api, err := c.client()
	if err != nil {
		return nil, err
	}
	n := readNote(c.Data)
	if c.Channel == "" {
		c.Channel, c.Key = n.Channel, orText(c.Key, n.Key)
	}
	if c.Channel == "" {
		return nil, errors.New("no simulated channel is known: name one with --channel and --channel-key, or talk to a file with --flow")
	}
	o := &onlineTalk{
		api: api, path: "/in/" + string(c.Channel), key: c.Key, as: c.As, events: make(chan chat.Event, 256), failed: make(chan error, 1),
	}
	if o.stream, err = api.open(ctx, http.MethodGet, "/v1/events", nil); err != nil {
		return nil, err
	}
	go o.read()
	return o, nil
}

// read takes the stream apart (text/event-stream).
func (o *onlineTalk) read() {
	in := bufio.NewScanner(o.stream)
	in.Buffer(nil, 4<<20)
	for in.Scan() {
		raw, ok := bytes.CutPrefix(in.Bytes(), []byte("data:"))
		var e chat.Event
		if ok && json.Unmarshal(raw, &e) == nil && e.Pos > 0 {
			o.events <- e
		}
	}
	o.failed <- orError(in.Err(), io.ErrUnexpectedEOF)
}

func orError(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// utterance is what the simulated channel takes.
func utterance(as, text, payload string) map[string]string {
	body := map[string]string{"from": as, "id": chat.NewID()}
	if payload != "" {
		body["payload"] = payload
	} else {
		body["text"] = text
	}
	return body
}

func (o *onlineTalk) say(ctx context.Context, text, payload string) error {
	web := &client{base: o.api.base, token: o.key, http: o.api.http}
	err := web.call(ctx, http.MethodPost, o.path, utterance(o.as, text, payload), nil)
	if p, ok := errors.AsType[*problem](err); ok && p.Status == http.StatusUnauthorized {
		return errors.New("the channel refuses the key: give the right one with --channel-key")
	}
	return err
}

func (o *onlineTalk) next(ctx context.Context) (chat.Event, error) {
	for {
		select {
		case e := <-o.events: // what is there goes before the end of patience
			if o.ours(e) {
				return e, nil
			}
			continue
		default:
		}
		select {
		case <-ctx.Done():
			return chat.Event{}, ctx.Err()
		case err := <-o.failed:
			return chat.Event{}, fmt.Errorf("the hub went away: %w", err)
		case e := <-o.events:
			if o.ours(e) {
				return e, nil
			}
		}
	}
}

// ours tells the events of our conversation, which begins with what we said.
func (o *onlineTalk) ours(e chat.Event) bool {
	if e.Kind == chat.KindMessage && e.Direction == chat.In && e.Sender != nil && e.Sender.ID == o.as {
		o.conversation = e.Conversation
	}
	return e.Conversation == o.conversation && o.conversation != ""
}

func (o *onlineTalk) close() { _ = o.stream.Close() }

// offlineTalk is a whole hub in this process, on a database that is thrown away, with nothing listening.
type offlineTalk struct {
	p      *program
	id     chat.ChannelID
	key    string
	as     string
	dir    string
	after  int64
	queue  []chat.Event
	stop   context.CancelFunc
	ended  chan error
	bell   <-chan struct{}
	closed func()
}

func (c sayCmd) offline(ctx context.Context, t terminal) (talk, error) {
	raw, err := readDefinition(c.Flow, t.in)
	if err != nil {
		return nil, err
	}
	flow, err := bot.Parse(raw)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "dragoman-say-")
	if err != nil {
		return nil, err
	}
	o := &offlineTalk{as: c.As, dir: dir, key: chat.NewID(), ended: make(chan error, 1)}
	if o.p, err = build(ctx, settings{Data: dir, LogLevel: "error", LogFormat: "text", MaxAttachment: 1 << 20, Rate: 1}, t.err); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	if err := o.prepare(ctx, flow); err != nil {
		o.close()
		return nil, err
	}
	news := o.p.bus.Subscribe()
	o.bell, o.closed = news.Ready(), news.Close
	run, stop := context.WithCancel(ctx)
	o.stop = stop
	go func() { o.ended <- o.p.work(run) }()
	return o, nil
}

func (o *offlineTalk) prepare(ctx context.Context, flow *bot.Flow) error {
	ws, err := o.p.store.AddWorkspace(ctx, "", firstWorkspace)
	if err != nil {
		return err
	}
	if _, err := o.p.store.PutFlow(ctx, ws.ID, "flow", flow.Definition()); err != nil {
		return err
	}
	key, err := json.Marshal(map[string]string{"key": o.key})
	if err != nil {
		return err
	}
	ch, err := o.p.hub.AddChannel(ctx, ws.ID, hub.ChannelInput{Connector: "simulator", Name: sampleChannel, Settings: key, Flow: "flow"})
	o.id, o.p.workspace = ch.ID, ws.ID
	return err
}

func (o *offlineTalk) say(ctx context.Context, text, payload string) error {
	body, err := json.Marshal(utterance(o.as, text, payload))
	if err != nil {
		return err
	}
	_, err = o.p.hub.Receive(ctx, o.id, connector.Request{
		Method: http.MethodPost, Body: body,
		Header: http.Header{"Authorization": {"Bearer " + o.key}, "Content-Type": {"application/json"}},
	})
	return err
}

func (o *offlineTalk) next(ctx context.Context) (chat.Event, error) {
	for len(o.queue) == 0 {
		found, after, err := o.p.store.Log(ctx, o.p.workspace, o.after, 100, store.LogFilter{})
		if err != nil {
			return chat.Event{}, err
		}
		o.after, o.queue = after, found
		if len(found) > 0 {
			break
		}
		select {
		case <-ctx.Done():
			return chat.Event{}, ctx.Err()
		case <-o.bell:
		}
	}
	e := o.queue[0]
	o.queue = o.queue[1:]
	return e, nil
}

func (o *offlineTalk) close() {
	if o.stop != nil {
		o.closed()
		o.stop()
		<-o.ended //nolint:errcheck // it was told to end, and its folder goes
	}
	_ = o.p.close()
	_ = os.RemoveAll(o.dir)
}
