package outbound

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// hookSecret stands before a secret in Base64 (Standard Webhooks, "Signature scheme").
const hookSecret = "whsec_"

// HookKey reads the secret of a hook: whsec_ and Base64, or any text.
func HookKey(secret string) ([]byte, error) {
	text, encoded := strings.CutPrefix(secret, hookSecret)
	if !encoded {
		if secret == "" {
			return nil, errors.New("a hook needs a secret")
		}
		return []byte(secret), nil
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err == nil && len(key) == 0 {
		err = errors.New("the secret is empty")
	}
	return key, err
}

// NewHookSecret makes one.
func NewHookSecret() string {
	raw := make([]byte, 32)
	rand.Read(raw) //nolint:errcheck // never fails
	return hookSecret + base64.StdEncoding.EncodeToString(raw)
}

// SignHook proves a request as Standard Webhooks say: HMAC-SHA-256 over id, time and body. The id is the same whenever the same thing is
// said again.
func SignHook(h http.Header, key []byte, id string, at time.Time, body []byte) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", stamp)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
