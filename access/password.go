package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/dragoman-hub/dragoman/chat"
)

// Hashing says how hard a password is to guess: argon2id (RFC 9106). The zero value has the defaults that are named here.
type Hashing struct {
	Memory  uint32 // KiB; 65536
	Passes  uint32 // 2
	Lanes   uint8  // 1
	AtOnce  int    // hashings at once, which bounds memory and processors; 2
	Waiting int    // that may wait for their turn, before others are sent away; 50
}

func (h *Hashing) defaults() {
	setDefault(&h.Memory, 64<<10)
	setDefault(&h.Passes, 2)
	setDefault(&h.Lanes, 1)
	setDefault(&h.AtOnce, 2)
	setDefault(&h.Waiting, 50)
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

const (
	saltSize = 16
	hashSize = 32
	// what a stored hash may ask for at the most: one that was planted must not eat the machine
	maxMemory = 1 << 20 // KiB
	maxPasses = 20
)

// hasher makes and checks hashes, a few at a time.
type hasher struct {
	Hashing
	turn  chan struct{}
	queue chan struct{}
	dummy digest // stands for the password of who has none
}

func newHasher(h Hashing) *hasher {
	h.defaults()
	out := &hasher{Hashing: h, turn: make(chan struct{}, h.AtOnce), queue: make(chan struct{}, h.AtOnce+h.Waiting)}
	out.dummy = digest{Memory: h.Memory, Passes: h.Passes, Lanes: h.Lanes, salt: random(saltSize), key: random(hashSize)}
	return out
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// digest is a stored hash, taken apart.
type digest struct {
	Memory, Passes uint32
	Lanes          uint8
	salt, key      []byte
}

func (d digest) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, d.Memory, d.Passes, d.Lanes, b64().EncodeToString(d.salt), b64().EncodeToString(d.key))
}

func b64() *base64.Encoding { return base64.RawStdEncoding.Strict() }

// parseDigest reads what String wrote, as PHC strings are written.
func parseDigest(s string) (d digest, ok bool) {
	parts := strings.Split(s, "$")
	if len(s) > 300 || len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return d, false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &d.Memory, &d.Passes, &d.Lanes); err != nil {
		return d, false
	}
	var err1, err2 error
	d.salt, err1 = b64().DecodeString(parts[4])
	d.key, err2 = b64().DecodeString(parts[5])
	sane := err1 == nil && err2 == nil && len(d.salt) >= 8 && len(d.key) >= 16 && d.Lanes > 0 && d.Passes > 0 && d.Passes <= maxPasses &&
		d.Memory >= 8*uint32(d.Lanes) && d.Memory <= maxMemory
	return d, sane && d.String() == s
}

func (d digest) compute(password string) []byte {
	return argon2.IDKey([]byte(password), d.salt, d.Passes, d.Memory, d.Lanes, uint32(len(d.key))) //nolint:gosec // at most 300 bytes
}

// work waits for its turn and runs f; when too many wait already, or ctx ends, it is not run.
func (h *hasher) work(ctx context.Context, f func()) error {
	select {
	case h.queue <- struct{}{}:
		defer func() { <-h.queue }()
	default:
		return chat.Faultf(chat.CodeUnavailable, "too many sign in at this moment")
	}
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	f()
	return nil
}

// hash makes a stored hash of a new password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	d := digest{Memory: h.Memory, Passes: h.Passes, Lanes: h.Lanes, salt: random(saltSize), key: make([]byte, hashSize)}
	err := h.work(ctx, func() { d.key = d.compute(password) })
	return d.String(), err
}

// matches compares a password with a stored hash. It works as hard when there is no hash as when there is one. stale tells that the
// hash was made with less effort than new ones are.
func (h *hasher) matches(ctx context.Context, password, stored string) (ok, stale bool, err error) {
	d, known := parseDigest(stored)
	if !known {
		d = h.dummy
	}
	if len(password) > maxPassword {
		password, known = "", false
	}
	err = h.work(ctx, func() { ok = subtle.ConstantTimeCompare(d.compute(password), d.key) == 1 })
	stale = d.Memory < h.Memory || d.Passes < h.Passes || len(d.key) < hashSize
	return ok && known, stale, err
}

// The limits of passwords: characters, and bytes, for a long one costs time.
const (
	minPassword = 10
	maxPassword = 256
)

// checkPassword applies the rules for new passwords.
func checkPassword(password, email string) error {
	local, _, _ := strings.Cut(email, "@")
	lower := strings.ToLower(strings.TrimSpace(password))
	switch {
	case !utf8.ValidString(password):
		return chat.Faultf(chat.CodeInvalid, "the password is no text")
	case utf8.RuneCountInString(password) < minPassword:
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("the password has fewer than %d characters", minPassword))
	case len(password) > maxPassword:
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("the password has more than %d bytes", maxPassword))
	case lower == email || lower == local:
		return chat.Faultf(chat.CodeInvalid, "the password is the e-mail address: that is the first thing that others would try")
	case oneCharacter(lower):
		return chat.Faultf(chat.CodeInvalid, "the password is one character again and again")
	default:
		return nil
	}
}

func oneCharacter(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	return strings.Trim(s, string(first)) == ""
}
