package hub_test

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dragoman-hub/dragoman/connector"
)

// botToken is the token of the bots in these tests.
const botToken = "42:SECRETtelegramTOKEN0001"

// botCall is one call of the Bot API.
type botCall struct {
	n      int // counted from 1
	method string
	params map[string]any
	files  map[string]string
}

func (c botCall) text() string { s, _ := c.params["text"].(string); return s }

func (c botCall) chat() string { return fmt.Sprint(c.params["chat_id"]) }

// botAPI stands for Telegram. answer may take a call over: it returns true when it has answered.
type botAPI struct {
	*httptest.Server
	*diary[botCall]
	answer func(c botCall, w http.ResponseWriter, r *http.Request) bool
}

func newBotAPI(t *testing.T, answer func(c botCall, w http.ResponseWriter, r *http.Request) bool) *botAPI {
	api := &botAPI{diary: newDiary[botCall](), answer: answer}
	api.Server = httptest.NewServer(http.HandlerFunc(api.serve))
	t.Cleanup(api.Close)
	return api
}

func (api *botAPI) serve(w http.ResponseWriter, r *http.Request) {
	c := botCall{method: path.Base(r.URL.Path), params: map[string]any{}, files: map[string]string{}}
	if strings.HasPrefix(r.URL.Path, "/file/") {
		c.method = "file"
	}
	readParams(&c, r)
	c.n = len(api.all()) + 1
	api.add(c)
	if api.answer != nil && api.answer(c, w, r) {
		return
	}
	switch c.method {
	case "sendMessage", "sendPhoto", "sendDocument", "editMessageText":
		id, _ := strconv.ParseInt(c.chat(), 10, 64)
		reply(w, http.StatusOK, map[string]any{"ok": true, "result": map[string]any{"message_id": 1000 + c.n, "chat": map[string]any{"id": id}}})
	default:
		reply(w, http.StatusOK, map[string]any{"ok": true, "result": true})
	}
}

func readParams(c *botCall, r *http.Request) {
	kind, opts, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	for name, v := range r.URL.Query() {
		c.params[name] = v[0]
	}
	switch kind {
	case "application/json":
		dec := json.NewDecoder(r.Body)
		dec.UseNumber()
		_ = dec.Decode(&c.params)
	case "multipart/form-data":
		form := multipart.NewReader(r.Body, opts["boundary"])
		for {
			part, err := form.NextPart()
			if err != nil {
				return
			}
			raw, _ := io.ReadAll(part)
			if part.FileName() != "" {
				c.files[part.FormName()] = string(raw)
			} else {
				c.params[part.FormName()] = string(raw)
			}
		}
	}
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// refuse answers as the Bot API does when it will not.
func refuse(w http.ResponseWriter, code int, words string, parameters map[string]any) bool {
	reply(w, code, map[string]any{"ok": false, "error_code": code, "description": words, "parameters": parameters})
	return true
}

// bot are the settings of a Telegram channel at the stand-in.
func (api *botAPI) bot() map[string]any {
	return map[string]any{"token": botToken, "api_base": api.URL, "secret_token": "SECRETtelegramHOOK0001"}
}

// update is a webhook call with one update.
func update(hook string, body any) connector.Request {
	raw := asJSON(body)
	return connector.Request{
		Method: http.MethodPost, Header: http.Header{"X-Telegram-Bot-Api-Secret-Token": {hook}, "Content-Type": {"application/json"}}, Body: raw,
	}
}

// said is an update in which a private chat's person says something.
func said(n, person int64, text string) map[string]any {
	who := map[string]any{"id": person, "is_bot": false, "first_name": "Ann", "language_code": "de"}
	return map[string]any{"update_id": n, "message": map[string]any{
		"message_id": n, "date": 1700000000, "text": text, "from": who, "chat": map[string]any{"id": person, "type": "private", "first_name": "Ann"},
	}}
}

// webAPI stands for any other platform; its calls are counted from 1.
type webAPI struct {
	*httptest.Server
	calls atomic.Int64
}

func newWebAPI(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) *webAPI {
	api := &webAPI{}
	api.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := api.calls.Add(1)
		_, _ = io.Copy(io.Discard, r.Body) // else the server does not notice that the hub has gone
		answer(int(n), w, r)
	}))
	t.Cleanup(api.Close)
	return api
}

func (api *webAPI) count() int { return int(api.calls.Load()) }
