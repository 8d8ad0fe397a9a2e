package webhook

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // some platforms sign with HMAC-SHA1, which is not broken
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/dragoman-hub/dragoman/connector"
)

// The names of Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
	secretPrefix    = "whsec_"
)

const (
	defaultTolerance = 5 * time.Minute
	maxSignatures    = 16 // that one call may carry
	maxSecrets       = 8
)

// authSpec says how a request proves where it comes from, the same words for both directions.
type authSpec struct {
	Type            string   `json:"type"` // standard, hmac, bearer, basic, header, query, none
	Secret          string   `json:"secret"`
	Secrets         []string `json:"secrets"`         // while a secret is changed: any of them verifies, all of them sign
	SecretEncoding  string   `json:"secret_encoding"` // auto, text, base64, hex
	Username        string   `json:"username"`        // basic
	Name            string   `json:"name"`            // query: of the parameter
	Header          string   `json:"header"`          // hmac, header
	Prefix          string   `json:"prefix"`          // hmac, header: before the value
	Encoding        string   `json:"encoding"`        // hmac: hex, base64
	Algorithm       string   `json:"algorithm"`       // hmac: sha1, sha256, sha512
	Signed          string   `json:"signed"`          // hmac: what is signed, of {id} {timestamp} {method} {url} {body}
	IDHeader        string   `json:"id_header"`       // hmac
	TimestampHeader string   `json:"timestamp_header"`
	Tolerance       int      `json:"tolerance"` // seconds
}

// auth is a checked authSpec.
type auth struct {
	authSpec
	keys      [][]byte
	hash      func() hash.Hash
	tolerance time.Duration
}

// call is the part of a request that a signature is about.
type call struct {
	method, url string
	body        []byte
}

var algorithms = map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}

// newAuth checks a spec at a path; secret is the channel's, for a spec that has none of its own.
func newAuth(path string, spec authSpec, secret string) (*auth, error) {
	if spec.Type == "standard" {
		spec.Header, spec.Prefix, spec.Encoding, spec.Algorithm = headerSignature, "v1,", "base64", "sha256"
		spec.Signed, spec.IDHeader, spec.TimestampHeader = "{id}.{timestamp}.{body}", headerID, headerTimestamp
	}
	a := &auth{authSpec: spec, tolerance: defaultTolerance}
	if spec.Tolerance < 0 {
		return nil, connector.Malformedf("%s.tolerance: below zero", path)
	}
	if spec.Tolerance > 0 {
		a.tolerance = time.Duration(spec.Tolerance) * time.Second
	}
	if err := a.checkType(path); err != nil || spec.Type == "none" {
		return a, err
	}
	return a, a.readKeys(path, secret)
}

// checkType checks what each type needs, and fills in the defaults.
func (a *auth) checkType(path string) error {
	switch a.Type {
	case "none", "bearer":
		return nil
	case "basic":
		if a.Username == "" {
			return connector.Malformedf("%s.username: missing", path)
		}
		return nil
	case "query":
		if a.Name == "" {
			return connector.Malformedf("%s.name: missing: the parameter that holds the secret", path)
		}
		return nil
	case "header":
		return checkHeaderName(path+".header", a.Header)
	case "standard", "hmac":
		return a.checkHMAC(path)
	default:
		return connector.Malformedf("%s.type: is %q, must be standard, hmac, bearer, basic, header, query or none", path, a.Type)
	}
}

func (a *auth) checkHMAC(path string) error {
	if a.Header == "" {
		a.Header = "X-Signature"
	}
	if err := checkHeaderName(path+".header", a.Header); err != nil {
		return err
	}
	for _, x := range []struct{ field, value, part string }{
		{"id_header", a.IDHeader, "{id}"}, {"timestamp_header", a.TimestampHeader, "{timestamp}"},
	} {
		if x.value == "" && strings.Contains(a.Signed, x.part) {
			return connector.Malformedf("%s.%s: missing, but %s is signed", path, x.field, x.part)
		}
		if x.value != "" {
			if err := checkHeaderName(path+"."+x.field, x.value); err != nil {
				return err
			}
		}
	}
	if a.Signed == "" {
		a.Signed = "{body}"
	}
	if a.Algorithm == "" {
		a.Algorithm = "sha256"
	}
	if a.hash = algorithms[a.Algorithm]; a.hash == nil {
		return connector.Malformedf("%s.algorithm: is %q, must be sha1, sha256 or sha512", path, a.Algorithm)
	}
	switch a.Encoding {
	case "":
		a.Encoding = "hex"
	case "hex", "base64":
	default:
		return connector.Malformedf("%s.encoding: is %q, must be hex or base64", path, a.Encoding)
	}
	return nil
}

