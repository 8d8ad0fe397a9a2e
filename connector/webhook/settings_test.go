package webhook

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/connector"
)

func environment(settings string) connector.Env {
	return connector.Env{
		Channel: "ch1", Settings: json.RawMessage(settings), HTTP: &http.Client{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Now: func() time.Time { return time.Unix(1767323045, 0) },
	}
}

// TestBadSettings: what cannot work does not open, and the message names the place.
func TestBadSettings(t *testing.T) {
	tests := []struct{ settings, place string }{
		{`{}`, "receive.verify.secret"},
		{`{"secret":"whsec_%%%"}`, "receive.verify.secret"},
		{`{"secret":"s","no_such":1}`, "no_such"},
		{`{"secret":"s","send":{"url":"https://x.example/","no_such":1}}`, "no_such"},
		{`{"receive":{"verify":{"type":"hmca"}}}`, "receive.verify.type"},
		{`{"receive":{"verify":{"type":"bearer"}}}`, "receive.verify.secret"},
		{`{"receive":{"verify":{"type":"basic","secret":"s"}}}`, "receive.verify.username"},
		{`{"receive":{"verify":{"type":"header","secret":"s"}}}`, "receive.verify.header"},
		{`{"receive":{"verify":{"type":"header","header":"a b","secret":"s"}}}`, "receive.verify.header"},
		{`{"receive":{"verify":{"type":"query","secret":"s"}}}`, "receive.verify.name"},
		{`{"receive":{"verify":{"type":"hmac","secret":"s","algorithm":"md5"}}}`, "receive.verify.algorithm"},
		{`{"receive":{"verify":{"type":"hmac","secret":"s","encoding":"rot13"}}}`, "receive.verify.encoding"},
		{`{"receive":{"verify":{"type":"hmac","secret":"s","signed":"{timestamp}.{body}"}}}`, "receive.verify.timestamp_header"},
		{`{"receive":{"verify":{"type":"hmac","secret":"s","signed":"{url}"}}}`, "receive.verify.signed"},
		{`{"receive":{"verify":{"type":"hmac","secret":"zz","secret_encoding":"hex"}}}`, "receive.verify.secret"},
		{`{"secret":"s","receive":{"content":"xml"}}`, "receive.content"},
		{`{"secret":"s","receive":{"each":".["}}`, "receive.each"},
		{`{"secret":"s","receive":{"events":{"txet":"."}}}`, "receive.events.txet"},
		{`{"secret":"s","receive":{"events":{"text":"now"}}}`, "receive.events.text"},
		{`{"secret":"s","receive":{"kinds":{"a":"b"}}}`, "receive.kinds.a"},
		{`{"secret":"s","receive":{"statuses":{"a":"b"}}}`, "receive.statuses.a"},
		{`{"secret":"s","receive":{"reply":{"status":500}}}`, "receive.reply.status"},
		{`{"secret":"s","receive":{"reply":{"body":"{{"}}}`, "receive.reply.body"},
		{`{"secret":"s","receive":{"challenge":{"value":".["}}}`, "receive.challenge.value"},
		{`{"receive":{"verify":{"type":"none"},"challenge":{"value":".a","token":".b"}}}`, "receive.challenge.secret"},
		{`{"secret":"s","receive":{"challenge":{"value":".a","content_type":"text/html"}}}`, "receive.challenge.content_type"},
		{`{"secret":"s","url":"ftp://x.example/"}`, "send.url"},
		{`{"secret":"s","url":"https://{{ .to }}/"}`, "send.url"},
		{`{"secret":"s","url":"https://x.example{{ .to }}/"}`, "send.url"},
		{`{"secret":"s","url":"https://u:p@x.example/"}`, "send.url"},
		{`{"secret":"s","url":"https://x.example/{{ .a | }}"}`, "send.url"},
		{`{"secret":"s","url":"https://x.example/","send":{"method":"BREW"}}`, "send.method"},
		{`{"secret":"s","url":"https://x.example/","send":{"headers":{"Host":"y"}}}`, "send.headers.Host"},
		{`{"secret":"s","url":"https://x.example/","send":{"content":"form"}}`, "send.body"},
		{`{"secret":"s","url":"https://x.example/","send":{"body":{"a":["{{ .[ }}"]}}}`, "send.body.a.0"},
		{`{"secret":"s","url":"https://x.example/","send":{"timeout":1000}}`, "send.timeout"},
		{`{"secret":"s","url":"https://x.example/","send":{"id":".["}}`, "send.id"},
		{`{"secret":"s","url":"https://x.example/","send":{"success":["2x"]}}`, "status"},
		{`{"secret":"s","url":"https://x.example/","send":{"errors":[{"status":409,"policy":"maybe"}]}}`, "send.errors.0.policy"},
		{`{"secret":"s","url":"https://x.example/","send":{"errors":[{"when":".[","policy":"ok"}]}}`, "send.errors.0.when"},
		{`{"secret":"s","url":"https://x.example/","send":{"sign":{"type":"query","name":"a"}}}`, "send.sign.type"},
		{`{"secret":"s","typing":{}}`, "typing.url"},
		{`{"secret":"s","download":{}}`, "download.hosts"},
	}
	for _, tt := range tests {
		_, err := open(t.Context(), environment(tt.settings))
		e := connector.AsError(err)
		if err == nil || e.Policy != connector.Malformed || !strings.Contains(e.Detail, tt.place) {
			t.Errorf("%s: want malformed at %s, got %v", tt.settings, tt.place, err)
		}
	}
}

// TestAbilities: whatever is configured, the channel claims just that.
func TestAbilities(t *testing.T) {
	all := []struct{ setting, ability string }{
		{`"typing":{}`, "typing"},
		{`"mark_read":{}`, "mark_read"},
		{`"edit":{}`, "edit"},
		{`"delete":{}`, "delete"},
		{`"download":{"hosts":["x.example"]}`, "download"},
	}
	for set := range 1 << len(all) {
		settings, want := `{"secret":"s","url":"https://x.example/"`, []string{"receive"}
		for i, x := range all {
			if set>>i&1 == 1 {
				settings, want = settings+","+x.setting, append(want, x.ability)
			}
		}
		c, err := open(t.Context(), environment(settings+"}"))
		if err != nil {
			t.Fatal(err)
		}
		if got := connector.AbilitiesOf(c).Names(); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: %v, want %v", settings, got, want)
		}
	}
}

