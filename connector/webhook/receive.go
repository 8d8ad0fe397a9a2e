package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// receiveVars are what programs of receive know beside their input.
var receiveVars = []string{"$body", "$headers", "$query", "$form", "$minute"}

// receiver reads incoming calls.
type receiver struct {
	verify    *auth
	content   string
	each      *program
	fields    map[string]*program
	kinds     map[string]chat.Kind
	statuses  map[string]chat.Status
	challenge *challenge
	reply     *reply
	downloads bool // attachments are fetched by the connector
}

func newReceiver(spec receiveSpec, secret string) (*receiver, error) {
	r := &receiver{content: spec.Content, fields: map[string]*program{}}
	verify := authSpec{Type: "standard"}
	if spec.Verify != nil {
		verify = *spec.Verify
	}
	var err error
	if r.verify, err = newAuth("receive.verify", verify, secret); err != nil {
		return nil, err
	}
	if err := r.checkContent(); err != nil {
		return nil, err
	}
	if err := r.compile(spec); err != nil {
		return nil, err
	}
	if err := r.readWords(spec); err != nil {
		return nil, err
	}
	if r.challenge, err = newChallenge(spec.Challenge, secret); err != nil {
		return nil, err
	}
	r.reply, err = newReply(spec.Reply)
	return r, err
}

func (r *receiver) checkContent() error {
	switch r.content {
	case "":
		r.content = "json"
	case "json", "form", "query", "text":
	default:
		return connector.Malformedf("receive.content: is %q, must be json, form, query or text", r.content)
	}
	part := "{body}"
	if r.content == "query" {
		part = "{url}"
	}
	if r.verify.hash != nil && !strings.Contains(r.verify.Signed, part) {
		return connector.Malformedf("receive.verify.signed: must hold %s, for the events are there", part)
	}
	return nil
}

func (r *receiver) compile(spec receiveSpec) error {
	source := spec.Each
	if source == "" {
		source = defaultEach
	}
	var err error
	if r.each, err = compile("receive.each", source, receiveVars); err != nil {
		return err
	}
	for name := range spec.Events {
		if _, known := defaultFields[name]; !known {
			return connector.Malformedf("receive.events.%s: there is no such field", name)
		}
	}
	for name, source := range defaultFields {
		if own, ok := spec.Events[name]; ok {
			source = own
		}
		if r.fields[name], err = compile("receive.events."+name, source, receiveVars); err != nil {
			return err
		}
	}
	return nil
}

// readWords adds the platform's words to the tables.
func (r *receiver) readWords(spec receiveSpec) error {
	r.kinds, r.statuses = map[string]chat.Kind{}, map[string]chat.Status{}
	for word, kind := range kindWords {
		r.kinds[word] = kind
	}
	for word, status := range statusWords {
		r.statuses[word] = status
	}
	for word, ours := range spec.Kinds {
		kind, known := kindWords[ours]
		if !known {
			return connector.Malformedf("receive.kinds.%s: %q is no kind of event", word, ours)
		}
		r.kinds[word] = kind
	}
	for word, ours := range spec.Statuses {
		status, known := statusWords[ours]
		if !known {
			return connector.Malformedf("receive.statuses.%s: %q is no status", word, ours)
		}
		r.statuses[word] = status
	}
	return nil
}

// Receive implements connector.Receiver.
func (c *channel) Receive(ctx context.Context, req connector.Request) (connector.Delivery, error) {
	r := c.receive
	in, parseErr := r.parse(req, c.env.Now())
	if r.challenge != nil && req.Method == http.MethodGet && parseErr == nil {
		if d, asked, err := r.challenge.answer(ctx, in); asked || err != nil {
			return d, err
		}
	}
	if err := r.verify.verify(req, c.env.Now()); err != nil {
		return connector.Delivery{}, err
	}
	if parseErr != nil {
		return connector.Delivery{}, parseErr
	}
	if r.challenge != nil {
		if d, asked, err := r.challenge.answer(ctx, in); asked || err != nil {
			return d, err
		}
	}
	if !r.takes(req.Method) {
		return connector.Delivery{}, connector.Malformedf("method %s is not taken", req.Method)
	}
	events, err := r.events(ctx, req, in)
	if err != nil {
		return connector.Delivery{}, err
	}
	answer, err := r.reply.answer(ctx, in)
	return connector.Delivery{Events: events, Reply: answer}, err
}

