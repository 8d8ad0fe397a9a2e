package connectortest

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/dragoman-hub/dragoman/chat"
)

// provoked does every act of every transcript, once as it is written and once with each fault as its first answer, and
// hands over all that the connector said.
func (x *exam) provoked(t T, faults []fault, do func(w *world, where string, said []string)) {
	t.Helper()
	plain := fault{name: "as written"}
	for _, tr := range x.all {
		for _, a := range tr.acts {
			if a.kind == "open" {
				continue
			}
			for _, f := range append([]fault{plain}, faults...) {
				w := x.world(t, tr, 0)
				if w == nil {
					break
				}
				script := a.answers()
				if f.policies != nil {
					if len(script) == 0 {
						w.leave()
						break
					}
					script = f.at(script, 0)
				}
				w.out.next = scripted(script, 0, a.kind == "listen")
				do(w, fmt.Sprintf("%s: %s: %s", tr.name, a.kind, f.name), x.said(t, w, a))
				w.leave()
			}
		}
	}
}

// said does an act and collects the words of its results and errors.
func (x *exam) said(t T, w *world, a *act) []string {
	t.Helper()
	var result any
	var err error
	switch a.kind {
	case "receive":
		req, bad := x.request(a, w.env.Settings)
		if bad != nil {
			return nil
		}
		_, err = w.receive(t.Context(), req)
	case "listen":
		err = w.listen(t.Context(), func(context.Context, []chat.Incoming) error { return nil })
	default:
		result, err = w.perform(t.Context(), a.kind, a.head.data)
	}
	words := []string{show(result)}
	if err != nil {
		words = append(words, err.Error(), show(writeError(err)))
	}
	return words
}

// secretsLaw: neither secrets nor signed links are in logs, errors or results.
func secretsLaw(x *exam, t T) {
	t.Helper()
	x.provoked(t, x.faults(), func(w *world, where string, said []string) {
		t.Helper()
		x.hunt(t, w, where, said...)
	})
	base, err := x.settings(nil)
	if err != nil {
		return
	}
	for _, s := range x.platform.Settings {
		change, err := json.Marshal(map[string]any{s.Name: []any{}})
		if err != nil {
			continue
		}
		tr := &transcript{setup: map[string]*section{"settings": {"settings", change}}}
		w, err := x.enter(t.Context(), tr, 0)
		if err == nil && w.openErr != nil {
			w.env.Settings = base
			x.hunt(t, w, "Open with a wrong "+s.Name, w.openErr.Error())
		}
	}
}

// hostsLaw: no request goes to a host that neither the settings nor WithHosts name.
func hostsLaw(x *exam, t T) {
	t.Helper()
	x.provoked(t, nil, func(w *world, where string, _ []string) {
		t.Helper()
		for _, host := range w.out.strangers() {
			t.Errorf("%s: a request to %s, which no setting names", where, host)
		}
	})
}
