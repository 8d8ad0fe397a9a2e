package api

import (
	"context"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
)

// The scopes of tokens. Admin has all of them.
const (
	ScopeAdmin    = "admin"
	ScopeRead     = "read"
	ScopeWrite    = "write"
	ScopeChannels = "channels"
	ScopeFlows    = "flows"
	ScopeTokens   = "tokens"
	ScopeWorker   = "worker"
)

// scopes says what each one is for, in the order in which they are told.
var scopes = []struct{ name, what string }{
	{ScopeAdmin, "Everything in the token's workspace."},
	{ScopeRead, "Reading conversations, events, contacts, channels and flows."},
	{ScopeWrite, "Writing messages and notes, moving conversations, changing contacts, uploading files, replaying dead letters."},
	{ScopeChannels, "Making, changing and deleting channels."},
	{ScopeFlows, "Storing flows."},
	{ScopeTokens, "Making and revoking tokens with no more scopes than one's own."},
	{ScopeWorker, "Connecting workers that run flows' functions, and storing the flows that they register."},
}

// TokenPrefix is what API tokens begin with.
const TokenPrefix = "drg"

// TokenHash is the form in which the store keeps a token: its hash in hexadecimal.
func TokenHash(token string) string {
	h := secret.HashToken(token)
	return hex.EncodeToString(h[:])
}

// may tells whether a token has a scope.
func may(t store.Token, scope string) bool {
	return scope == "" || slices.Contains(t.Scopes, scope) || slices.Contains(t.Scopes, ScopeAdmin)
}

// party is the caller as the log knows it.
func party(ctx context.Context) chat.Party {
	t := callerOf(ctx)
	return chat.Party{Type: chat.PartyAgent, ID: t.ID, Name: t.Name}
}

// authenticate finds the token. Tokens that were good a moment ago are not looked up again; from an address that presents too many
// wrong ones only tokens that were good before are looked up, for all callers may share one: a proxy's.
func (a *API) authenticate(r *http.Request) (store.Token, error) {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(kind, "Bearer") || token == "" || len(token) > 200 {
		return store.Token{}, unauthorized("give a token: Authorization: Bearer TOKEN", "")
	}
	hash, now, ip := TokenHash(token), a.Now(), a.remoteIP(r)
	if t, ok := a.tokens.find(hash, now); ok {
		return t, nil
	}
	if wait := a.failed.waits(ip, now); wait > 0 && !a.tokens.seen(hash) {
		return store.Token{}, problem(codeThrottled, "too many wrong tokens from your address").retryAfter(wait)
	}
	since := a.tokens.moment()
	t, err := a.Store.TokenByHash(r.Context(), hash)
	if chat.CodeOf(err) == chat.CodeNotFound {
		a.failed.take(ip, now)
		a.tokens.drop(hash)
		return store.Token{}, unauthorized("the token is wrong, revoked or expired", `, error="invalid_token"`)
	}
	if err != nil {
		return store.Token{}, err
	}
	a.tokens.keep(hash, t, now, since)
	return t, nil
}

func unauthorized(detail, more string) *Problem {
	return problem(codeUnauthorized, detail).with("WWW-Authenticate", `Bearer realm="dragoman"`+more)
}

// How long a verified token is believed, and how many are remembered.
const (
	tokenTime  = 5 * time.Second
	tokenLimit = 10_000
)

// tokenCache remembers verified tokens. On other nodes a revocation thus counts after tokenTime at the latest.
type tokenCache struct {
	mu      sync.Mutex
	known   map[string]knownToken // by hash
	revoked int64                 // counts revocations
}

type knownToken struct {
	token store.Token
	until time.Time
}

func newTokenCache() *tokenCache { return &tokenCache{known: map[string]knownToken{}} }

func (c *tokenCache) find(hash string, now time.Time) (store.Token, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.known[hash]
	if !ok || !now.Before(k.until) || !k.token.ExpiresAt.IsZero() && !now.Before(k.token.ExpiresAt) {
		return store.Token{}, false
	}
	return k.token, true
}

// seen tells whether a token was good once, as far as is remembered.
func (c *tokenCache) seen(hash string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.known[hash]
	return ok
}

// drop is for a token that is good no longer.
func (c *tokenCache) drop(hash string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.known, hash)
}

// moment is handed to keep: what was read before a revocation must not be kept after it.
func (c *tokenCache) moment() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.revoked
}

func (c *tokenCache) keep(hash string, t store.Token, now time.Time, since int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.revoked != since {
		return
	}
	if len(c.known) >= tokenLimit {
		clear(c.known)
	}
	c.known[hash] = knownToken{t, now.Add(tokenTime)}
}

// forget is called after a revocation.
func (c *tokenCache) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revoked++
	for hash, k := range c.known {
		if k.token.ID == id {
			delete(c.known, hash)
		}
	}
}
