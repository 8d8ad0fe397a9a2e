package webhook

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/connector"
)

// TestVerify has calls as platforms make them, with signatures that the code under test did not make.
func TestVerify(t *testing.T) {
	hub := authSpec{Type: "hmac", Header: "X-Hub-Signature-256", Prefix: "sha256=", Secret: "dev-app-secret"}
	slack := authSpec{
		Type: "hmac", Header: "X-Slack-Signature", Prefix: "v0=", Signed: "v0:{timestamp}:{body}",
		TimestampHeader: "X-Slack-Request-Timestamp", Secret: "dev-signing-secret",
	}
	standard := authSpec{Type: "standard", Secret: "whsec_ZGV2LXN0ZC13ZWJob29rLWtleS0wMDAwMDAwMQ=="}
	hubBody := `{"object":"page","entry":[{"id":"1","text":"\u00e5"}]}`
	hubSum := "sha256=c2cf922529d4bcac4d0ef716631adfd0f434e64e23612e3900b3c3b73df01435"
	slackBody := "payload=%7B%22type%22%3A%22block_actions%22%7D"
	slackHeaders := map[string]string{
		"X-Slack-Request-Timestamp": "1700000000",
		"X-Slack-Signature":         "v0=afc492addc0b4a5dd03b207673181e345bbeda532b89d3f848bd3faaf72e118e",
	}
	standardHeaders := map[string]string{
		"webhook-id": "msg_1", "webhook-timestamp": "1700000000", "webhook-signature": "v1,F4W709fIhkXMSEXABbEvK8GJGSo9++WymwdP70vTEaI=",
	}
	tests := []struct {
		name    string
		spec    authSpec
		headers map[string]string
		url     string
		body    string
		now     int64
		ok      bool
	}{
		{"hex", hub, map[string]string{"x-hub-signature-256": hubSum}, "", hubBody, 0, true},
		{"hex in capitals", hub, map[string]string{"x-hub-signature-256": "sha256=" + strings.ToUpper(hubSum[7:])}, "", hubBody, 0, true},
		{"same value, other bytes", hub, map[string]string{"x-hub-signature-256": hubSum}, "", strings.Replace(hubBody, `\u00e5`, "å", 1), 0, false},
		{"without its prefix", hub, map[string]string{"x-hub-signature-256": hubSum[7:]}, "", hubBody, 0, false},
		{"cut", hub, map[string]string{"x-hub-signature-256": hubSum[:70]}, "", hubBody, 0, false},
		{"no hex", hub, map[string]string{"x-hub-signature-256": "sha256=zz"}, "", hubBody, 0, false},
		{"base64", authSpec{Type: "hmac", Header: "X-Line-Signature", Encoding: "base64", Secret: "dev-line-secret"}, map[string]string{
			"x-line-signature": "bGMZ5xetcB1nAe56glcwewS9k0U+9yXOX7b3bElkZqY=",
		}, "", `{"destination":"Uab012345678901234567890123456789","events":[]}`, 0, true},
		{"time stamp", slack, slackHeaders, "", slackBody, 1700000100, true},
		{"time stamp too old", slack, slackHeaders, "", slackBody, 1700000400, false},
		{"time stamp from the future", slack, slackHeaders, "", slackBody, 1699999600, false},
		{"standard", standard, standardHeaders, "", `{"a":1}`, 1700000010, true},
		{"standard, at the edge", standard, standardHeaders, "", `{"a":1}`, 1700000300, true},
		{"standard, too old", standard, standardHeaders, "", `{"a":1}`, 1700000301, false},
		{"standard, no header", standard, nil, "", `{"a":1}`, 1700000010, false},
		{"standard, 1000 signatures", standard, map[string]string{
			"webhook-id": "msg_1", "webhook-timestamp": "1700000000",
			"webhook-signature": strings.Repeat("v1,AAAA ", 1000) + standardHeaders["webhook-signature"],
		}, "", `{"a":1}`, 1700000010, false},
		{"bearer", authSpec{Type: "bearer", Secret: "token-1"}, map[string]string{"Authorization": "bearer token-1"}, "", "", 0, true},
		{"bearer, second of two", authSpec{Type: "bearer", Secrets: []string{"token-1", "token-2"}}, map[string]string{"Authorization": "Bearer token-2"}, "", "", 0, true},
		{"bearer, longer", authSpec{Type: "bearer", Secret: "token-1"}, map[string]string{"Authorization": "Bearer token-12"}, "", "", 0, false},
		{"bearer, other scheme", authSpec{Type: "bearer", Secret: "token-1"}, map[string]string{"Authorization": "Basic token-1"}, "", "", 0, false},
		{"basic", authSpec{Type: "basic", Username: "u", Secret: "p"}, map[string]string{"Authorization": "Basic dTpw"}, "", "", 0, true},
		{"basic, other user", authSpec{Type: "basic", Username: "v", Secret: "p"}, map[string]string{"Authorization": "Basic dTpw"}, "", "", 0, false},
		{"header", authSpec{Type: "header", Header: "X-Token", Secret: "t"}, map[string]string{"X-Token": "t"}, "", "", 0, true},
		{"header, missing", authSpec{Type: "header", Header: "X-Token", Secret: "t"}, nil, "", "", 0, false},
		{"query", authSpec{Type: "query", Name: "token", Secret: "t"}, nil, "https://hub.example/in/1?token=t", "", 0, true},
		{"query, missing", authSpec{Type: "query", Name: "token", Secret: "t"}, nil, "https://hub.example/in/1", "", 0, false},
		{"none", authSpec{Type: "none"}, nil, "", "", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := newAuth("receive.verify", tt.spec, "")
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(tt.url)
			if err != nil {
				t.Fatal(err)
			}
			req := connector.Request{Method: "POST", URL: u, Header: http.Header{}, Body: []byte(tt.body)}
			for k, v := range tt.headers {
				req.Header.Set(k, v)
			}
			err = a.verify(req, time.Unix(tt.now, 0))
			if (err == nil) != tt.ok {
				t.Errorf("verify: %v, want ok %v", err, tt.ok)
			}
			if err != nil && connector.AsError(err).Policy != connector.Unsigned {
				t.Errorf("policy %v", err)
			}
		})
	}
}

// TestSignVerify: what one side signs, the other side takes, and nobody else.
func TestSignVerify(t *testing.T) {
	now := time.Unix(1700000000, 0)
	specs := []authSpec{
		{Type: "standard"},
		{Type: "bearer"},
		{Type: "basic", Username: "u"},
		{Type: "header", Header: "X-K", Prefix: "k "},
		{Type: "hmac", Algorithm: "sha1", Encoding: "base64"},
		{Type: "hmac", Algorithm: "sha512", Signed: "{method} {url} {timestamp} {id} {body}{body}", TimestampHeader: "X-T", IDHeader: "X-I"},
	}
	for _, spec := range specs {
		a, err := newAuth("x", spec, "secret-1")
		if err != nil {
			t.Fatal(err)
		}
		other, err := newAuth("x", spec, "secret-2")
		if err != nil {
			t.Fatal(err)
		}
		body := []byte("a{id}b{body}c")
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://x.example/a?b=c", nil)
		if err != nil {
			t.Fatal(err)
		}
		a.sign(req, body, "id-1", now)
		in := connector.Request{Method: req.Method, URL: req.URL, Header: req.Header, Body: body}
		if err := a.verify(in, now); err != nil {
			t.Errorf("%+v: %v", spec, err)
		}
		if other.verify(in, now) == nil {
			t.Errorf("%+v: taken with another secret", spec)
		}
	}
}
