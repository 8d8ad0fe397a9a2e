package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// T is as much of *testing.T as the examination needs; its own tests give it another one.
type T interface {
	Helper()
	Errorf(format string, args ...any)
	Context() context.Context
}

// play does a transcript from its first act to its last. In update mode what differs is written down, not
// reported.
func (x *exam) play(t T, tr *transcript) {
	t.Helper()
	w, err := x.enter(t.Context(), tr, 0)
	if err != nil {
		t.Errorf("%s: %v", tr.name, err)
		return
	}
	r := &run{t: t, x: x, w: w, update: x.update, name: tr.name}
	for _, a := range tr.acts {
		if a.kind != "open" && w.openErr != nil {
			t.Errorf("%s: the connector does not open: %v", tr.name, w.openErr)
			return
		}
		r.act(a)
	}
	x.hunt(t, w, tr.name)
	for _, host := range w.out.strangers() {
		t.Errorf("%s: a request to %s, which no setting names (WithHosts may)", tr.name, host)
	}
	if !r.changed {
		return
	}
	if err := os.WriteFile(tr.path, tr.format(), 0o644); err != nil {
		t.Errorf("%s: %v", tr.name, err)
	}
}

// run is one transcript being played.
type run struct {
	t       T
	x       *exam
	w       *world
	name    string
	update  bool
	changed bool
	kind    string
}

// outcome is what an act brought.
type outcome struct {
	results map[string]any // by section: events, sent, result
	reply   *connector.Reply
	emitted [][]chat.Incoming // by answers read before
	err     error
}

func (r *run) act(a *act) {
	r.t.Helper()
	r.kind = a.kind
	before := len(r.w.out.requests())
	if err := r.script(a, before); err != nil {
		r.t.Errorf("%s: %v", r.name, err)
		return
	}
	o := r.do(a, before)
	if _, ok := errors.AsType[*panicked](o.err); ok {
		r.t.Errorf("%s: %s: %v", r.name, a.kind, o.err)
		return
	}
	r.steps(a, r.w.out.requests()[before:], o)
	r.outcome(a, o)
}

// script tells the stand-in what to answer.
func (r *run) script(a *act, before int) error {
	answers := make([]answer, 0, len(a.steps))
	for _, st := range a.steps {
		if st.answer == nil {
			break
		}
		next, err := parseAnswer(st.answer, st.answerBody)
		if err != nil {
			return err
		}
		answers = append(answers, next)
	}
	r.w.out.next = scripted(answers, before, a.kind == "listen")
	return nil
}

// scripted gives the answers in turn; after the last one {} or, for a listener, the end.
func scripted(answers []answer, before int, listen bool) func(int) answer {
	return func(n int) answer {
		switch {
		case n-before < len(answers):
			return answers[n-before]
		case listen:
			return answer{fault: over}
		default:
			return answer{status: http.StatusOK, body: []byte("{}")}
		}
	}
}

func (r *run) do(a *act, before int) outcome {
	ctx := r.t.Context()
	o := outcome{results: map[string]any{}}
	switch a.kind {
	case "open":
		o.err = r.w.openErr
	case "receive":
		req, err := r.x.request(a, r.w.env.Settings)
		if err != nil {
			r.t.Errorf("%s: %v", r.name, err)
			return o
		}
		d, err := r.w.receive(ctx, req)
		o.err, o.reply, o.results["events"] = err, &d.Reply, writeEvents(d.Events)
		if err != nil && len(d.Events) > 0 {
			r.t.Errorf("%s: receive: an error and %d events", r.name, len(d.Events))
		}
	case "listen":
		o.emitted = make([][]chat.Incoming, len(a.steps)+1)
		o.err = r.w.listen(ctx, func(_ context.Context, events []chat.Incoming) error {
			i := min(len(r.w.out.requests())-before, len(a.steps))
			o.emitted[i] = append(o.emitted[i], events...)
			return nil
		})
	default:
		result, err := r.w.perform(ctx, a.kind, a.head.data)
		o.err = err
		if a.kind == "send" {
			o.results["sent"] = result
		} else if hasResult(a.kind) {
			o.results["result"] = result
		}
	}
	return o
}

func hasResult(kind string) bool {
	return has([]string{"profile", "check", "renew", "download"}, kind)
}

// steps compares the requests, and what was emitted between them.
func (r *run) steps(a *act, got []seen, o outcome) {
	r.t.Helper()
	if a.kind == "listen" && len(got) == len(a.steps)+1 {
		got = got[:len(a.steps)] // the request that ended the act
	}
	for i, s := range got {
		if i == len(a.steps) {
			if !r.update {
				r.t.Errorf("%s: %s: a request that the transcript does not have: %s %s\n%.500s", r.name, a.kind, s.method, s.url, s.body)
				continue
			}
			a.steps = append(a.steps, &step{answer: &section{"answer", []byte("200\n")}, answerBody: &section{"body", []byte("{}\n")}})
		}
		r.step(a, i, s)
	}
	for i := len(got); i < len(a.steps); i++ {
		r.t.Errorf("%s: %s: request %d of %d was not made", r.name, a.kind, i+1, len(a.steps))
	}
	for i := range o.emitted {
		r.emitted(a, i, o.emitted[i])
	}
}

