package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/connector"
)

// verify checks an incoming call. It answers ErrUnsigned, whatever is wrong.
func (a *auth) verify(req connector.Request, now time.Time) error {
	ok := false
	switch a.Type {
	case "none":
		ok = true
	case "standard", "hmac":
		ok = a.verifyHMAC(req, now)
	case "bearer":
		scheme, token, _ := strings.Cut(req.Header.Get("Authorization"), " ")
		ok = strings.EqualFold(scheme, "Bearer") && a.matches(strings.TrimSpace(token))
	case "basic":
		user, password, given := (&http.Request{Header: req.Header}).BasicAuth()
		ok = a.matches(password) && given && same(user, a.Username)
	case "header":
		value, found := strings.CutPrefix(req.Header.Get(a.Header), a.Prefix)
		ok = a.matches(value) && found
	case "query":
		ok = req.URL != nil && a.matches(req.URL.Query().Get(a.Name))
	}
	if !ok {
		return connector.ErrUnsigned
	}
	return nil
}

// matches compares with every secret, in constant time.
func (a *auth) matches(given string) bool {
	found := 0
	for _, key := range a.keys {
		if same(given, string(key)) {
			found++
		}
	}
	return found > 0 && given != ""
}

// same compares digests, so that the time does not tell the length either.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func (a *auth) verifyHMAC(req connector.Request, now time.Time) bool {
	id, stamp := req.Header.Get(a.IDHeader), req.Header.Get(a.TimestampHeader)
	if a.IDHeader != "" && id == "" || a.TimestampHeader != "" && !a.fresh(stamp, now) {
		return false
	}
	c := call{method: req.Method, body: req.Body}
	if req.URL != nil {
		c.url = req.URL.String()
	}
	given := strings.Fields(strings.Join(req.Header.Values(a.Header), " "))
	if len(given) > maxSignatures {
		return false
	}
	for _, signature := range given {
		encoded, ok := strings.CutPrefix(signature, a.Prefix)
		if !ok {
			continue
		}
		sum, err := a.decode(encoded)
		if err != nil {
			continue
		}
		for _, key := range a.keys {
			if hmac.Equal(sum, a.sum(key, id, stamp, c)) {
				return true
			}
		}
	}
	return false
}

// fresh tells whether a time stamp, in seconds or milliseconds, is within the tolerance.
func (a *auth) fresh(stamp string, now time.Time) bool {
	n, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || n <= 0 {
		return false
	}
	at := time.Unix(n, 0)
	if n >= 1e11 {
		at = time.UnixMilli(n)
	}
	return now.Sub(at).Abs() <= a.tolerance
}

func (a *auth) decode(s string) ([]byte, error) {
	if a.Encoding == "base64" {
		return decodeBase64(s)
	}
	return hex.DecodeString(s)
}