// takes tells whether events may come by this method.
func (r *receiver) takes(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodGet && r.content == "query"
}

// input is a call as programs see it.
type input struct {
	body any
	vars map[string]any
}

func (r *receiver) parse(req connector.Request, now time.Time) (input, error) {
	query := url.Values{}
	if req.URL != nil {
		query = req.URL.Query()
	}
	in := input{vars: map[string]any{
		"$headers": firsts(lower(req.Header)), "$query": firsts(query), "$form": map[string]any{},
		"$minute": int(now.Unix() / 60),
	}}
	var err error
	switch r.content {
	case "query":
		in.body = firsts(query)
	case "text":
		in.body = strings.ToValidUTF8(string(req.Body), "\uFFFD")
	case "form":
		var form url.Values
		if form, err = url.ParseQuery(string(req.Body)); err != nil {
			err = connector.Malformedf("body: not a form")
			break
		}
		in.body, in.vars["$form"] = firsts(form), lists(form)
	default:
		if req.Method == http.MethodGet && len(req.Body) == 0 {
			break // a challenge
		}
		in.body, err = decodeJSON(req.Body)
	}
	if err == nil && !fits(in.body) {
		err = connector.Malformedf("body: too large or too deep")
	}
	in.vars["$body"] = in.body
	return in, err
}

// decodeJSON reads exactly one value and keeps numbers as they are written.
func decodeJSON(raw []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\uFEFF"))))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, connector.Malformedf("body: not JSON")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, connector.Malformedf("body: more than one JSON value")
	}
	return v, nil
}

func lower(h http.Header) url.Values {
	m := make(url.Values, len(h))
	for k, v := range h {
		m[strings.ToLower(k)] = v
	}
	return m
}

// firsts gives jq the first value of each name, so that a name that comes twice does not change its type.
func firsts(values url.Values) map[string]any {
	m := make(map[string]any, len(values))
	for k, v := range values {
		if len(v) > 0 {
			m[valid(k)] = valid(v[0])
		}
	}
	return m
}

func lists(values url.Values) map[string]any {
	m := make(map[string]any, len(values))
	for k, v := range values {
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = valid(x)
		}
		m[valid(k)] = list
	}
	return m
}

func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// events reads all events of a call, or none.
func (r *receiver) events(ctx context.Context, req connector.Request, in input) ([]chat.Incoming, error) {
	found, err := r.each.run(ctx, in.body, in.vars)
	if err != nil {
		return nil, &connector.Error{Policy: connector.Malformed, Detail: "body", Err: err}
	}
	var list []any
	for _, v := range found {
		if many, ok := v.([]any); ok {
			list = append(list, many...)
		} else if v != nil {
			list = append(list, v)
		}
	}
	if len(list) > maxOutputs {
		return nil, connector.Malformedf("body: more than %d events", maxOutputs)
	}
	call := ""
	if r.verify.IDHeader != "" {
		call = req.Header.Get(r.verify.IDHeader)
	}
	events := make([]chat.Incoming, 0, len(list))
	for i, v := range list {
		id := call
		if call != "" && len(list) > 1 {
			id = fmt.Sprintf("%s#%d", call, i)
		}
		e, err := r.event(ctx, v, in.vars, id)
		if err != nil {
			return nil, connector.Malformedf("event %d: %s", i, err)
		}
		events = append(events, e)
	}
	return events, ctx.Err()
}
