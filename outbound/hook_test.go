package outbound_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/outbound"
)

// TestSignHook has a signature that other code made: Python's hmac over "msg_1.1700000000." and the body.
func TestSignHook(t *testing.T) {
	key, err := outbound.HookKey("whsec_U0VDUkVUd2ViaG9va1NJR05JTkcwMQ==")
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	outbound.SignHook(h, key, "msg_1", time.Unix(1700000000, 0), []byte(`{"a":1}`))
	if got := h.Get("webhook-signature"); got != "v1,MoKUzOQlZuR5JTKEM37OID9b3SrNi7WK6MByEIogHB0=" || h.Get("webhook-id") != "msg_1" || h.Get("webhook-timestamp") != "1700000000" {
		t.Errorf("%v", h)
	}
	for _, bad := range []string{"", "whsec_", "whsec_%"} {
		if _, err := outbound.HookKey(bad); err == nil {
			t.Errorf("%q is a secret", bad)
		}
	}
	if key, err := outbound.HookKey("plain words"); err != nil || string(key) != "plain words" {
		t.Errorf("%q, %v", key, err)
	}
}

func TestNewHookSecret(t *testing.T) {
	one, other := outbound.NewHookSecret(), outbound.NewHookSecret()
	key, err := outbound.HookKey(one)
	if err != nil || len(key) != 32 || one == other {
		t.Errorf("%q: %d bytes, %v", one, len(key), err)
	}
}
