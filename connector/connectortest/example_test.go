package connectortest_test

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/connector/connectortest"
)

// Platform describes Pigeon.
func Platform() connector.Platform {
	return connector.Platform{
		Name: "pigeon", Title: "Pigeon", Open: open,
		Settings: []connector.Setting{
			{Name: "token", Title: "API token", Type: connector.String, Secret: true, Required: true},
			{Name: "secret", Title: "Webhook secret", Type: connector.String, Secret: true, Required: true, Generate: true},
			{Name: "api_base", Title: "Address of the API", Type: connector.String, Default: "https://api.pigeon.example"},
		},
		Traits: connector.Traits{TextLimit: 2000, Elements: []chat.ElementType{chat.Text}},
	}
}

type pigeon struct {
	env connector.Env
	set settings
}

type settings struct {
	Token   string `json:"token"`
	Secret  string `json:"secret"`
	APIBase string `json:"api_base"`
}

func open(_ context.Context, env connector.Env) (connector.Connector, error) {
	p := &pigeon{env: env}
	if err := env.Decode(&p.set); err != nil {
		return nil, err
	}
	if p.set.Token == "" || p.set.Secret == "" {
		return nil, connector.Malformedf("settings: token and secret are needed")
	}
	return p, nil
}

// Receive implements connector.Receiver.
func (p *pigeon) Receive(_ context.Context, req connector.Request) (connector.Delivery, error) {
	if subtle.ConstantTimeCompare([]byte(req.Header.Get("X-Pigeon-Secret")), []byte(p.set.Secret)) != 1 {
		return connector.Delivery{}, connector.ErrUnsigned
	}
	var in struct{ ID, From, Name, Text string }
	if err := json.Unmarshal(req.Body, &in); err != nil || !utf8.Valid(req.Body) || in.ID == "" || in.From == "" {
		return connector.Delivery{}, connector.Malformedf("not a pigeon message")
	}
	if len(in.ID) > 100 {
		return connector.Delivery{}, connector.Malformedf("an id of more than 100 bytes")
	}
	message := chat.TextMessage(in.Text)
	event := chat.Incoming{
		Key: "message:" + in.ID, Kind: chat.KindMessage, ID: in.ID, Message: &message, Raw: req.Body,
		Thread: chat.Thread{Address: in.From}, Sender: chat.Person{Address: in.From, Name: in.Name},
	}
	return connector.Delivery{Events: []chat.Incoming{event}}, nil
}

// Send implements connector.Connector.
func (p *pigeon) Send(ctx context.Context, part connector.Part) (connector.Sent, error) {
	var text chat.TextPayload
	if len(part.Elements) != 1 || part.Elements[0].Into(&text) != nil || text.Content == "" {
		return connector.Sent{}, &connector.Error{Policy: connector.Rejected, Code: "empty"}
	}
	body, err := json.Marshal(map[string]string{"to": part.Thread.Address, "text": text.Content})
	if err != nil {
		return connector.Sent{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.set.APIBase+"/messages", bytes.NewReader(body))
	if err != nil {
		return connector.Sent{}, connector.Malformedf("settings: api_base is no address")
	}
	req.Header.Set("Authorization", "Bearer "+p.set.Token)
	req.Header.Set("Content-Type", "application/json")
	a, err := connector.Call(p.env.HTTP, req)
	if err != nil {
		return connector.Sent{}, err
	}
	if a.Status >= 300 {
		return connector.Sent{}, p.refusal(a)
	}
	var out struct{ ID string }
	if err := json.Unmarshal(a.Body, &out); err != nil {
		return connector.Sent{}, &connector.Error{Policy: connector.IsUnsure, Code: "answer", Err: err}
	}
	return connector.Sent{ID: out.ID}, nil
}

// policies says what Pigeon's statuses mean.
var policies = map[int]connector.Policy{
	http.StatusUnauthorized: connector.Unauthorized, http.StatusNotFound: connector.Gone,
	http.StatusTooManyRequests: connector.Throttled,
}

func (p *pigeon) refusal(a connector.Answer) error {
	policy, ok := policies[a.Status]
	switch {
	case a.Status >= 500:
		policy = connector.Retry
	case !ok:
		policy = connector.Rejected
	}
	return &connector.Error{Policy: policy, Code: strconv.Itoa(a.Status), After: a.RetryAfter(p.env.Now())}
}

func TestPigeon(t *testing.T) {
	connectortest.Run(t, Platform(), "testdata/pigeon", connectortest.WithProof("X-Pigeon-Secret"))
}

// TestTutorial: every example in docs/connectors.md is a piece of what is tested here.
func TestTutorial(t *testing.T) {
	var tested strings.Builder
	paths, err := filepath.Glob("testdata/pigeon/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, "example_test.go") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		tested.Write(data)
	}
	page, err := os.ReadFile("../../docs/connectors.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for i, block := range strings.Split(string(page), "```") {
		_, text, _ := strings.Cut(block, "\n")
		if i%2 == 0 || strings.HasPrefix(block, "sh") {
			continue
		}
		examples++
		if !strings.Contains(tested.String(), text) {
			t.Errorf("this example is not tested:\n%s", text)
		}
	}
	if examples < 5 {
		t.Errorf("%d examples", examples)
	}
}