func (a *auth) readKeys(path, secret string) error {
	secrets := a.Secrets
	if a.Secret != "" {
		secrets = append([]string{a.Secret}, secrets...)
	}
	if len(secrets) == 0 && secret != "" {
		secrets = []string{secret}
	}
	if len(secrets) == 0 {
		return connector.Malformedf("%s.secret: missing, and the channel has no secret either", path)
	}
	if len(secrets) > maxSecrets {
		return connector.Malformedf("%s.secrets: more than %d", path, maxSecrets)
	}
	for _, s := range secrets {
		key, err := a.key(s)
		if err != nil || len(key) == 0 {
			return connector.Malformedf("%s.secret: empty, or not in the form that secret_encoding tells", path)
		}
		a.keys = append(a.keys, key)
	}
	return nil
}

// key reads a secret. Only signatures have encoded keys; a password is what it is.
func (a *auth) key(secret string) ([]byte, error) {
	if a.hash == nil {
		return []byte(secret), nil
	}
	switch encoded, standard := strings.CutPrefix(secret, secretPrefix); {
	case a.SecretEncoding == "base64":
		return decodeBase64(encoded)
	case a.SecretEncoding == "hex":
		return hex.DecodeString(secret)
	case a.SecretEncoding == "" && standard, a.SecretEncoding == "auto" && standard:
		return decodeBase64(encoded)
	case a.SecretEncoding == "" || a.SecretEncoding == "auto" || a.SecretEncoding == "text":
		return []byte(secret), nil
	default:
		return nil, connector.Malformedf("unknown encoding")
	}
}

// decodeBase64 takes both alphabets, padded or not.
func decodeBase64(s string) ([]byte, error) {
	s = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	return base64.RawStdEncoding.DecodeString(s)
}

// sum is the signature over what Signed names. {body} is put in last by position, so that a body cannot
// hold placeholders.
func (a *auth) sum(key []byte, id, stamp string, c call) []byte {
	mac := hmac.New(a.hash, key)
	fields := strings.NewReplacer("{id}", id, "{timestamp}", stamp, "{method}", c.method, "{url}", c.url)
	for i, plain := range strings.Split(a.Signed, "{body}") {
		if i > 0 {
			mac.Write(c.body)
		}
		mac.Write([]byte(fields.Replace(plain)))
	}
	return mac.Sum(nil)
}

// sign proves an outgoing request. id is the same at every repetition of a request.
func (a *auth) sign(req *http.Request, body []byte, id string, now time.Time) {
	switch a.Type {
	case "standard", "hmac":
		stamp := strconv.FormatInt(now.Unix(), 10)
		if a.IDHeader != "" {
			req.Header.Set(a.IDHeader, id)
		}
		if a.TimestampHeader != "" {
			req.Header.Set(a.TimestampHeader, stamp)
		}
		c := call{method: req.Method, url: req.URL.String(), body: body}
		signatures := make([]string, len(a.keys))
		for i, key := range a.keys {
			signatures[i] = a.Prefix + a.encode(a.sum(key, id, stamp, c))
		}
		req.Header.Set(a.Header, strings.Join(signatures, " "))
	case "bearer":
		req.Header.Set("Authorization", "Bearer "+string(a.keys[0]))
	case "basic":
		req.SetBasicAuth(a.Username, string(a.keys[0]))
	case "header":
		req.Header.Set(a.Header, a.Prefix+string(a.keys[0]))
	}
}

func (a *auth) encode(sum []byte) string {
	if a.Encoding == "base64" {
		return base64.StdEncoding.EncodeToString(sum)
	}
	return hex.EncodeToString(sum)
}

// ownHeaders belong to the HTTP client.
var ownHeaders = map[string]bool{
	"Host": true, "Content-Length": true, "Transfer-Encoding": true, "Connection": true, "Trailer": true, "Upgrade": true, "Te": true,
}

func checkHeaderName(path, name string) error {
	if name == "" {
		return connector.Malformedf("%s: missing", path)
	}
	if !httpguts.ValidHeaderFieldName(name) || ownHeaders[http.CanonicalHeaderKey(name)] {
		return connector.Malformedf("%s: %q cannot be used as a header", path, name)
	}
	return nil
}
