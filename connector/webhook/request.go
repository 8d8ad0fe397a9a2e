package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/itchyny/gojq"
	"golang.org/x/net/http/httpguts"

	"github.com/dragoman-hub/dragoman/connector"
)

const (
	defaultTimeout = 15 * time.Second
	maxTimeout     = 120 // seconds
	headerKey      = "Idempotency-Key"
)

// requestVars are what templates of requests know beside their input.
var requestVars = []string{"$secret"}

// host is the beginning that an address must have in plain text: nobody who writes to us may choose the host.
var host = regexp.MustCompile(`^https?://[^/?#{}@\s]+([/?#]|$)`)

// request is a checked requestSpec.
type request struct {
	path    string
	method  string
	url     text
	headers map[string]text
	content string
	body    *shape
	sign    *auth
	judge   judge
	timeout time.Duration
	secret  string // $secret
}

// defaults are what a requestSpec may leave out.
type defaults struct {
	method, url, body string
	sign              *auth
	secret            string
}

func newRequest(path string, spec requestSpec, d defaults) (*request, error) {
	r := &request{path: path, method: strings.ToUpper(spec.Method), sign: d.sign, secret: d.secret, timeout: defaultTimeout}
	if r.method == "" {
		r.method = d.method
	}
	switch r.method {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return nil, connector.Malformedf("%s.method: is %q, must be GET, POST, PUT, PATCH or DELETE", path, spec.Method)
	}
	if spec.Timeout < 0 || spec.Timeout > maxTimeout {
		return nil, connector.Malformedf("%s.timeout: must be 1 to %d seconds", path, maxTimeout)
	}
	if spec.Timeout > 0 {
		r.timeout = time.Duration(spec.Timeout) * time.Second
	}
	steps := []func(requestSpec, defaults) error{r.readURL, r.readHeaders, r.readContent, r.readSign}
	for _, step := range steps {
		if err := step(spec, d); err != nil {
			return nil, err
		}
	}
	var err error
	r.judge, err = newJudge(path, spec)
	return r, err
}

func (r *request) readURL(spec requestSpec, d defaults) error {
	source := spec.URL
	if source == "" {
		source = d.url
	}
	if source == "" {
		return connector.Malformedf("%s.url: missing, and the channel has no url either", r.path)
	}
	plain, _, _ := strings.Cut(source, "{{")
	u, err := url.Parse(plain)
	if err != nil || !host.MatchString(plain) || u.Host == "" || plain != source && !strings.ContainsAny(plain[len("https://"):], "/?") {
		return connector.Malformedf("%s.url: must begin with http:// or https:// and a host in plain text", r.path)
	}
	r.url, err = parseText(r.path+".url", source, requestVars)
	return err
}

func (r *request) readHeaders(spec requestSpec, _ defaults) error {
	r.headers = make(map[string]text, len(spec.Headers))
	for name, source := range spec.Headers {
		path := r.path + ".headers." + name
		if err := checkHeaderName(path, name); err != nil {
			return err
		}
		t, err := parseText(path, source, requestVars)
		if err != nil {
			return err
		}
		r.headers[name] = t
	}
	return nil
}

func (r *request) readContent(spec requestSpec, d defaults) error {
	r.content = spec.Content
	if r.content == "" {
		r.content = "json"
		if r.method == http.MethodGet || r.method == http.MethodDelete && len(spec.Body) == 0 {
			r.content = "none"
		}
	}
	source := spec.Body
	if len(source) == 0 {
		source = json.RawMessage(d.body)
	}
	switch r.content {
	case "none":
		return nil
	case "json", "form", "text":
	default:
		return connector.Malformedf("%s.content: is %q, must be json, form, text or none", r.path, r.content)
	}
	if len(source) == 0 || r.content != "json" && len(spec.Body) == 0 {
		return connector.Malformedf("%s.body: missing", r.path)
	}
	v, err := decodeTemplate(r.path+".body", source)
	if err != nil {
		return err
	}
	if _, isText := v.(string); r.content == "text" && !isText {
		return connector.Malformedf("%s.body: must be a text", r.path)
	}
	r.body, err = parseShape(r.path+".body", v, requestVars)
	return err
}