func (r *run) step(a *act, i int, s seen) {
	r.t.Helper()
	st, d := a.steps[i], "no request section"
	if st.request != nil {
		d = diffRequest(st, s)
	}
	if d == "" {
		return
	}
	if r.update {
		r.changed = true
		st.request, st.body = writeRequest(st, s)
		return
	}
	r.t.Errorf("%s: %s: request %d differs:\n%s", r.name, a.kind, i+1, d)
}

func (r *run) emitted(a *act, i int, events []chat.Incoming) {
	r.t.Helper()
	if i == 0 {
		if len(events) > 0 {
			r.t.Errorf("%s: listen: %d events before the first answer", r.name, len(events))
		}
		return
	}
	st := a.steps[i-1]
	if st.events == nil && len(events) == 0 {
		return
	}
	r.check(&st.events, "events", writeEvents(events))
}

// outcome compares what the act answered.
func (r *run) outcome(a *act, o outcome) {
	r.t.Helper()
	if o.err != nil {
		r.failure(a, o.err)
	} else {
		if a.want["error"] != nil {
			if !r.update {
				r.t.Errorf("%s: %s: no error, want %s", r.name, a.kind, a.want["error"].data)
				return
			}
			r.changed = true
			delete(a.want, "error")
		}
		for name, result := range o.results {
			r.checkWant(a, name, result)
		}
		if o.reply != nil {
			r.reply(a, *o.reply)
		}
	}
	if a.want["notes"] != nil {
		r.checkWant(a, "notes", r.w.notes.form())
	}
}

func (r *run) checkWant(a *act, name string, result any) {
	r.t.Helper()
	s := a.want[name]
	r.check(&s, name, result)
	a.want[name] = s
}

// check compares a section with a value, or writes it.
func (r *run) check(s **section, name string, value any) {
	r.t.Helper()
	got, err := json.Marshal(value)
	if err != nil {
		r.t.Errorf("%s: %s: %v", r.name, name, err)
		return
	}
	d := "no such section; UPDATE_TRANSCRIPTS=1 writes it"
	if *s != nil {
		d = diffJSON((*s).data, got)
	}
	switch {
	case d == "":
	case r.update:
		r.changed = true
		*s = &section{name, pretty(got)}
	default:
		r.t.Errorf("%s: %s: %s: %s\ngot: %s", r.name, r.kind, name, d, pretty(got))
	}
}

// failure compares an error. Its words count only if the transcript has some.
func (r *run) failure(a *act, err error) {
	r.t.Helper()
	f := writeError(err)
	if s := a.want["error"]; s != nil {
		var want errorForm
		if json.Unmarshal(s.data, &want) == nil && want.Detail == "" {
			f.Detail = ""
		}
	} else if !r.update {
		r.t.Errorf("%s: %s: %v", r.name, a.kind, err)
		return
	} else {
		f.Detail = ""
		for _, name := range []string{"events", "reply", "sent", "result"} {
			delete(a.want, name)
		}
	}
	if _, ok := errors.AsType[*connector.Error](err); !ok {
		r.t.Errorf("%s: %s: the error is no *connector.Error: %v", r.name, a.kind, err)
	}
	r.checkWant(a, "error", f)
}

// reply compares the answer to a webhook call.
func (r *run) reply(a *act, got connector.Reply) {
	r.t.Helper()
	if got.Status == 0 {
		got.Status = http.StatusOK
	}
	s, body := writeReply(got)
	plain := got.Status == http.StatusOK && got.ContentType == "" && len(got.Body) == 0
	want, wantBody := a.want["reply"], a.answer
	if want == nil && plain {
		return
	}
	if want != nil && sameReply(want, wantBody, got) {
		return
	}
	if r.update {
		r.changed, a.want["reply"], a.answer = true, s, body
		return
	}
	r.t.Errorf("%s: receive: reply differs, got:\n%s%s", r.name, s.data, got.Body)
}

func sameReply(want, wantBody *section, got connector.Reply) bool {
	first, header, err := head(want)
	if err != nil {
		return false
	}
	data, err := wantBody.content()
	return err == nil && first == fmt.Sprint(got.Status) && header.Get("Content-Type") == got.ContentType && string(data) == string(got.Body)
}

func writeReply(got connector.Reply) (*section, *section) {
	text := fmt.Sprintf("%d\n", got.Status)
	if got.ContentType != "" {
		text += "Content-Type: " + got.ContentType + "\n"
	}
	if len(got.Body) == 0 {
		return &section{"reply", []byte(text)}, nil
	}
	return &section{"reply", []byte(text)}, writeBody(got.Body)
}

// isJSON tells whether a content type is JSON.
func isJSON(contentType string) bool { return strings.Contains(contentType, "json") }
