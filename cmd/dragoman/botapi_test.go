package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The stand-in's token; its file path holds what getFile names.
const (
	botToken = "7100000005:AAE-stand-in-for-the-bot-api"
	botFile  = "photos/file_1.jpg"
)

// botAPI stands for Telegram's Bot API.
type botAPI struct {
	*httptest.Server
	mu       sync.Mutex
	calls    []botCall
	updates  []string // of getUpdates; the first has update_id 1
	news     chan struct{}
	throttle int             // so many sendMessage are answered 429
	blocked  map[string]bool // chats that blocked the bot
	file     []byte
}

type botCall struct {
	method string
	params map[string]any
	at     time.Time
}

func newBotAPI(t testing.TB) *botAPI {
	b := &botAPI{news: make(chan struct{}, 1), blocked: map[string]bool{}}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

func (b *botAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/file/bot"+botToken+"/"+botFile {
		_, _ = w.Write(b.file)
		return
	}
	method, ok := strings.CutPrefix(r.URL.Path, "/bot"+botToken+"/")
	if !ok {
		b.refuse(w, http.StatusNotFound, "Not Found", "")
		return
	}
	params, err := readParams(r)
	if err != nil {
		b.refuse(w, http.StatusBadRequest, "Bad Request: "+err.Error(), "")
		return
	}
	b.mu.Lock()
	b.calls = append(b.calls, botCall{method, params, time.Now()})
	b.mu.Unlock()
	b.answer(w, r, method, params)
}

func readParams(r *http.Request) (map[string]any, error) {
	params := map[string]any{}
	for name, values := range r.URL.Query() {
		params[name] = values[0]
	}
	dec := json.NewDecoder(r.Body)
	dec.UseNumber()
	if err := dec.Decode(&params); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return params, nil
}

func (b *botAPI) answer(w http.ResponseWriter, r *http.Request, method string, params map[string]any) {
	switch method {
	case "sendMessage":
		b.send(w, params)
	case "getFile":
		_, _ = fmt.Fprintf(w, `{"ok":true,"result":{"file_id":%q,"file_unique_id":"u","file_path":%q}}`, params["file_id"], botFile)
	case "getUpdates":
		b.poll(w, r, params)
	case "getMe":
		_, _ = fmt.Fprint(w, `{"ok":true,"result":{"id":7100000005,"is_bot":true,"first_name":"Hub","username":"hub_test_bot"}}`)
	case "getChat":
		_, _ = fmt.Fprintf(w, `{"ok":true,"result":{"id":%s,"type":"private"}}`, params["chat_id"])
	default:
		_, _ = fmt.Fprint(w, `{"ok":true,"result":true}`)
	}
}

func (b *botAPI) send(w http.ResponseWriter, params map[string]any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	chat := fmt.Sprint(params["chat_id"])
	switch {
	case b.throttle > 0:
		b.throttle--
		b.refuse(w, http.StatusTooManyRequests, "Too Many Requests: retry after 1", `,"parameters":{"retry_after":1}`)
	case b.blocked[chat]:
		b.refuse(w, http.StatusForbidden, "Forbidden: bot was blocked by the user", "")
	default:
		_, _ = fmt.Fprintf(w, `{"ok":true,"result":{"message_id":%d,"date":1,"chat":{"id":%s,"type":"private"}}}`, 1000+len(b.calls), chat)
	}
}

func (b *botAPI) refuse(w http.ResponseWriter, code int, words, more string) {
	w.WriteHeader(code)
	_, _ = fmt.Fprintf(w, `{"ok":false,"error_code":%d,"description":%q%s}`, code, words, more)
}

// poll holds the question until there is an update from offset on, as Telegram does.
func (b *botAPI) poll(w http.ResponseWriter, r *http.Request, params map[string]any) {
	offset, _ := strconv.Atoi(fmt.Sprint(params["offset"])) // none is from the beginning
	late := time.After(20 * time.Second)
	for {
		b.mu.Lock()
		from := min(max(offset-1, 0), len(b.updates))
		found := slices.Clone(b.updates[from:])
		b.mu.Unlock()
		if len(found) > 0 {
			_, _ = fmt.Fprintf(w, `{"ok":true,"result":[%s]}`, strings.Join(found, ","))
			return
		}
		select {
		case <-b.news:
		case <-r.Context().Done():
			return
		case <-late:
			_, _ = fmt.Fprint(w, `{"ok":true,"result":[]}`)
			return
		}
	}
}

// say adds an update for getUpdates.
func (b *botAPI) say(from int, text string) {
	b.mu.Lock()
	b.updates = append(b.updates, textUpdate(len(b.updates)+1, from, text))
	b.mu.Unlock()
	select {
	case b.news <- struct{}{}:
	default:
	}
}

// of lists the calls of a method.
func (b *botAPI) of(method string) []botCall {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []botCall
	for _, c := range b.calls {
		if c.method == method {
			out = append(out, c)
		}
	}
	return out
}

// wait waits for the n-th call of a method, counted from 1.
func (b *botAPI) wait(t testing.TB, method string, n int) botCall {
	t.Helper()
	var found botCall
	eventually(t, patience, fmt.Sprintf("call %d of %s", n, method), func() error {
		list := b.of(method)
		if len(list) < n {
			return fmt.Errorf("%d calls", len(list))
		}
		found = list[n-1]
		return nil
	})
	return found
}

// texts lists what was sent to a chat, with or without success.
func (b *botAPI) texts(chat string) []string {
	var out []string
	for _, c := range b.of("sendMessage") {
		if fmt.Sprint(c.params["chat_id"]) == chat {
			out = append(out, fmt.Sprint(c.params["text"]))
		}
	}
	return out
}

func textUpdate(id, from int, text string) string {
	return fmt.Sprintf(`{"update_id":%d,"message":{"message_id":%d,"date":1700000000,"text":%q,
 "from":{"id":%d,"is_bot":false,"first_name":"Robin","language_code":"en"},"chat":{"id":%d,"first_name":"Robin","type":"private"}}}`,
		id, 100+id, text, from, from)
}
