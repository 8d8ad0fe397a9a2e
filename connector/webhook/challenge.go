package webhook

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/itchyny/gojq"

	"github.com/dragoman-hub/dragoman/connector"
)

// maxChallenge is the longest answer to a challenge, in bytes.
const maxChallenge = 1024

// challenge answers a platform that wants to see whether the address is ours. A GET is answered before the
// signature is checked, for such calls have none; it changes nothing and only gives back what the caller said.
type challenge struct {
	value, token *program
	secret       string
	contentType  string
}

func newChallenge(spec *challengeSpec, secret string) (*challenge, error) {
	if spec == nil {
		return nil, nil
	}
	c := &challenge{secret: spec.Secret, contentType: spec.ContentType}
	if c.secret == "" {
		c.secret = secret
	}
	switch c.contentType {
	case "":
		c.contentType = "text/plain; charset=utf-8"
	case "text/plain", "text/plain; charset=utf-8", "application/json":
	default:
		return nil, connector.Malformedf("receive.challenge.content_type: must be text/plain or application/json")
	}
	var err error
	if c.value, err = compile("receive.challenge.value", spec.Value, receiveVars); err != nil || spec.Token == "" {
		return c, err
	}
	if c.secret == "" {
		return nil, connector.Malformedf("receive.challenge.secret: missing, but token is compared with it")
	}
	c.token, err = compile("receive.challenge.token", spec.Token, receiveVars)
	return c, err
}

// answer tells whether the call is a challenge, and answers it.
func (c *challenge) answer(ctx context.Context, in input) (connector.Delivery, bool, error) {
	value, err := c.value.one(ctx, in.body, in.vars)
	if err != nil || !truthy(value) {
		return connector.Delivery{}, false, nil // an event, which has no challenge in it
	}
	if c.token != nil {
		token, err := c.token.one(ctx, in.body, in.vars)
		if err != nil || !same(words(token), c.secret) {
			return connector.Delivery{}, true, connector.ErrUnsigned
		}
	}
	text := words(value)
	if len(text) > maxChallenge {
		return connector.Delivery{}, true, connector.Malformedf("challenge above %d bytes", maxChallenge)
	}
	return connector.Delivery{Reply: connector.Reply{ContentType: c.contentType, Body: []byte(text)}}, true, nil
}

// reply is the answer to a call.
type reply struct {
	status      int
	contentType string
	body        *shape
}

func newReply(spec *replySpec) (*reply, error) {
	r := &reply{}
	if spec == nil {
		return r, nil
	}
	r.status, r.contentType = spec.Status, spec.ContentType
	if r.status != 0 && (r.status < 200 || r.status > 299) {
		return nil, connector.Malformedf("receive.reply.status: must be 200 to 299, for the events are stored")
	}
	if len(spec.Body) == 0 {
		return r, nil
	}
	v, err := decodeTemplate("receive.reply.body", spec.Body)
	if err != nil {
		return nil, err
	}
	if r.body, err = parseShape("receive.reply.body", v, receiveVars); err != nil {
		return nil, err
	}
	if r.contentType == "" {
		r.contentType = "application/json"
		if r.body.text != nil {
			r.contentType = "text/plain; charset=utf-8"
		}
	}
	return r, nil
}

func (r *reply) answer(ctx context.Context, in input) (connector.Reply, error) {
	out := connector.Reply{Status: r.status, ContentType: r.contentType}
	if r.status == 0 && r.body != nil {
		out.Status = http.StatusOK
	}
	if r.body == nil {
		return out, nil
	}
	values, err := r.body.fill(ctx, in.body, in.vars)
	if err != nil {
		return out, &connector.Error{Policy: connector.Malformed, Detail: "reply", Err: err}
	}
	if len(values) == 0 {
		return out, nil
	}
	if s, ok := values[0].(string); ok && r.body.text != nil {
		out.Body = []byte(s)
		return out, nil
	}
	out.Body, err = gojq.Marshal(values[0])
	return out, err
}

// decodeTemplate reads the JSON of a template.
func decodeTemplate(path string, raw json.RawMessage) (any, error) {
	if len(raw) > maxBodyTemplate {
		return nil, connector.Malformedf("%s: above %d bytes", path, maxBodyTemplate)
	}
	v, err := decodeJSON(raw)
	if err != nil {
		return nil, connector.Malformedf("%s: not JSON", path)
	}
	return v, nil
}
