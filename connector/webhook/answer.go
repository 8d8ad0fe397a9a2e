package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/connector"
)

// answerVars are what programs know that read an answer; their input is its body.
var answerVars = []string{"$status", "$headers"}

// statusRange is a status or a class of them: 409, "409", "5xx", "400-499"; zero is any.
type statusRange struct {
	from, to int
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *statusRange) UnmarshalJSON(raw []byte) error {
	text := string(bytes.Trim(raw, `"`))
	from, to, isRange := strings.Cut(text, "-")
	if class, ok := strings.CutSuffix(text, "xx"); ok && len(class) == 1 {
		from, to, isRange = class+"00", class+"99", true
	}
	if !isRange {
		to = from
	}
	var err1, err2 error
	s.from, err1 = strconv.Atoi(from)
	s.to, err2 = strconv.Atoi(to)
	if err1 != nil || err2 != nil || s.from < 100 || s.to > 599 || s.from > s.to {
		return connector.Malformedf("status %s: must be like 409, \"5xx\" or \"400-499\"", strconv.Quote(text))
	}
	return nil
}

func (s statusRange) holds(status int) bool {
	return s == statusRange{} || s.from <= status && status <= s.to
}

// accepted is the word of a rule for an answer that is a success.
const accepted = "ok"

// policies are the words of a rule.
var policies = map[string]connector.Policy{
	accepted: "", "rejected": connector.Rejected, "retry": connector.Retry, "unsure": connector.IsUnsure,
	"throttled": connector.Throttled, "unauthorized": connector.Unauthorized, "suspended": connector.Suspended,
	"gone": connector.Gone, "window_closed": connector.WindowClosed, "forbidden": connector.Forbidden,
}

// rule is one line of the table from answers to policies.
type rule struct {
	status              statusRange
	when                *program
	policy              connector.Policy // empty: success
	code, detail, after *program
}

// judge reads answers.
type judge struct {
	success []statusRange
	rules   []rule
}

func newJudge(path string, spec requestSpec) (judge, error) {
	j := judge{success: spec.Success}
	if len(j.success) == 0 {
		j.success = []statusRange{{200, 299}}
	}
	for i, r := range spec.Errors {
		at := path + ".errors." + strconv.Itoa(i)
		policy, known := policies[r.Policy]
		if !known {
			return j, connector.Malformedf("%s.policy: is %q, must be one of ok, rejected, retry, unsure, throttled, "+
				"unauthorized, suspended, gone, window_closed, forbidden", at, r.Policy)
		}
		line := rule{status: r.Status, policy: policy}
		for _, x := range []struct {
			name, source string
			into         **program
		}{{"when", r.When, &line.when}, {"code", r.Code, &line.code}, {"detail", r.Detail, &line.detail}, {"after", r.After, &line.after}} {
			if x.source == "" {
				continue
			}
			p, err := compile(at+"."+x.name, x.source, answerVars)
			if err != nil {
				return j, err
			}
			*x.into = p
		}
		j.rules = append(j.rules, line)
	}
	return j, nil
}

// answer is an answer as programs see it.
type answer struct {
	connector.Answer
	body any // JSON as it is, anything else as text
	vars map[string]any
}

func readAnswer(a connector.Answer) answer {
	body, err := decodeJSON(a.Body)
	if err != nil || !fits(body) {
		body = valid(string(a.Body))
	}
	return answer{Answer: a, body: body, vars: map[string]any{"$status": a.Status, "$headers": firsts(lower(a.Header))}}
}

// check gives nil for a success. The rules go first, for some platforms say no with 200.
func (j judge) check(ctx context.Context, a answer, now time.Time) error {
	for _, r := range j.rules {
		if r.holds(ctx, a) {
			return r.result(ctx, a, now)
		}
	}
	for _, s := range j.success {
		if s.holds(a.Status) {
			return nil
		}
	}
	e := &connector.Error{Policy: policyOf(a.Status), Code: strconv.Itoa(a.Status), Detail: detailOf(a)}
	if wait := a.RetryAfter(now); e.Policy == connector.Throttled || wait > 0 && a.Status == http.StatusServiceUnavailable {
		e.Policy, e.After = connector.Throttled, wait
	}
	return e
}

// policyOf is the table for answers that no rule is about. 410 is, by Standard Webhooks, an endpoint that is switched off: the
// channel stops and somebody has to look.
func policyOf(status int) connector.Policy {
	switch {
	case status == http.StatusTooManyRequests:
		return connector.Throttled
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return connector.Unauthorized
	case status == http.StatusGone:
		return connector.Suspended
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status >= 500:
		return connector.Retry
	default: // other 4xx; 3xx, which is not followed
		return connector.Rejected
	}
}

func (r rule) holds(ctx context.Context, a answer) bool {
	if !r.status.holds(a.Status) {
		return false
	}
	if r.when == nil {
		return true
	}
	v, err := r.when.one(ctx, a.body, a.vars)
	return err == nil && truthy(v)
}

func (r rule) result(ctx context.Context, a answer, now time.Time) error {
	if r.policy == "" {
		return nil
	}
	e := &connector.Error{Policy: r.policy, Code: strconv.Itoa(a.Status), Detail: detailOf(a)}
	if code := r.read(ctx, r.code, a); code != "" {
		e.Code = short(code)
	}
	if detail := r.read(ctx, r.detail, a); detail != "" {
		e.Detail = short(detail)
	}
	if e.Policy == connector.Throttled {
		e.After = a.RetryAfter(now)
		if seconds, err := strconv.ParseFloat(r.read(ctx, r.after, a), 64); err == nil && seconds > 0 && seconds < 1e6 {
			e.After = time.Duration(seconds * float64(time.Second))
		}
	}
	return e
}

func (r rule) read(ctx context.Context, p *program, a answer) string {
	v, err := p.one(ctx, a.body, a.vars)
	if err != nil {
		return ""
	}
	return words(v)
}

// detailOf finds the platform's words in the usual places.
func detailOf(a answer) string {
	var said struct {
		Detail  string          `json:"detail"`
		Message string          `json:"message"`
		Error   json.RawMessage `json:"error"`
	}
	if _, isText := a.body.(string); isText {
		return short(a.body.(string))
	}
	if json.Unmarshal(a.Body, &said) != nil {
		return ""
	}
	var inner struct {
		Message string `json:"message"`
	}
	var plain string
	if json.Unmarshal(said.Error, &plain) != nil {
		_ = json.Unmarshal(said.Error, &inner) // neither text nor object: nothing to tell
	}
	for _, s := range []string{said.Detail, said.Message, plain, inner.Message} {
		if s != "" {
			return short(s)
		}
	}
	return ""
}

// short keeps one line of a platform's words.
func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "..."
	}
	return s
}