// TestIdempotent: a send is repeated only where our key is looked at.
func TestIdempotent(t *testing.T) {
	tests := map[string]bool{
		`{"secret":"s","url":"https://x.example/"}`:                                          true,
		`{"secret":"s","url":"https://x.example/","send":{"body":{}}}`:                       false,
		`{"secret":"s","url":"https://x.example/","send":{"body":{},"idempotent":true}}`:     true,
		`{"secret":"s","url":"https://x.example/","send":{"idempotent":false}}`:              false,
		`{"secret":"s","url":"https://x.example/","send":{"idempotent":false},"typing":{}}`:  false,
		`{"secret":"s","url":"https://x.example/","send":{"timeout":5},"edit":{"body":"x"}}`: true,
	}
	for settings, want := range tests {
		c, err := open(t.Context(), environment(settings))
		if err != nil {
			t.Fatal(err)
		}
		own, ok := c.(interface{ Traits() connector.Traits })
		if !ok || own.Traits().Idempotent != want {
			t.Errorf("%s: want %v", settings, want)
		}
	}
}

// TestSecretsAreMarked: every secret member of the settings is among Setting.Secrets.
func TestSecretsAreMarked(t *testing.T) {
	marked := map[string]bool{}
	for _, s := range describe() {
		for _, path := range s.Secrets {
			marked[s.Name+"."+path] = true
		}
	}
	for _, path := range []string{
		"receive.verify.secret", "receive.verify.secrets.*", "receive.challenge.secret", "send.sign.secret", "send.sign.secrets.*",
		"typing.sign.secret", "mark_read.sign.secret", "edit.sign.secret", "delete.sign.secret", "download.sign.secret",
	} {
		if !marked[path] {
			t.Errorf("%s is not marked", path)
		}
	}
}
