package api_test

import (
	"strings"
	"testing"
)

// TestDocsPage: the page is whole, loads nothing from elsewhere, and its policy lets nothing run but its own script.
func TestDocsPage(t *testing.T) {
	w := newWorld(t)
	got := w.ok("GET", "/docs", "", "")
	policy := got.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'sha256-", "style-src 'sha256-", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy %q lacks %s", policy, want)
		}
	}
	for _, bad := range []string{"http://", "https://", "innerHTML", "eval(", "onclick", "style=", "<script src"} {
		if strings.Contains(got.body, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	if strings.Count(got.body, "<script>") != 1 || strings.Count(got.body, "<style>") != 1 {
		t.Error("the policy names one script and one style")
	}
}
