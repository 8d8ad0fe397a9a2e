package connectortest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// flaw is a fault that is planted in the parrot; sound is none.
type flaw string

const (
	sound            flaw = "sound"
	acceptsUnsigned  flaw = "accepts unsigned"
	ignoresBody      flaw = "signature does not cover the body"
	panicsOnCut      flaw = "panics on a cut body"
	halfEvents       flaw = "gives the events that it could read"
	emptyKeys        flaw = "takes an event without an id"
	randomKeys       flaw = "random keys"
	remembers        flaw = "remembers what it received"
	retriesItself    flaw = "retries itself"
	throttledAsRetry flaw = "takes 429 for retry"
	lostAsRetry      flaw = "takes a lost answer for surely not done"
	leaksInError     flaw = "shows the token in an error"
	leaksInLog       flaw = "shows the token in the log"
	cursorTooEarly   flaw = "moves the cursor before emit"
	cursorAnyway     flaw = "moves the cursor when emit fails"
	ignoresContext   flaw = "ignores the context in Listen"
	claimsTyping     flaw = "claims a trait that it lacks"
	claimsLocation   flaw = "claims an element that no transcript sends"
	callsElsewhere   flaw = "calls a foreign host"
	asksInReceive    flaw = "makes a request in Receive"
	opensAnything    flaw = "takes unknown settings"
	opensWithout     flaw = "takes settings without the token"
	openToken        flaw = "does not mark its token as secret"
	panicsOnEmpty    flaw = "panics on an empty payload"
	readsFirst       flaw = "reads the body before the signature"
	firstValueOnly   flaw = "does not look behind the first JSON value"
	anyBytes         flaw = "takes text that is not UTF-8"
	leaksLink        flaw = "shows a signed link in the log"
	endsEarly        flaw = "listens once"
	sharesState      flaw = "keeps the part in the connector"
	forgetsKey       flaw = "does not send its idempotency key"
)

// parrotPlatform is a small made-up platform with one flaw.
func parrotPlatform(f flaw) connector.Platform {
	p := connector.Platform{
		Name: "parrot", Title: "Parrot",
		Settings: []connector.Setting{
			{Name: "token", Title: "Token", Type: connector.String, Secret: f != openToken, Required: true},
			{Name: "secret", Title: "Webhook secret", Type: connector.String, Secret: true, Required: true, Generate: true},
			{Name: "api_base", Title: "Address", Type: connector.String, Default: "https://api.parrot.example"},
		},
		Traits: connector.Traits{
			TextLimit: 100, Elements: []chat.ElementType{chat.Text, chat.Image}, Album: 4, TypingFor: 5 * time.Second,
			Media:      map[chat.ElementType]connector.MediaTrait{chat.Image: {MaxBytes: 1 << 20, ByURL: true, Upload: true}},
			Idempotent: true, Receipts: []chat.Status{chat.Read},
		},
	}
	if f == claimsLocation {
		p.Traits.Elements = append(p.Traits.Elements, chat.Location)
	}
	p.Open = func(_ context.Context, env connector.Env) (connector.Connector, error) { return openParrot(env, f) }
	return p
}

type parrotSettings struct {
	Token   string `json:"token"`
	Secret  string `json:"secret"`
	APIBase string `json:"api_base"`
}

type parrot struct {
	env   connector.Env
	set   parrotSettings
	flaw  flaw
	count atomic.Int64
}

// talkative is a parrot that can show that it types.
type talkative struct{ *parrot }

func openParrot(env connector.Env, f flaw) (connector.Connector, error) {
	p := &parrot{env: env, flaw: f}
	err := env.Decode(&p.set)
	if f == opensAnything {
		err = json.Unmarshal(env.Settings, &p.set)
	}
	if err != nil {
		return nil, err
	}
	if (p.set.Token == "" && f != opensWithout) || p.set.Secret == "" {
		return nil, connector.Malformedf("settings: token and secret are needed")
	}
	if f == claimsTyping {
		return p, nil
	}
	return talkative{p}, nil
}

// parrotItem is a message, or a receipt if Read is there.
type parrotItem struct {
	ID   int64  `json:"id"`
	From string `json:"from"`
	Text string `json:"text"`
	Read string `json:"read"`

	raw json.RawMessage
}

// UnmarshalJSON keeps the item as it came.
func (i *parrotItem) UnmarshalJSON(raw []byte) error {
	type plain parrotItem
	if err := json.Unmarshal(raw, (*plain)(i)); err != nil {
		return err
	}
	i.raw = bytes.Clone(raw)
	return nil
}

