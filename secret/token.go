package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"math/big"
	"strings"
)

// base62 is what big.Int writes in base 62.
const (
	base62      = 62
	tokenBytes  = 32
	tokenDigits = 43 // of 32 bytes in base 62
)

// Hash is what is stored of a token. The token has 256 random bits, so a fast hash without salt is enough.
type Hash [sha256.Size]byte

// NewToken makes an API token "<prefix>_<43 characters>" and its hash. The token is shown once and never stored.
func NewToken(prefix string) (token string, hash Hash) {
	raw := make([]byte, tokenBytes)
	rand.Read(raw) //nolint:errcheck // never fails
	digits := new(big.Int).SetBytes(raw).Text(base62)
	token = prefix + "_" + strings.Repeat("0", tokenDigits-len(digits)) + digits
	return token, HashToken(token)
}

// HashToken gives the hash by which a presented token is looked up. A look-up by hash tells a guesser nothing about
// the token by its timing.
func HashToken(token string) Hash { return sha256.Sum256([]byte(token)) }

// Matches compares in constant time.
func (h Hash) Matches(token string) bool {
	got := HashToken(token)
	return subtle.ConstantTimeCompare(h[:], got[:]) == 1
}

// Equal compares two secrets in constant time; only their lengths can be told by timing.
func Equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
