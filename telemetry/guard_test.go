package telemetry_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/dragoman-hub/dragoman/telemetry"
)

func TestGuard(t *testing.T) {
	const token = "a-token-for-the-numbers"
	for _, c := range []struct {
		name, token, header string
		status              int
	}{
		{"no token set", "", "", 200},
		{"right", token, "Bearer " + token, 200},
		{"scheme in another case", token, "bearer " + token, 200},
		{"none", token, "", 401},
		{"wrong", token, "Bearer a-token-for-the-numberz", 401},
		{"beginning", token, "Bearer a-token", 401},
		{"longer", token, "Bearer " + token + "x", 401},
		{"another scheme", token, "Basic " + token, 401},
		{"empty", token, "Bearer ", 401},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
		if c.header != "" {
			r.Header.Set("Authorization", c.header)
		}
		rec := httptest.NewRecorder()
		telemetry.Guard(c.token, telemetry.NewMetrics().Handler()).ServeHTTP(rec, r)
		var problem struct {
			Status int
			Code   string
		}
		if rec.Code != c.status || rec.Code == 401 && (json.Unmarshal(rec.Body.Bytes(), &problem) != nil || problem.Code != "unauthorized" || rec.Header().Get("WWW-Authenticate") == "") {
			t.Errorf("%s: %d %s", c.name, rec.Code, rec.Body)
		}
	}
}
