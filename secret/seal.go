package secret

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// A sealed value is text: "s1." and, in URL-safe Base64, key id (4 bytes), nonce (24) and XChaCha20-Poly1305
// ciphertext. The version and the place are authenticated with it.
const sealVersion = "s1."

// encoding is strict, so that one value has one text.
func encoding() *base64.Encoding { return base64.RawURLEncoding.Strict() }

// Seal encrypts plain with the primary key. The place says where the value is kept ("channel/<id>/settings"): moved
// elsewhere, it does not open. An attacker who can write the table thus cannot swap secrets.
func (r *Keyring) Seal(place string, plain []byte) string {
	k := r.keys[0]
	box := make([]byte, idSize+chacha20poly1305.NonceSizeX, idSize+chacha20poly1305.NonceSizeX+len(plain)+k.aead.Overhead())
	copy(box, k.id[:])
	nonce := box[idSize:]
	rand.Read(nonce) //nolint:errcheck // never fails: crypto/rand ends the program instead
	return sealVersion + encoding().EncodeToString(k.aead.Seal(box, nonce, plain, []byte(sealVersion+place)))
}

// Open is the way back, with any key of the ring. The error is ErrSealed.
func (r *Keyring) Open(place, sealed string) ([]byte, error) {
	box, ok := unpack(sealed)
	if !ok {
		return nil, ErrSealed
	}
	k, ok := r.find(box[:idSize])
	if !ok {
		return nil, ErrSealed
	}
	nonce, text := box[idSize:idSize+chacha20poly1305.NonceSizeX], box[idSize+chacha20poly1305.NonceSizeX:]
	plain, err := k.aead.Open(nil, nonce, text, []byte(sealVersion+place))
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

// Stale tells whether a sealed value was not sealed with the primary key (Keyring.Primary), so that it should be
// opened and sealed again.
func (r *Keyring) Stale(sealed string) bool {
	box, ok := unpack(sealed)
	return !ok || hex.EncodeToString(box[:idSize]) != r.Primary()
}

func unpack(sealed string) ([]byte, bool) {
	text, ok := strings.CutPrefix(sealed, sealVersion)
	if !ok {
		return nil, false
	}
	box, err := encoding().DecodeString(text)
	return box, err == nil && len(box) >= idSize+chacha20poly1305.NonceSizeX+chacha20poly1305.Overhead
}
