// Package secret seals what must not be readable at rest, makes and checks API tokens, and signs links.
//
// It holds keys and does cryptography only; it must not know what it protects, and no error or log line of it
// shows a key, a token or a plain text.
package secret

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"
)

// KeySize is the length of a key in bytes.
const KeySize = 32

// ErrSealed says that a sealed value cannot be opened: it was changed, comes from another place, or its key is
// not in the ring.
var ErrSealed = errors.New("secret: sealed value cannot be opened: changed, from another place, or its key is missing")

// Keyring seals with its primary key and opens with any of its keys. It is safe for concurrent use.
type Keyring struct {
	keys []key // the first is the primary
}

// key is what one key is used for. Its id is public: it stands before everything that was sealed or signed with it.
type key struct {
	id   [idSize]byte
	aead cipher.AEAD
	sign []byte
}

const idSize = 4

// NewKeyring makes a ring of keys of KeySize bytes. To rotate, put the new key first and keep the older ones until
// everything has been sealed again.
func NewKeyring(primary []byte, older ...[]byte) (*Keyring, error) {
	var r Keyring
	for _, raw := range append([][]byte{primary}, older...) {
		k, err := newKey(raw)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(r.keys, func(x key) bool { return x.id == k.id }) {
			return nil, errors.New("secret: the same key twice in a ring")
		}
		r.keys = append(r.keys, k)
	}
	return &r, nil
}

// newKey derives one key per purpose, so that sealing and signing never share one.
func newKey(raw []byte) (key, error) {
	if len(raw) != KeySize {
		return key{}, fmt.Errorf("secret: a key has %d bytes, not %d", KeySize, len(raw))
	}
	var k key
	sealing, err1 := hkdf.Key(sha256.New, raw, nil, "dragoman seal 1", KeySize)
	signing, err2 := hkdf.Key(sha256.New, raw, nil, "dragoman sign 1", KeySize)
	id, err3 := hkdf.Key(sha256.New, raw, nil, "dragoman key id 1", idSize)
	if err := errors.Join(err1, err2, err3); err != nil {
		return key{}, err
	}
	aead, err := chacha20poly1305.NewX(sealing)
	if err != nil {
		return key{}, err
	}
	k.aead, k.sign = aead, signing
	copy(k.id[:], id)
	return k, nil
}

func (r *Keyring) find(id []byte) (key, bool) {
	for _, k := range r.keys {
		if string(k.id[:]) == string(id) {
			return k, true
		}
	}
	return key{}, false
}

// Primary names the key that seals now, as hex: what was sealed with another one wants to be sealed again.
func (r *Keyring) Primary() string { return hex.EncodeToString(r.keys[0].id[:]) }

// ParseKey reads a key in Base64, standard or URL-safe, padded or not.
func ParseKey(s string) ([]byte, error) {
	for _, enc := range []*base64.Encoding{
		base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding,
	} {
		if raw, err := enc.DecodeString(s); err == nil && len(raw) == KeySize {
			return raw, nil
		}
	}
	return nil, fmt.Errorf("secret: a key is %d random bytes in Base64 (`openssl rand -base64 %d` makes one)", KeySize, KeySize)
}
