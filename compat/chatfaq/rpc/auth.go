package rpc

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/door"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
)

// ScopeWorker is the scope of tokens for workers; admin has it too.
const (
	ScopeWorker = "worker"
	scopeAdmin  = "admin"
)

// tokenTime is how long a revoked token may still be in use.
const tokenTime = 2 * time.Second

// maxToken bounds what is looked up, in bytes.
const maxToken = 200

// Refusals at the handshake that are no faults.
var (
	errScope   = errors.New("the token has not got the scope " + ScopeWorker)
	errTooMany = errors.New("too many sockets with this token")
)

// authenticate finds a token that workers may use, and the hash by which it is found again.
func (s *Server) authenticate(r *http.Request, token string) (t store.Token, hash string, err error) {
	if token == "" || len(token) > maxToken {
		return t, "", door.ErrWrong
	}
	h := secret.HashToken(token)
	hash = hex.EncodeToString(h[:])
	err = s.Door.Look(s.Door.Address(r), hash, func() (err error) {
		t, err = s.verify(r.Context(), hash)
		return err
	})
	return t, hash, err
}

func (s *Server) verify(ctx context.Context, hash string) (store.Token, error) {
	t, err := s.Store.TokenByHash(ctx, hash)
	switch {
	case chat.CodeOf(err) == chat.CodeNotFound:
		return t, door.ErrWrong
	case err != nil:
		return t, err
	case !slices.Contains(t.Scopes, ScopeWorker) && !slices.Contains(t.Scopes, scopeAdmin):
		return t, errScope
	}
	return t, nil
}

// sweep closes the sockets whose tokens are good no longer. A database that is away proves nothing.
func (s *Server) sweep(ctx context.Context) {
	held := map[string][]*socket{}
	s.mu.Lock()
	for c := range s.sockets {
		held[c.hash] = append(held[c.hash], c)
	}
	s.mu.Unlock()
	for hash, sockets := range held {
		if _, err := s.verify(ctx, hash); !errors.Is(err, door.ErrWrong) && !errors.Is(err, errScope) {
			continue
		}
		for _, c := range sockets {
			c.cut(errRevoked)
		}
	}
}

// refuse answers a request that cannot be served.
func refuse(w http.ResponseWriter, err error) {
	status, detail := http.StatusInternalServerError, "something went wrong on our side"
	many, guesses := errors.AsType[*door.TooManyError](err)
	switch {
	case guesses:
		status, detail = http.StatusTooManyRequests, many.Error()
		w.Header().Set("Retry-After", strconv.Itoa(int(many.After.Seconds())+1))
	case errors.Is(err, door.ErrWrong), errors.Is(err, errScope):
		status, detail = http.StatusForbidden, err.Error()
	case errors.Is(err, errTooMany):
		status, detail = http.StatusTooManyRequests, err.Error()
	case chat.CodeOf(err) == chat.CodeUnavailable:
		status, detail = http.StatusServiceUnavailable, "try again"
	}
	answerJSON(w, status, map[string]string{"detail": detail})
}

// caller finds the token of a plain request: "Authorization: Token TOKEN".
func (s *Server) caller(r *http.Request) (store.Token, error) {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Token") && !strings.EqualFold(kind, "Bearer") {
		return store.Token{}, door.ErrWrong
	}
	t, _, err := s.authenticate(r, strings.TrimSpace(token))
	return t, err
}

// login gives the token back that was sent as a password: tokens are made by the hub's own API, and this one is for clients that
// know names and passwords only.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	_, password, ok := r.BasicAuth()
	if !ok {
		password = ""
	}
	t, _, err := s.authenticate(r, password)
	if errors.Is(err, door.ErrWrong) {
		w.Header().Set("WWW-Authenticate", `Basic realm="dragoman"`)
		answerJSON(w, http.StatusUnauthorized, map[string]string{"detail": "The password is an API token with the scope worker: " + err.Error()})
		return
	}
	if err != nil {
		refuse(w, err)
		return
	}
	var expiry *time.Time
	if !t.ExpiresAt.IsZero() {
		expiry = &t.ExpiresAt
	}
	answerJSON(w, http.StatusOK, map[string]any{"expiry": expiry, "token": password})
}

// logout keeps the token, which others may use: it is revoked by the hub's own API.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	if _, err := s.caller(r); err != nil {
		refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
