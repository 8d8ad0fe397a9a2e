package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strings"
	"time"
)

// A signed text is "l1." and, in URL-safe Base64, key id (4 bytes), expiry (8 bytes, Unix seconds), HMAC-SHA-256 (32),
// payload. It is readable by everyone and changeable by nobody.
const (
	signVersion = "l1."
	macSize     = sha256.Size
	signHead    = idSize + 8 + macSize
	signLimit   = 8 << 10 // bytes of a signed text that Verify looks at
)

// ErrSignature says that a signed text was changed, or made for another place or by another key.
var ErrSignature = errors.New("secret: the signature does not hold")

// ErrExpired says that a signed text was good once.
var ErrExpired = errors.New("secret: the signed link has expired")

// Sign makes a text for links. The place says what it is good for ("file/<id>"); expiry is cut to seconds.
func (r *Keyring) Sign(place, payload string, expiry time.Time) string {
	k := r.keys[0]
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(expiry.Unix()))
	raw := make([]byte, 0, signHead+len(payload))
	raw = append(append(raw, k.id[:]...), at[:]...)
	raw = append(append(raw, k.mac(place, at[:], payload)...), payload...)
	return signVersion + encoding().EncodeToString(raw)
}

// Verify gives the payload back. The error is ErrSignature or, for a text that was good, ErrExpired.
func (r *Keyring) Verify(place, signed string, now time.Time) (payload string, err error) {
	text, ok := strings.CutPrefix(signed, signVersion)
	if !ok || len(signed) > signLimit {
		return "", ErrSignature
	}
	raw, err := encoding().DecodeString(text)
	if err != nil || len(raw) < signHead {
		return "", ErrSignature
	}
	k, ok := r.find(raw[:idSize])
	if !ok {
		return "", ErrSignature
	}
	at, mac, payload := raw[idSize:idSize+8], raw[idSize+8:signHead], string(raw[signHead:])
	if !hmac.Equal(mac, k.mac(place, at, payload)) {
		return "", ErrSignature
	}
	if now.Unix() >= int64(binary.BigEndian.Uint64(at)) {
		return "", ErrExpired
	}
	return payload, nil
}

// mac covers the lengths too, so that place and payload cannot flow into one another.
func (k key) mac(place string, at []byte, payload string) []byte {
	h := hmac.New(sha256.New, k.sign)
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(place)))
	for _, part := range [][]byte{[]byte(signVersion), n[:], []byte(place), at, []byte(payload)} {
		h.Write(part)
	}
	return h.Sum(nil)
}