func (r *request) readSign(spec requestSpec, d defaults) error {
	if spec.Sign == nil {
		return nil
	}
	if spec.Sign.Type == "query" {
		return connector.Malformedf("%s.sign.type: put {{ $secret }} into the url instead of query", r.path)
	}
	var err error
	r.sign, err = newAuth(r.path+".sign", *spec.Sign, d.secret)
	if err == nil && len(r.sign.keys) > 0 && r.sign.hash == nil {
		r.secret = string(r.sign.keys[0])
	}
	return err
}

// build makes the request for an input. id is the same at every repetition.
func (r *request) build(ctx context.Context, input any, id string, now time.Time) (*http.Request, error) {
	vars := map[string]any{"$secret": r.secret}
	address, err := r.url.fill(ctx, input, vars, escape)
	if err != nil {
		return nil, r.unbuilt(err)
	}
	contentType, body, err := r.encode(ctx, input, vars)
	if err != nil {
		return nil, r.unbuilt(err)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, bytes.NewReader(body))
	if err != nil {
		return nil, r.unbuilt(fmt.Errorf("%s.url: no address", r.path)) // err would show the address
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if id != "" {
		req.Header.Set(headerKey, id)
	}
	for name, t := range r.headers {
		value, err := t.fill(ctx, input, vars, nil)
		if err == nil && !httpguts.ValidHeaderFieldValue(value) {
			err = fmt.Errorf("%s.headers.%s: not allowed in a header", r.path, name)
		}
		if err != nil {
			return nil, r.unbuilt(err)
		}
		req.Header.Set(name, value)
	}
	r.sign.sign(req, body, id, now)
	return req, nil
}

// unbuilt: the same input would fail again, unless it was for want of time.
func (r *request) unbuilt(err error) error {
	if errors.Is(err, errSlow) {
		return &connector.Error{Policy: connector.Retry, Code: "slow", Err: err}
	}
	return &connector.Error{Policy: connector.Rejected, Code: "request", Err: err}
}

// escape makes a value safe inside of an address.
func escape(s string) (string, error) {
	if s == "." || s == ".." {
		return "", fmt.Errorf("%q cannot stand in an address", s)
	}
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20"), nil
}

func (r *request) encode(ctx context.Context, input any, vars map[string]any) (contentType string, body []byte, err error) {
	if r.body == nil {
		return "", nil, nil
	}
	values, err := r.body.fill(ctx, input, vars)
	if err != nil {
		return "", nil, err
	}
	if len(values) == 0 {
		return "", nil, fmt.Errorf("%s.body: gives nothing", r.path)
	}
	switch r.content {
	case "form":
		form, err := formOf(values[0])
		return "application/x-www-form-urlencoded", []byte(form.Encode()), err
	case "text":
		return "text/plain; charset=utf-8", []byte(words(values[0])), nil
	default:
		body, err := gojq.Marshal(values[0])
		return "application/json", body, err
	}
}

// formOf turns an object into form fields: a list gives a field several times, null leaves it out.
func formOf(v any) (url.Values, error) {
	o, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("a form must be an object")
	}
	form := url.Values{}
	for k, x := range o {
		list, ok := x.([]any)
		if !ok {
			list = []any{x}
		}
		for _, item := range list {
			if item != nil {
				form.Add(k, words(item))
			}
		}
	}
	return form, nil
}

// do makes the request once and reads the answer.
func (c *channel) do(ctx context.Context, r *request, input any, id string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	req, err := r.build(ctx, input, id, c.env.Now())
	if err != nil {
		return answer{}, err
	}
	said, err := connector.Call(c.client, req)
	if err != nil {
		return answer{}, err
	}
	a := readAnswer(said)
	return a, r.judge.check(ctx, a, c.env.Now())
}
