package connectortest

import (
	"net/http"
	"time"

	"github.com/dragoman-hub/dragoman/connector"
)

// law holds for all platforms; nobody writes it into a transcript.
type law struct {
	name  string
	check func(x *exam, t T)
}

// The names of the laws, as subtests and documents have them.
const (
	lawSettings   = "settings are checked"
	lawTraits     = "traits are abilities"
	lawCovered    = "transcripts cover what is claimed"
	lawUnsigned   = "unsigned is refused"
	lawMutated    = "cut and mutated bodies"
	lawSame       = "the same call gives the same events"
	lawPure       = "receive has no effect"
	lawPolicy     = "faults give the right policy"
	lawOneRequest = "a fault ends the sending"
	lawEmpty      = "empty payloads do not panic"
	lawParallel   = "many sends at once"
	lawKey        = "the idempotency key is sent"
	lawEnds       = "listen ends with its context"
	lawCursor     = "the cursor moves after emit"
	lawSecrets    = "no secret is shown"
	lawHosts      = "nothing leaves the machine"
)

// laws are the laws in the order of the examination.
var laws = []law{
	{lawSettings, settingsLaw},
	{lawTraits, traitsLaw},
	{lawCovered, coveredLaw},
	{lawUnsigned, unsignedLaw},
	{lawMutated, mutatedLaw},
	{lawSame, sameLaw},
	{lawPure, pureLaw},
	{lawPolicy, policyLaw},
	{lawOneRequest, oneRequestLaw},
	{lawEmpty, emptyLaw},
	{lawParallel, parallelLaw},
	{lawKey, keyLaw},
	{lawEnds, endsLaw},
	{lawCursor, cursorLaw},
	{lawSecrets, secretsLaw},
	{lawHosts, hostsLaw},
}

// each enters a new world for every act of a kind that has no error in its transcript; kind may be empty.
func (x *exam) each(t T, kind string, do func(w *world, tr *transcript, a *act)) {
	t.Helper()
	for _, tr := range x.all {
		for _, a := range tr.acts {
			if (kind != "" && a.kind != kind) || a.kind == "open" || a.want["error"] != nil {
				continue
			}
			if w := x.world(t, tr, 0); w != nil {
				do(w, tr, a)
				w.leave()
			}
		}
	}
}

// world enters the world of a transcript; nil if that does not go, which play has already reported.
func (x *exam) world(t T, tr *transcript, late time.Duration) *world {
	w, err := x.enter(t.Context(), tr, late)
	if err != nil || w.openErr != nil {
		return nil
	}
	return w
}

// answers are those of an act's script.
func (a *act) answers() []answer {
	var list []answer
	for _, st := range a.steps {
		if st.answer == nil {
			break
		}
		next, err := parseAnswer(st.answer, st.answerBody)
		if err != nil {
			break
		}
		list = append(list, next)
	}
	return list
}

// fault is something that goes wrong on the way to the platform.
type fault struct {
	name     string
	answer   answer
	policies []connector.Policy
	after    time.Duration
}

// faults are what every connector must know. A fault that the platform dresses in its own way can be replaced by
// WithFault.
func faults() []fault {
	status := func(code int, p connector.Policy) fault {
		return fault{name: http.StatusText(code), answer: answer{status: code, header: http.Header{}}, policies: []connector.Policy{p}}
	}
	throttled := status(http.StatusTooManyRequests, connector.Throttled)
	throttled.after = 7 * time.Second
	throttled.answer.header.Set("Retry-After", "7")
	return []fault{
		status(http.StatusUnauthorized, connector.Unauthorized),
		throttled,
		status(http.StatusInternalServerError, connector.Retry),
		status(http.StatusServiceUnavailable, connector.Retry),
		{name: "connection refused", answer: answer{fault: refused}, policies: []connector.Policy{connector.Retry}},
		{name: "timeout after the request", answer: answer{fault: timedOut}, policies: []connector.Policy{connector.IsUnsure}},
		{name: "connection lost after the request", answer: answer{fault: lost}, policies: []connector.Policy{connector.IsUnsure}},
		{name: "half a body", answer: answer{fault: cut}, policies: []connector.Policy{connector.IsUnsure}},
	}
}

// faults are the general ones with the platform's own in their places.
func (x *exam) faults() []fault {
	list := faults()
	for i, f := range list {
		if own, ok := x.ownFaults[f.answer.status]; ok && f.answer.status != 0 {
			list[i].answer.header, list[i].answer.body = own.header, own.body
			if own.header == nil {
				list[i].answer.header = f.answer.header
			}
		}
	}
	return list
}

// at puts the fault in the place of the n-th answer of a script.
func (f fault) at(script []answer, n int) []answer {
	a := f.answer
	if a.fault == cut {
		a = script[n]
		a.fault = cut
		if a.status == 0 { // the transcript has a fault there
			a.status = http.StatusOK
		}
	}
	return append(append([]answer(nil), script[:n]...), a)
}
