package access

import (
	"context"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
)

// Settings are what an operator may choose. The zero value is usable.
type Settings struct {
	Hashing  Hashing
	Idle     time.Duration // after which an unused session is over; 12 h
	Life     time.Duration // after which any session is over; 7 days
	LinkTime time.Duration // for which a link to set a password is good; 48 h
	OIDC     OIDC
	HTTP     *http.Client // for the OpenID provider; guarded, as package outbound makes it
	Queues   Queues       // nil: nobody has any
}

// Queues knows whose queues are whose.
type Queues interface {
	// QueuesOf lists the names of the queues that a user is a member of.
	QueuesOf(ctx context.Context, ws chat.WorkspaceID, user string) ([]string, error)
}

// Sealer keeps secrets at rest; *secret.Keyring is one.
type Sealer interface {
	Seal(place string, plain []byte) string
	Open(place, sealed string) ([]byte, error)
}

// Options are what a Gate needs.
type Options struct {
	Settings
	Store   *store.Store
	Secrets Sealer
	Now     func() time.Time
	Log     *slog.Logger
}

// Gate knows the users and lets them in. It is safe for concurrent use.
type Gate struct {
	o        Options
	hasher   *hasher
	throttle *throttle
	provider provider
}

// New makes a gate.
func New(o Options) *Gate {
	setDefault(&o.Idle, 12*time.Hour)
	setDefault(&o.Life, 7*24*time.Hour)
	setDefault(&o.LinkTime, 48*time.Hour)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Gate{o: o, hasher: newHasher(o.Hashing), throttle: newThrottle(), provider: provider{turn: make(chan struct{}, 1)}}
}

// The prefixes of what users are given.
const (
	sessionPrefix = "drs"
	linkPrefix    = "drl"
)

// tokenDigits is the length of a token behind its prefix.
const tokenDigits = 43

// hashOf reads a token of ours and gives the form in which it is stored; "" for what cannot be one.
func hashOf(prefix, token string) string {
	rest, ok := strings.CutPrefix(token, prefix+"_")
	if !ok || len(rest) != tokenDigits {
		return ""
	}
	for i := range len(rest) {
		c := rest[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return ""
		}
	}
	h := secret.HashToken(token)
	return hex.EncodeToString(h[:])
}

func newToken(prefix string) (token, hash string) {
	token, h := secret.NewToken(prefix)
	return token, hex.EncodeToString(h[:])
}

// workspace is the one that is meant when none is named: the first, whose people run this installation.
func (g *Gate) workspace(ctx context.Context, named chat.WorkspaceID) (chat.WorkspaceID, error) {
	if named != "" {
		return named, nil
	}
	all, err := g.o.Store.Workspaces(ctx)
	if err != nil || len(all) == 0 {
		return "", err
	}
	return all[0].ID, nil
}
