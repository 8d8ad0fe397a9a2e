package connectortest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/connector"
)

// calls runs do for every webhook call that a transcript has accepted.
func (x *exam) calls(t T, do func(w *world, name string, req connector.Request)) {
	t.Helper()
	x.each(t, "receive", func(w *world, tr *transcript, a *act) {
		req, err := x.request(a, w.env.Settings)
		if err == nil && w.can.Receive != nil {
			do(w, tr.name, req)
		}
	})
}

// clone is a copy that can be changed.
func clone(req connector.Request) connector.Request {
	req.Header = req.Header.Clone()
	u := *req.URL
	req.URL = &u
	req.Body = bytes.Clone(req.Body)
	return req
}

// unsignedLaw: a call without proof, or with a wrong one, is refused before anything is read of it.
func unsignedLaw(x *exam, t T) {
	t.Helper()
	met := map[string]bool{}
	x.calls(t, func(w *world, name string, req connector.Request) {
		t.Helper()
		if x.noProof != "" {
			return
		}
		any := false
		for _, proof := range x.proofs {
			value, ok := proofOf(req, proof)
			if !ok {
				continue
			}
			any, met[proof] = true, true
			x.withoutProof(t, w, name, req, proof, value)
		}
		if !any {
			t.Errorf("%s: accepted without a proof of where it comes from (WithProof names them)", name)
		}
		if x.bodySigned && len(req.Body) > 0 {
			x.otherBody(t, w, name, req)
		}
	})
	for _, proof := range x.proofs {
		if !met[proof] {
			t.Errorf("no receive transcript has the proof %s", proof)
		}
	}
}

func (x *exam) withoutProof(t T, w *world, name string, req connector.Request, proof, value string) {
	t.Helper()
	middle := len(value) / 2
	values := map[string]string{"empty": "", "longer": value + "0", "cut": value[:middle], "altered": flip(value, middle)}
	for what, v := range values {
		if v == value {
			continue
		}
		changed := clone(req)
		setProof(changed, proof, v)
		w.mustBeUnsigned(t, name, proof+" "+what, changed)
	}
	dropped := clone(req)
	dropProof(dropped, proof)
	w.mustBeUnsigned(t, name, proof+" dropped", dropped)
	dropped.Body = []byte("{")
	w.mustBeUnsigned(t, name, proof+" dropped, body cut", dropped)
}

func (x *exam) otherBody(t T, w *world, name string, req connector.Request) {
	t.Helper()
	for _, i := range []int{0, len(req.Body) / 2, len(req.Body) - 1} {
		changed := clone(req)
		changed.Body[i] ^= 1
		w.mustBeUnsigned(t, name, "one byte of the body altered", changed)
	}
}

func (w *world) mustBeUnsigned(t T, name, what string, req connector.Request) {
	t.Helper()
	d, err := w.receive(context.WithoutCancel(t.Context()), req)
	if err == nil || connector.AsError(err).Policy != connector.Unsigned || len(d.Events) > 0 {
		t.Errorf("%s: %s: want unsigned and no events, got %d events, error %v", name, what, len(d.Events), err)
	}
}

// flip changes one letter or digit to another one.
func flip(s string, i int) string {
	if s == "" {
		return "x"
	}
	c := byte('a')
	if s[i] == c {
		c = 'b'
	}
	return s[:i] + string(c) + s[i+1:]
}

// proofOf finds a header, or the parameter of a "?name".
func proofOf(req connector.Request, proof string) (string, bool) {
	if name, ok := strings.CutPrefix(proof, "?"); ok {
		q := req.URL.Query()
		return q.Get(name), q.Has(name)
	}
	return req.Header.Get(proof), len(req.Header.Values(proof)) > 0
}

func setProof(req connector.Request, proof, value string) {
	if name, ok := strings.CutPrefix(proof, "?"); ok {
		editQuery(req.URL, func(q url.Values) { q.Set(name, value) })
		return
	}
	req.Header.Set(proof, value)
}

func dropProof(req connector.Request, proof string) {
	if name, ok := strings.CutPrefix(proof, "?"); ok {
		editQuery(req.URL, func(q url.Values) { q.Del(name) })
		return
	}
	req.Header.Del(proof)
}

