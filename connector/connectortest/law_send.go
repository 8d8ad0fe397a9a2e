package connectortest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// spoiled runs do after each send of a transcript with each fault in the place of each of its answers.
func (x *exam) spoiled(t T, do func(w *world, where string, f fault, n int, script []answer, err error)) {
	t.Helper()
	x.each(t, "send", func(_ *world, tr *transcript, a *act) {
		t.Helper()
		script := a.answers()
		if len(script) != len(a.steps) || slices.ContainsFunc(script, func(s answer) bool { return s.fault != "" }) {
			return
		}
		for _, f := range x.faults() {
			for n := range script {
				w := x.world(t, tr, 0)
				if w == nil {
					return
				}
				w.out.next = scripted(f.at(script, n), 0, false)
				_, err := w.perform(t.Context(), "send", a.head.data)
				do(w, fmt.Sprintf("%s: %s at request %d of %d", tr.name, f.name, n+1, len(script)), f, n, script, err)
				w.leave()
			}
		}
	})
}

// policyLaw: every fault gets its policy. Where the message itself had not been sent yet (an upload before it),
// unsure faults may count as surely not done.
func policyLaw(x *exam, t T) {
	t.Helper()
	x.spoiled(t, func(_ *world, where string, f fault, n int, script []answer, err error) {
		t.Helper()
		want := slices.Clone(f.policies)
		if n < len(script)-1 && want[0] == connector.IsUnsure {
			want = append(want, connector.Retry)
		}
		if err == nil {
			t.Errorf("%s: no error, want %v", where, want)
			return
		}
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || !slices.Contains(want, e.Policy) {
			t.Errorf("%s: want %v, got %v", where, want, err)
			return
		}
		if f.after != 0 && e.After != f.after {
			t.Errorf("%s: want to wait %v, got %v", where, f.after, e.After)
		}
	})
}

// oneRequestLaw: after a fault no further request is made, of the same sort or another.
func oneRequestLaw(x *exam, t T) {
	t.Helper()
	x.spoiled(t, func(w *world, where string, _ fault, n int, _ []answer, _ error) {
		t.Helper()
		if got := len(w.out.requests()); got > n+1 {
			t.Errorf("%s: %d requests, want %d: to repeat is for the hub", where, got, n+1)
		}
	})
}

// emptyLaw: a part of which nothing is there gives an error or a request.
func emptyLaw(x *exam, t T) {
	t.Helper()
	w := x.world(t, x.firstOpen(t), 0)
	if w == nil {
		t.Errorf("no transcript opens the connector")
		return
	}
	defer w.leave()
	payloads := []string{"", "{}", "null", "[]", `"x"`, `{"file":"nowhere"}`, `{"buttons":[{}]}`, `{"cards":[{}]}`, `{"content":""}`}
	types := append([]chat.ElementType{chat.Text, "no such type"}, x.platform.Traits.Elements...)
	w.sendEmpty(t, "no elements", nil)
	for _, kind := range types {
		for _, payload := range payloads {
			el := chat.Element{Type: kind, Payload: json.RawMessage(payload)}
			w.sendEmpty(t, fmt.Sprintf("%s with payload %q", kind, payload), []chat.Element{el})
		}
	}
}

func (w *world) sendEmpty(t T, what string, elements []chat.Element) {
	t.Helper()
	before := len(w.out.requests())
	w.out.next = scripted(nil, before, false)
	err := guard(func() error {
		_, err := w.conn.Send(t.Context(), connector.Part{Key: defaultKey, Thread: chat.Thread{Address: "1"}, Elements: elements})
		return err
	})
	switch _, isError := errors.AsType[*connector.Error](err); {
	case err == nil && len(w.out.requests()) == before:
		t.Errorf("%s: sent, it says, without a request", what)
	case err != nil && !isError:
		t.Errorf("%s: %v", what, err)
	}
}

// firstOpen is the first transcript with which the connector opens; nil if there is none.
func (x *exam) firstOpen(t T) *transcript {
	t.Helper()
	for _, tr := range x.all {
		if w := x.world(t, tr, 0); w != nil {
			w.leave()
			return tr
		}
	}
	return nil
}

// parallelLaw: sends of the same part at the same time do not disturb one another. It finds most under -race.
func parallelLaw(x *exam, t T) {
	t.Helper()
	done := false
	x.each(t, "send", func(w *world, tr *transcript, a *act) {
		t.Helper()
		script := a.answers()
		if done || len(script) != 1 || script[0].fault != "" {
			return
		}
		done = true
		w.out.next = func(int) answer { return script[0] }
		var all sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			all.Go(func() { _, errs[i] = w.perform(t.Context(), "send", a.head.data) })
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Errorf("%s: %v", tr.name, err)
		}
		got := w.out.requests()
		for _, s := range got {
			if s.url.String() != got[0].url.String() || (a.steps[0].body != nil && a.steps[0].body.name == "json" && !bytes.Equal(s.body, got[0].body)) {
				t.Errorf("%s: the same part gave different requests", tr.name)
			}
		}
	})
}

// keyLaw: a platform that is called idempotent gets the part's key in the last request of a send.
func keyLaw(x *exam, t T) {
	t.Helper()
	if !x.platform.Traits.Idempotent {
		return
	}
	x.each(t, "send", func(w *world, tr *transcript, a *act) {
		t.Helper()
		const key = "0193abcd-0000-7000-8000-00000000feed"
		var form map[string]any
		if json.Unmarshal(a.head.data, &form) != nil {
			return
		}
		form["key"] = key
		content, err := json.Marshal(form)
		if err != nil {
			return
		}
		w.out.next = scripted(a.answers(), 0, false)
		_, _ = w.perform(t.Context(), "send", content)
		got := w.out.requests()
		if len(got) > 0 && !holds(got[len(got)-1], key) {
			t.Errorf("%s: the traits say idempotent, but the request does not have the part's key", tr.name)
		}
	})
}

// holds tells whether a request has the text anywhere.
func holds(s seen, text string) bool {
	var header bytes.Buffer
	if err := http.Header.Write(s.header, &header); err != nil {
		return false
	}
	return strings.Contains(s.url.String(), text) || bytes.Contains(s.body, []byte(text)) || strings.Contains(header.String(), text)
}