func (p *parrot) item(i parrotItem) (chat.Incoming, error) {
	if (i.ID <= 0 && p.flaw != emptyKeys) || i.From == "" {
		return chat.Incoming{}, connector.Malformedf("item without id or sender")
	}
	e := chat.Incoming{Key: strconv.FormatInt(i.ID, 10), Thread: chat.Thread{Address: i.From}, Sender: chat.Person{Address: i.From}}
	switch {
	case p.flaw == randomKeys:
		e.Key = chat.NewID()
	case p.flaw == emptyKeys && i.ID <= 0:
		e.Key = ""
	}
	if i.Read != "" {
		e.Kind, e.Status, e.Target = chat.KindReceipt, chat.Read, i.Read
		return e, nil
	}
	m := chat.TextMessage(i.Text)
	e.Raw = i.raw
	e.Kind, e.ID, e.Message = chat.KindMessage, e.Key, &m
	return e, nil
}

func (p *parrot) items(list []parrotItem) ([]chat.Incoming, error) {
	var events []chat.Incoming
	for _, i := range list {
		e, err := p.item(i)
		if err != nil && p.flaw == halfEvents {
			return events, err
		}
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}

// Receive implements connector.Receiver.
func (p *parrot) Receive(ctx context.Context, req connector.Request) (connector.Delivery, error) {
	if p.flaw == readsFirst && !json.Valid(req.Body) {
		return connector.Delivery{}, connector.Malformedf("body: not JSON")
	}
	signed := req.Body
	if p.flaw == ignoresBody {
		signed = nil
	}
	ok := hmac.Equal([]byte(req.Header.Get("X-Parrot-Signature")), []byte(parrotSignature(p.set.Secret, signed)))
	if p.flaw != acceptsUnsigned && !ok {
		return connector.Delivery{}, connector.ErrUnsigned
	}
	if p.flaw == asksInReceive {
		_, _ = p.call(ctx, http.MethodGet, "/me", nil, "")
	}
	if p.flaw == panicsOnCut && bytes.Count(req.Body, []byte("}")) != bytes.Count(req.Body, []byte("{")) {
		panic("no end")
	}
	if p.flaw != anyBytes && !utf8.Valid(req.Body) {
		return connector.Delivery{}, connector.Malformedf("body: not UTF-8")
	}
	var in struct{ Items []parrotItem }
	read := json.Unmarshal
	if p.flaw == firstValueOnly {
		read = func(body []byte, v any) error { return json.NewDecoder(bytes.NewReader(body)).Decode(v) }
	}
	if err := read(req.Body, &in); err != nil {
		return connector.Delivery{}, connector.Malformedf("body: %v", err)
	}
	events, err := p.items(in.Items)
	if p.flaw == remembers && p.count.Add(1) > 1 {
		events = nil
	}
	return connector.Delivery{Events: events}, err
}

func parrotSignature(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func parrotSigner(f flaw) Signer {
	return func(settings json.RawMessage, req *connector.Request) {
		var set parrotSettings
		if json.Unmarshal(settings, &set) != nil {
			return
		}
		signed := req.Body
		if f == ignoresBody {
			signed = nil
		}
		req.Header.Set("X-Parrot-Signature", parrotSignature(set.Secret, signed))
	}
}

// Listen implements connector.Listener.
func (p *parrot) Listen(ctx context.Context, emit func(context.Context, []chat.Incoming) error) error {
	if p.flaw == ignoresContext {
		ctx = context.WithoutCancel(ctx)
	}
	for {
		after, err := p.env.Notes.Load(ctx, "after")
		if err != nil {
			return err
		}
		a, err := p.call(ctx, http.MethodGet, "/poll?after="+string(after), nil, "")
		if err != nil {
			return err
		}
		var in struct{ Items []parrotItem }
		if err := json.Unmarshal(a.Body, &in); err != nil {
			return &connector.Error{Policy: connector.Retry, Code: "answer", Err: err}
		}
		if err := p.hand(ctx, in.Items, emit); err != nil || p.flaw == endsEarly {
			return err
		}
	}
}

func (p *parrot) hand(ctx context.Context, items []parrotItem, emit func(context.Context, []chat.Incoming) error) error {
	events, err := p.items(items)
	if err != nil || len(events) == 0 {
		return err
	}
	next := []byte(strconv.FormatInt(items[len(items)-1].ID, 10))
	if p.flaw == cursorTooEarly {
		if err := p.env.Notes.Save(ctx, "after", next); err != nil {
			return err
		}
	}
	if err := emit(ctx, events); err != nil && p.flaw != cursorAnyway {
		return err
	}
	return p.env.Notes.Save(ctx, "after", next)
}

// Send implements connector.Connector.
func (p *parrot) Send(ctx context.Context, part connector.Part) (connector.Sent, error) {
	body := map[string]any{"to": part.Thread.Address, "key": part.Key}
	if p.flaw == forgetsKey {
		delete(body, "key")
	}
	if len(part.Elements) == 0 {
		return connector.Sent{}, connector.Malformedf("nothing to send")
	}
	if p.flaw == leaksInLog {
		p.env.Log.Debug("sending", "token", p.set.Token)
	}
	if part.Elements[0].Type == chat.Text {
		var text chat.TextPayload
		err := part.Elements[0].Into(&text)
		if p.flaw == panicsOnEmpty && text.Content == "" {
			panic("no text")
		}
		if err != nil || text.Content == "" {
			return connector.Sent{}, &connector.Error{Policy: connector.Rejected, Code: "empty"}
		}
		body["text"] = text.Content
		if p.flaw == sharesState {
			body["n"] = p.count.Add(1)
		}
		return p.say(ctx, body)
	}
	var images []string
	for _, e := range part.Elements {
		image, err := p.image(ctx, part, e)
		if err != nil {
			return connector.Sent{}, err
		}
		images = append(images, image)
	}
	body["images"] = images
	return p.say(ctx, body)
}

// image answers the name of an image: its address, or what the upload answered.
func (p *parrot) image(ctx context.Context, part connector.Part, e chat.Element) (string, error) {
	var m chat.Media
	if e.Into(&m) != nil || (m.URL == "" && m.File == "") {
		return "", &connector.Error{Policy: connector.Rejected, Code: "empty"}
	}
	if m.File == "" {
		return m.URL, nil
	}
	stored, ok := part.Media[m.File]
	if p.flaw == leaksLink {
		p.env.Log.Debug("uploading", "from", stored.URL)
	}
	if !ok {
		return "", &connector.Error{Policy: connector.Rejected, Code: "no_file"}
	}
	var buf bytes.Buffer
	form := multipart.NewWriter(&buf)
	file, err := form.CreateFormFile("file", stored.Name)
	if err != nil {
		return "", err
	}
	in, err := stored.Open(ctx)
	if err != nil {
		return "", err
	}
	defer in.Close()
	if _, err := io.Copy(file, in); err != nil {
		return "", err
	}
	if err := form.Close(); err != nil {
		return "", err
	}
	a, err := p.call(ctx, http.MethodPost, "/upload", buf.Bytes(), form.FormDataContentType())
	if err != nil {
		return "", err
	}
	var out struct{ File string }
	if err := json.Unmarshal(a.Body, &out); err != nil || out.File == "" {
		return "", &connector.Error{Policy: connector.Retry, Code: "answer", Err: err}
	}
	return out.File, nil
}

func (p *parrot) say(ctx context.Context, body map[string]any) (connector.Sent, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return connector.Sent{}, err
	}
	a, err := p.call(ctx, http.MethodPost, "/say", raw, "application/json")
	if p.flaw == retriesItself && err != nil {
		a, err = p.call(ctx, http.MethodPost, "/say", raw, "application/json")
	}
	if err != nil {
		return connector.Sent{}, err
	}
	var out struct{ ID int64 }
	if err := json.Unmarshal(a.Body, &out); err != nil || out.ID == 0 {
		return connector.Sent{}, &connector.Error{Policy: connector.IsUnsure, Code: "answer", Err: err}
	}
	return connector.Sent{ID: strconv.FormatInt(out.ID, 10)}, nil
}

// call makes one request and maps its status.
func (p *parrot) call(ctx context.Context, method, path string, body []byte, kind string) (connector.Answer, error) {
	base := p.set.APIBase
	if p.flaw == callsElsewhere && path == "/say" {
		base = "https://stats.example"
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(base, "/")+path, bytes.NewReader(body))
	if err != nil {
		return connector.Answer{}, connector.Malformedf("settings: api_base")
	}
	req.Header.Set("Authorization", "Bearer "+p.set.Token)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	a, err := connector.Call(p.env.HTTP, req)
	if err != nil {
		if p.flaw == lostAsRetry {
			err = &connector.Error{Policy: connector.Retry, Err: err}
		}
		return a, err
	}
	return a, p.status(a)
}

func (p *parrot) status(a connector.Answer) error {
	e := &connector.Error{Code: strconv.Itoa(a.Status)}
	switch {
	case a.Status < 300:
		return nil
	case a.Status == http.StatusUnauthorized:
		e.Policy = connector.Unauthorized
		if p.flaw == leaksInError {
			e.Detail = "bad token " + p.set.Token
		}
	case a.Status == http.StatusTooManyRequests:
		e.Policy, e.After = connector.Throttled, a.RetryAfter(p.env.Now())
		if p.flaw == throttledAsRetry {
			e.Policy = connector.Retry
		}
	case a.Status >= 500:
		e.Policy = connector.Retry
	default:
		e.Policy = connector.Rejected
	}
	return e
}

// Typing implements connector.Typer.
func (p talkative) Typing(ctx context.Context, thread chat.Thread, _ string) error {
	raw, err := json.Marshal(map[string]string{"to": thread.Address})
	if err != nil {
		return err
	}
	_, err = p.call(ctx, http.MethodPost, "/typing", raw, "application/json")
	return err
}

// Check implements connector.Checker.
func (p *parrot) Check(ctx context.Context) (string, error) {
	a, err := p.call(ctx, http.MethodGet, "/me", nil, "")
	return "parrot " + strings.TrimSpace(string(a.Body)), err
}
