package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/telemetry"
)

func TestLinesCarryTheirAction(t *testing.T) {
	var out bytes.Buffer
	log := telemetry.NewLog(&out, telemetry.LogOptions{JSON: true}).With("part", "test")
	log.InfoContext(telemetry.WithAction(t.Context(), "a-1"), "hello")
	log.InfoContext(t.Context(), "without")
	log.DebugContext(t.Context(), "too fine")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines: %s", len(lines), out.String())
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
		t.Fatal(err)
	}
	if line["action"] != "a-1" || line["part"] != "test" || line["msg"] != "hello" {
		t.Errorf("got %v", line)
	}
	if strings.Contains(lines[1], "action") {
		t.Errorf("got %s", lines[1])
	}
}

func TestSecretsAreHidden(t *testing.T) {
	known := &telemetry.Secrets{}
	known.Add("hunter2!", "short", `quo"ted\hunter2`, "hunter2 ünd", `,at hunter2's end\`, "nhunter2")
	for _, asJSON := range []bool{true, false} {
		var out bytes.Buffer
		log := telemetry.NewLog(&out, telemetry.LogOptions{JSON: asJSON, Secrets: known, Level: slog.LevelDebug})
		secretKeys := log.With("api_token", "hunter2").WithGroup("credentials").With("x", "hunter2")
		secretKeys.Info("keys", "y", "hunter2")
		log.Info("keys", "Authorization", "hunter2", "X-Api-Key", "hunter2", "client_secret", []byte("hunter2"), slog.Group("g", "password", 2))
		log.Info("header", "h", http.Header{"Authorization": {"hunter2"}, "X-Hub-Signature-256": {"hunter2"}, "Accept": {"text"}})
		log.Info("values hunter2! in text", "err", &url.Error{Op: "Get", URL: "http://x/bothunter2!/", Err: errors.New("no")},
			"url", "http://x/?k="+url.QueryEscape("hunter2 ünd"), "any", struct{ A string }{`quo"ted\hunter2`}, "end", `,at hunter2's end\`, "keep", "short")
		log.With("v", "hunter2!").Debug("in With")
		if strings.Contains(out.String(), "hunter2") {
			t.Errorf("JSON %v: %s", asJSON, out.String())
		}
		for _, want := range []string{"short", "text", "values ***", "credentials"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("JSON %v: %q was hidden too: %s", asJSON, want, out.String())
			}
		}
		if asJSON {
			for line := range strings.Lines(out.String()) {
				if !json.Valid([]byte(line)) {
					t.Errorf("hiding broke the line %s", line)
				}
			}
		}
	}
	known.Remove("hunter2!")
	if got := known.Hide("hunter2!"); got != "hunter2!" {
		t.Errorf("a removed secret is hidden: %s", got)
	}
}

// TestNoSecretInAnyForm logs random secrets in all the places where they come up.
func TestNoSecretInAnyForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[ -~é]{6,20}`).Draw(t, "secret")
		s := &telemetry.Secrets{}
		s.Add(secret)
		var out bytes.Buffer
		log := telemetry.NewLog(&out, telemetry.LogOptions{JSON: true, Secrets: s})
		log.InfoContext(context.Background(), secret, "a", secret, "b", errors.New("x "+secret), "c", map[string]string{"k": secret})
		for line := range strings.Lines(out.String()) {
			var v map[string]any
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			c, _ := v["c"].(map[string]any)
			for _, x := range []any{v["msg"], v["a"], v["b"], c["k"]} {
				if text, ok := x.(string); !ok || strings.Contains(text, secret) {
					t.Fatalf("%s shows %q", line, secret)
				}
			}
		}
	})
}

func TestSecretsAreForgottenByTheLastWhoHasThem(t *testing.T) {
	known := &telemetry.Secrets{}
	known.Add("hunter2!", "hunter3!")
	known.Add("hunter2!")
	known.Remove("hunter2!", "hunter3!", "never added")
	if got := known.Hide("hunter2! hunter3!"); got != "*** hunter3!" {
		t.Errorf("got %q", got)
	}
	known.Remove("hunter2!")
	if got := known.Hide("hunter2!"); got != "hunter2!" {
		t.Errorf("got %q", got)
	}
}
