package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/dragoman-hub/dragoman/connector"
)

// params are the arguments of one method. Structured values go as JSON, in multipart and in queries as JSON text.
type params map[string]any

// answer is the frame around every result. error_code repeats the HTTP status.
type answer struct {
	OK          bool            `json:"ok"`
	Result      json.RawMessage `json:"result"`
	Code        int             `json:"error_code"`
	Description string          `json:"description"`
	Parameters  struct {
		RetryAfter int64 `json:"retry_after"` // seconds
		MigrateTo  int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

// address of a method or, below /file, of a file. It holds the token: it must not reach an error or a log.
func (b *bot) address(parts ...string) *url.URL {
	return b.base.JoinPath(parts...)
}

func (b *bot) method(name string) *url.URL { return b.address("bot"+b.token, name) }

// call asks for an act; its outcome is unsure when the answer is lost. result may be nil.
func (b *bot) call(ctx context.Context, method string, p params, result any) error {
	body, err := json.Marshal(p)
	if err != nil {
		return rejected("bad_parameters", err.Error())
	}
	req, err := b.request(ctx, http.MethodPost, b.method(method), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	return b.do(req, result)
}

// ask asks for information: harmless to repeat.
func (b *bot) ask(ctx context.Context, method string, p params, result any) error {
	_, err := b.askStatus(ctx, method, p, result)
	return err
}

// askStatus tells the HTTP status too; 0 if there was none.
func (b *bot) askStatus(ctx context.Context, method string, p params, result any) (int, error) {
	address := b.method(method)
	query := url.Values{}
	for name, v := range p {
		query.Set(name, formValue(v))
	}
	address.RawQuery = query.Encode()
	req, err := b.request(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return 0, err
	}
	ans, err := connector.Call(b.env.HTTP, req)
	if err != nil {
		return ans.Status, err
	}
	return ans.Status, b.read(req, ans, result)
}

func (b *bot) request(ctx context.Context, method string, address *url.URL, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, "", body)
	if err != nil {
		return nil, rejected("bad_request", err.Error())
	}
	req.URL, req.Host = address, address.Host
	return req, nil
}

func (b *bot) do(req *http.Request, result any) error {
	ans, err := connector.Call(b.env.HTTP, req)
	if err != nil {
		return err
	}
	return b.read(req, ans, result)
}

// read opens the frame. A 200 that cannot be read leaves it open whether the act was done.
func (b *bot) read(req *http.Request, ans connector.Answer, result any) error {
	var a answer
	err := json.Unmarshal(ans.Body, &a)
	if ans.Status != http.StatusOK || (err == nil && !a.OK && a.Code != 0) {
		return b.failure(ans, a)
	}
	if err == nil && a.OK && result != nil {
		err = json.Unmarshal(a.Result, result)
	}
	if err == nil && a.OK {
		return nil
	}
	if req.Method == http.MethodGet {
		return badAnswer(connector.Retry)
	}
	return badAnswer(connector.IsUnsure)
}

func badAnswer(policy connector.Policy) error {
	return &connector.Error{Policy: policy, Code: "bad_answer", Detail: "the answer is not what the Bot API documents"}
}

// formValue writes a parameter for multipart and for queries.
func formValue(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	default:
		raw, err := json.Marshal(v)
		if err != nil { // parameters are plain data
			return ""
		}
		return string(raw)
	}
}
