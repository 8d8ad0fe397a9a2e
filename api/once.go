package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"sync"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

const (
	keyHeader      = "Idempotency-Key"
	replayedHeader = "Idempotency-Replayed"
	maxKey         = 200 // bytes of a key
)

// checkKey refuses keys that cannot be kept.
func checkKey(key string) error {
	bad := len(key) > maxKey
	for i := range len(key) {
		bad = bad || key[i] < 0x21 || key[i] > 0x7e
	}
	if bad {
		return invalid(ProblemDetail{"header." + keyHeader, "1 to 200 printable ASCII characters without blanks"})
	}
	return nil
}

// onceName binds a key to the token: two tokens never share a key.
func onceName(who store.Token, key string) string { return who.ID + "/" + key }

// keptAnswer is an answer as it is sealed away.
type keptAnswer struct {
	Type     string `json:"type,omitempty"`
	Location string `json:"location,omitempty"`
	Body     string `json:"body,omitempty"`
}

// once answers a repeated request with the first answer. Requests with the same key wait for one another on this node. Only
// successes are kept: what failed has changed nothing and may be tried again. Messages do not come here: for them the log itself
// knows the key, across crashes and nodes (see sameEvent).
func (a *API) once(w http.ResponseWriter, r *http.Request, who store.Token, body []byte) error {
	key := r.Header.Get(keyHeader)
	if err := checkKey(key); err != nil {
		return err
	}
	name := onceName(who, key)
	release, err := a.locks.hold(r.Context(), name)
	if err != nil {
		return problem(string(chat.CodeConflict), "a request with this key is still under way").retryAfter(1)
	}
	defer release()
	request := fingerprint(r, body)
	if done, err := a.replay(w, r.Context(), who, name, request); done || err != nil {
		return err
	}
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	a.mux.ServeHTTP(rec, r)
	a.keep(r.Context(), who, name, request, rec)
	return nil
}

// fingerprint tells requests apart.
func fingerprint(r *http.Request, body []byte) string {
	h := sha256.New()
	for _, part := range []string{r.Method, r.URL.Path, r.URL.RawQuery} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

func mismatch() *Problem {
	return problem(codeMismatch, "this Idempotency-Key was used for another request: take a new one")
}

// replay writes the kept answer, if there is one.
func (a *API) replay(w http.ResponseWriter, ctx context.Context, who store.Token, name, request string) (bool, error) {
	kept, err := a.Store.Answer(ctx, who.Workspace, name)
	if chat.CodeOf(err) == chat.CodeNotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if kept.Request != request {
		return false, mismatch()
	}
	plain, err := a.Secrets.Open(answerPlace(name), kept.Body)
	if err != nil {
		return false, problem(string(chat.CodeConflict), "this was done before, but its answer cannot be read any more")
	}
	var k keptAnswer
	if err := json.Unmarshal(plain, &k); err != nil {
		return false, err
	}
	h := w.Header()
	h.Set(replayedHeader, "true")
	for name, v := range map[string]string{"Content-Type": k.Type, "Location": k.Location} {
		if v != "" {
			h.Set(name, v)
		}
	}
	w.WriteHeader(kept.Status)
	_, _ = w.Write([]byte(k.Body)) // the client may be gone
	return true, nil
}

func answerPlace(name string) string { return "answer/" + name }

// keep seals a success away. What was done stays done when that fails; a repetition would do it again, so it is logged.
func (a *API) keep(ctx context.Context, who store.Token, name, request string, rec *recorder) {
	if rec.status < 200 || rec.status > 299 {
		return
	}
	plain, err := json.Marshal(keptAnswer{rec.Header().Get("Content-Type"), rec.Header().Get("Location"), string(rec.body)})
	if err == nil {
		err = a.Store.KeepAnswer(context.WithoutCancel(ctx), who.Workspace, name, store.Answer{
			Request: request, Status: rec.status, Body: a.Secrets.Seal(answerPlace(name), plain),
		})
	}
	if err != nil {
		a.Log.ErrorContext(ctx, "api: an answer was not kept for its Idempotency-Key", "err", err)
	}
}

// recorder passes an answer on and remembers it.
type recorder struct {
	http.ResponseWriter
	status int
	body   []byte
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	r.body = append(r.body, b...)
	return r.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// keyLocks let requests with the same key pass one at a time.
type keyLocks struct {
	mu   sync.Mutex
	held map[string]*keyLock
}

type keyLock struct {
	turn  chan struct{} // holds a token while somebody is inside
	users int
}

// hold waits for its turn, or until ctx ends.
func (l *keyLocks) hold(ctx context.Context, name string) (release func(), err error) {
	l.mu.Lock()
	k := l.held[name]
	if k == nil {
		k = &keyLock{turn: make(chan struct{}, 1)}
		l.held[name] = k
	}
	k.users++
	l.mu.Unlock()
	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if k.users--; k.users == 0 {
			delete(l.held, name)
		}
	}
	select {
	case k.turn <- struct{}{}:
		return func() { <-k.turn; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
