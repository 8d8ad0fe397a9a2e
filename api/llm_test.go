package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/api"
	"github.com/dragoman-hub/dragoman/llm"
	"github.com/dragoman-hub/dragoman/outbound"
)

func TestLanguageModels(t *testing.T) {
	status := http.StatusOK
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer sk-77-secret" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"message":"no sk-77-secret"}}`)
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"model":"m-1","choices":[{"message":{"content":"OK"},"finish_reason":"stop"}]}`)
	}))
	t.Cleanup(model.Close)
	w := newWorld(t, func(o *api.Options) {
		o.LLM = llm.NewBook(o.Store, o.Secrets, outbound.Client(outbound.Options{AllowPrivate: true, Log: o.Log}), llm.Limits{})
	})
	names := strings.NewReplacer("{url}", model.URL+"/v1")
	for _, s := range []scene{
		{"without the scope", "POST", "/v1/llm-configs", "flows", "", `{"name":"local","base_url":"{url}","model":"m"}`, 403, `{"code":"forbidden"}`, 0},
		{"make", "POST", "/v1/llm-configs", "admin", "", `{"name":"local","base_url":"{url}/","model":"m","key":"sk-77-secret","defaults":{"temperature":0.2,"omit":["seed"],"extra":{"top_k":1}}}`, 201, `{"name":"local","base_url":"{url}","model":"m","key":"***","defaults":{"temperature":0.2,"omit":["seed"],"extra":{"top_k":1}}}`, 0},
		{"make again", "POST", "/v1/llm-configs", "admin", "", `{"name":"local","base_url":"{url}","model":"m"}`, 409, `{"code":"conflict"}`, 0},
		{"a bad address", "POST", "/v1/llm-configs", "admin", "", `{"name":"x","base_url":"file:///etc","model":"m"}`, 422, `{"code":"invalid"}`, 0},
		{"a bad default", "POST", "/v1/llm-configs", "admin", "", `{"name":"x","base_url":"{url}","model":"m","defaults":{"temperature":9}}`, 422, `{"code":"invalid","errors":[{"path":"body.defaults.temperature"}]}`, 0},
		{"an unknown default", "POST", "/v1/llm-configs", "admin", "", `{"name":"x","base_url":"{url}","model":"m","defaults":{"heat":9}}`, 422, `{"code":"invalid"}`, 0},
		{"read", "GET", "/v1/llm-configs/local", "read", "", "", 200, `{"key":"***","model":"m"}`, 0},
		{"list", "GET", "/v1/llm-configs", "read", "", "", 200, `{"items":[{"name":"local","key":"***"}]}`, 0},
		{"check", "POST", "/v1/llm-configs/local/check", "admin", "", "", 200, `{"answer":"m-1 answers: \"OK\""}`, 0},
		{"check nothing", "POST", "/v1/llm-configs/none/check", "admin", "", "", 404, `{"code":"not_found"}`, 0},
		{"patch", "PATCH", "/v1/llm-configs/local", "admin", "", `{"model":"n","key":"***"}`, 200, `{"model":"n","key":"***","defaults":{"temperature":0.2}}`, 0},
		{"send the key elsewhere", "PATCH", "/v1/llm-configs/local", "admin", "", `{"base_url":"https://evil.example/v1"}`, 422, `{"code":"invalid"}`, 0},
		{"a wrong key", "PATCH", "/v1/llm-configs/local", "admin", "", `{"key":"wrong"}`, 200, `{"key":"***"}`, 0},
		{"check that", "POST", "/v1/llm-configs/local/check", "admin", "", "", 422, `{"code":"invalid"}`, 0},
		{"of others", "GET", "/v1/llm-configs/local", "other", "", "", 404, `{"code":"not_found"}`, 0},
		{"patch of others", "PATCH", "/v1/llm-configs/local", "other", "", `{"model":"x"}`, 404, `{"code":"not_found"}`, 0},
		{"delete of others", "DELETE", "/v1/llm-configs/local", "other", "", "", 404, `{"code":"not_found"}`, 0},
		{"delete", "DELETE", "/v1/llm-configs/local", "admin", "", "", 204, "", 0},
		{"read it again", "GET", "/v1/llm-configs/local", "read", "", "", 404, `{"code":"not_found"}`, 0},
	} {
		t.Run(s.name, func(t *testing.T) { w.play(t, s, names) })
	}
	if strings.Contains(w.logs.String(), "sk-77-secret") {
		t.Error("a key is in the log")
	}
}

// TestModelsAreGuarded: without a word from outside, models behind our firewall cannot be asked.
func TestModelsAreGuarded(t *testing.T) {
	w := newWorld(t)
	w.ok("POST", "/v1/llm-configs", "admin", `{"name":"local","base_url":"http://127.0.0.1:1/v1","model":"m"}`)
	got := w.call("POST", "/v1/llm-configs/local/check", "admin", "")
	if got.status != 422 || !strings.Contains(got.at(t, "detail"), "private") {
		t.Errorf("%d %s", got.status, got.body)
	}
}
