package llm

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Delta is a piece of a streamed answer. Texts come as they are made, calls of tools when they are whole. Only the last piece has Stop,
// with Usage and Model.
type Delta struct {
	Text      string
	Reasoning string
	ToolUse   *ToolUse
	Stop      StopReason
	Usage     Usage
	Model     string
}

// Stream asks and gives the answer piece by piece. An error is the last that comes; the caller may leave at any time.
func (c *Client) Stream(ctx context.Context, r Request) iter.Seq2[Delta, error] {
	return func(yield func(Delta, error) bool) {
		body, err := r.body(c.model, c.defaults, true)
		if err != nil {
			yield(Delta{}, err)
			return
		}
		ctx, cancel := context.WithTimeoutCause(ctx, c.limits.Time, errTime)
		defer cancel()
		ctx, stop := context.WithCancelCause(ctx)
		defer stop(nil)
		watch := time.AfterFunc(c.limits.Idle, func() { stop(errIdle) })
		defer watch.Stop()
		res, err := c.send(ctx, body)
		if err != nil {
			yield(Delta{}, err)
			return
		}
		defer res.Body.Close()
		alive := &watched{res.Body, watch, c.limits.Idle}
		if isStream(res) {
			c.read(ctx, alive)(yield)
			return
		}
		a, err := c.whole(ctx, alive) // some do not stream
		if err != nil {
			yield(Delta{}, err)
			return
		}
		if yield(Delta{Text: a.Text(), Reasoning: a.Reasoning}, nil) {
			finish(&a, yield)
		}
	}
}

// watched winds the watch up again whenever something comes, be it only a sign of life.
type watched struct {
	r     io.Reader
	watch *time.Timer
	idle  time.Duration
}

// Read is io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if n > 0 {
		w.watch.Reset(w.idle)
	}
	return n, err
}

// finish gives the calls and the end.
func finish(a *Answer, yield func(Delta, error) bool) {
	for _, p := range a.Content {
		if p.ToolUse != nil && !yield(Delta{ToolUse: p.ToolUse}, nil) {
			return
		}
	}
	yield(Delta{Stop: a.Stop, Usage: a.Usage, Model: a.Model}, nil)
}

// read reads the events of a stream to its end. Without an end, said by the endpoint, the answer may be half: that is an error.
func (c *Client) read(ctx context.Context, body io.Reader) iter.Seq2[Delta, error] {
	return func(yield func(Delta, error) bool) {
		var g gathering
		done := false
		for data, err := range events(c.bounded(body)) {
			if err != nil {
				yield(Delta{}, away(ctx, err))
				return
			}
			if done = string(data) == "[DONE]"; done {
				break
			}
			d, err := c.take(&g, data)
			if err != nil {
				yield(Delta{}, err)
				return
			}
			if (d.Text != "" || d.Reasoning != "") && !yield(d, nil) {
				return
			}
		}
		if !g.any {
			yield(Delta{}, strange())
			return
		}
		if !done && g.finish == "" {
			yield(Delta{}, half())
			return
		}
		a, err := g.answer()
		if err != nil {
			yield(Delta{}, err)
			return
		}
		finish(&a, yield)
	}
}

// The limits of an event.
const (
	maxLine  = 4 << 20 // bytes
	maxLines = 64
)

// events gives the data of server-sent events. Comments, names and ids mean nothing here. An event ends at a blank line, but some
// leave it out: a line that is a whole JSON text is an event, too.
func events(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(make([]byte, 0, 16<<10), maxLine)
		var data [][]byte
		for lines.Scan() {
			line, isData := bytes.CutPrefix(lines.Bytes(), []byte("data:"))
			switch {
			case isData:
				data = append(data, bytes.TrimSpace(bytes.Clone(line)))
			case len(line) > 0:
				continue // a comment, or another field
			}
			if len(data) == 0 {
				continue
			}
			text := bytes.Join(data, []byte("\n"))
			if isData && !json.Valid(text) && string(text) != "[DONE]" && len(data) < maxLines {
				continue
			}
			data = nil
			if len(text) > 0 && !yield(text, nil) {
				return
			}
		}
		if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
			yield(nil, chat.Faultf(chat.CodeTooLarge, "the endpoint's answer has a line that is too long"))
		} else if err != nil {
			yield(nil, err)
		}
	}
}

// Collect joins a stream to one answer.
func Collect(stream iter.Seq2[Delta, error]) (Answer, error) {
	var a Answer
	var text []byte
	for d, err := range stream {
		if err != nil {
			return Answer{}, err
		}
		text = append(text, d.Text...)
		a.Reasoning += d.Reasoning
		if d.ToolUse != nil {
			a.Content = append(a.Content, Part{ToolUse: d.ToolUse})
		}
		if d.Stop != "" {
			a.Stop, a.Usage, a.Model = d.Stop, d.Usage, d.Model
		}
	}
	if len(text) > 0 {
		a.Content = append([]Part{{Text: string(text)}}, a.Content...)
	}
	return a, nil
}