func editQuery(u *url.URL, edit func(url.Values)) {
	q := u.Query()
	edit(q)
	u.RawQuery = q.Encode()
}

// mutatedLaw: whatever the body, there is no panic, no half of a delivery and no event that breaks the rules.
func mutatedLaw(x *exam, t T) {
	t.Helper()
	if x.bodySigned && x.sign == nil {
		t.Errorf("WithBodySigned needs WithSigner: changed bodies would all be refused unread")
		return
	}
	turn := 0
	x.calls(t, func(w *world, name string, req connector.Request) {
		t.Helper()
		strict := json.Valid(req.Body)
		turn++
		for _, m := range mutations(req.Body, turn) {
			changed := clone(req)
			changed.Body = m.body
			if x.sign != nil {
				x.sign(w.env.Settings, &changed)
			}
			d, err := w.receive(t.Context(), changed)
			problem := faulty(d, err)
			if problem == "" && strict && err == nil && !json.Valid(m.body) {
				problem = "accepted, and is not JSON"
			}
			if problem != "" {
				t.Errorf("%s: %s: %s\nbody: %.300q", name, m.what, problem, m.body)
				return
			}
		}
	})
}

// faulty tells what is wrong with an answer of Receive; empty if nothing is.
func faulty(d connector.Delivery, err error) string {
	if err != nil {
		var p *panicked
		var e *connector.Error
		switch {
		case errors.As(err, &p):
			return p.Error()
		case len(d.Events) > 0:
			return "an error, and events too"
		case !errors.As(err, &e):
			return "the error is no *connector.Error: " + err.Error()
		case e.Policy != connector.Malformed && e.Policy != connector.Unsigned:
			return "want malformed or unsigned, got " + e.Error()
		}
		return ""
	}
	if s := d.Reply.Status; s != 0 && (s < http.StatusOK || s > 599) {
		return "the reply has a status that is none"
	}
	return invalid(d.Events)
}

// sameLaw: a call that comes again, later or at the same time, gives the same events with the same keys.
func sameLaw(x *exam, t T) {
	t.Helper()
	x.calls(t, func(w *world, name string, req connector.Request) {
		t.Helper()
		first := w.eventsOf(t.Context(), req)
		if d, err := w.receive(t.Context(), clone(req)); err == nil {
			if problem := faulty(d, err); problem != "" {
				t.Errorf("%s: %s", name, problem)
			}
		}
		var all sync.WaitGroup
		again := make([]string, 4)
		for i := range again {
			all.Go(func() { again[i] = w.eventsOf(t.Context(), clone(req)) })
		}
		all.Wait()
		if tr := x.named(name); tr != nil {
			if other := x.world(t, tr, time.Second); other != nil {
				again = append(again, other.eventsOf(t.Context(), clone(req)))
				other.leave()
			}
		}
		for _, got := range again {
			if got != first {
				t.Errorf("%s: the same call again gives other events:\n%s\n%s", name, first, got)
				return
			}
		}
	})
}

// eventsOf is all that Receive answers, as text.
func (w *world) eventsOf(ctx context.Context, req connector.Request) string {
	d, err := w.receive(ctx, req)
	if err != nil {
		return err.Error()
	}
	list := writeEvents(d.Events)
	for i := range list {
		list[i].Raw = d.Events[i].Raw
	}
	raw, err := json.Marshal(list)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

func (x *exam) named(name string) *transcript {
	for _, tr := range x.all {
		if tr.name == name {
			return tr
		}
	}
	return nil
}

// pureLaw: Receive makes no request and saves no note, and does not change the call.
func pureLaw(x *exam, t T) {
	t.Helper()
	x.calls(t, func(w *world, name string, req connector.Request) {
		t.Helper()
		before := clone(req)
		_, _ = w.receive(t.Context(), req) // the other laws look at the answer
		if n := len(w.out.requests()) + len(w.out.strangers()); n > 0 {
			t.Errorf("%s: Receive made %d requests", name, n)
		}
		if _, saves := w.notes.state(); saves > 0 {
			t.Errorf("%s: Receive saved notes", name)
		}
		if !bytes.Equal(before.Body, req.Body) {
			t.Errorf("%s: Receive changed the body", name)
		}
	})
}
