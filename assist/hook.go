package assist

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
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/outbound"
)

// CodeHook is for a hook that did not do what it was asked.
const CodeHook chat.Code = "hook_failed"

// The limits of a hook: the address and the answer in bytes, the answer's text in characters.
const (
	maxURL        = 2000
	maxAnswer     = 64 << 10
	maxAnswerText = 4000
	maxWords      = 200 // bytes of a failing hook's own words that are shown
)

// Call is one request to a hook. A repeated call has the same ID, so that the hook does it once.
type Call struct {
	URL     string
	Key     []byte
	ID      string
	At      time.Time
	Timeout time.Duration
	Body    any
}

// Answer is what a hook said: a page to open, words for the agent, fields of the conversation.
type Answer struct {
	URL    string                     `json:"url"`
	Text   string                     `json:"text"`
	Fields map[string]json.RawMessage `json:"fields"`
}

// Ask calls a hook, signed as Standard Webhooks say. The client is a guarded one of package outbound. An error is a *chat.Fault of
// CodeHook, in words that people can use.
func Ask(ctx context.Context, client *http.Client, c Call) (Answer, error) {
	body, err := json.Marshal(c.Body)
	if err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return Answer{}, failed("its address cannot be called")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "Dragoman")
	outbound.SignHook(req.Header, c.Key, c.ID, c.At, body)
	res, err := outbound.Do(client, req)
	if err != nil {
		return Answer{}, failed(why(err, c.Timeout))
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return Answer{}, failed(why(err, c.Timeout))
	case res.StatusCode < 200 || res.StatusCode > 299:
		return Answer{}, failed(fmt.Sprintf("it answered %d %s", res.StatusCode, words(text)))
	case len(text) > maxAnswer:
		return Answer{}, failed(fmt.Sprintf("its answer has more than %d bytes", maxAnswer))
	}
	return readAnswer(text)
}

func failed(detail string) error {
	return chat.Faultf(CodeHook, "the other system's hook failed: "+strings.TrimSpace(detail))
}

func why(err error, limit time.Duration) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, outbound.ErrPrivate):
		return outbound.ErrPrivate.Error()
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("no answer in %s; it may have done it all the same", limit)
	case errors.Is(err, context.Canceled):
		return "the request was cancelled; it may have done it all the same"
	default:
		return "it cannot be reached, or its answer broke off"
	}
}

// words are what can be shown of a failing hook's answer: one line of plain text.
func words(body []byte) string {
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(body[:min(len(body), maxWords)]), "")), " ")
	if strings.HasPrefix(s, "<") {
		return "" // a page
	}
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

// readAnswer reads an object; members that are not ours are left alone. No body at all is an empty answer.
func readAnswer(text []byte) (a Answer, err error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return a, nil
	}
	if err := json.Unmarshal(text, &a); err != nil || !utf8.Valid(text) {
		return Answer{}, failed(`its answer is not like {"url":"...","text":"...","fields":{}}`)
	}
	if a.URL != "" && CheckURL(a.URL) != nil {
		return Answer{}, failed("the url in its answer is not one of http or https")
	}
	if utf8.RuneCountInString(a.Text) > maxAnswerText {
		a.Text = string([]rune(a.Text)[:maxAnswerText])
	}
	return a, nil
}

// CheckURL says what is wrong with the address of a hook.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || len(address) > maxURL || !utf8.ValidString(address) ||
		strings.ContainsFunc(address, func(r rune) bool { return r <= 0x20 }) {
		return fmt.Errorf("an address that begins with https:// or http://, of at most %d bytes and without a password, is wanted", maxURL)
	}
	return nil
}

// Input is something that an agent gives to an action.
type Input struct {
	Name     string   `json:"name" maxLength:"50" pattern:"^[a-z][a-z0-9_]*$" example:"subject"`
	Title    string   `json:"title,omitempty" maxLength:"200"`
	Type     string   `json:"type" enum:"text,number,choice,date,yes_no"`
	Required bool     `json:"required,omitempty"`
	Choices  []string `json:"choices,omitempty" maxItems:"200" nullable:"false"`
}

// CheckInputs says what is wrong with what an agent gives, by name.
func CheckInputs(inputs []Input, given map[string]json.RawMessage) map[string]string {
	wrong := map[string]string{}
	known := map[string]bool{}
	for _, in := range inputs {
		known[in.Name] = true
		value := given[in.Name]
		if IsNull(value) {
			if in.Required {
				wrong[in.Name] = "is required"
			}
			continue
		}
		if err := checkValue(in.Type, in.Choices, value); err != nil {
			wrong[in.Name] = err.Error()
		}
	}
	for name := range given {
		if !known[name] {
			wrong[name] = "there is no such input"
		}
	}
	return wrong
}
