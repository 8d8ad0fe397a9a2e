package connector

import (
	"strings"
	"testing"
)

// encoding/json reads "Secret" as "secret": so does whoever hides it. "*" is any member.
func TestRedactInAnyCase(t *testing.T) {
	p := Platform{Settings: []Setting{{Name: "send", Type: Object, Secrets: []string{"sign.secret", "headers.*"}}}}
	old := []byte(`{"send":{"Sign":{"SECRET":"hush-1"},"headers":{"Authorization":"hush-2","X":"hush-3"},"url":"u"}}`)
	shown := p.Redact(old)
	if strings.Contains(string(shown), "hush") || !strings.Contains(string(shown), `"url":"u"`) {
		t.Fatalf("shown: %s", shown)
	}
	merged, err := p.MergeSettings(old, shown)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"hush-1", "hush-2", "hush-3"} {
		if !strings.Contains(string(merged), secret) {
			t.Errorf("%s was lost: %s", secret, merged)
		}
	}
}
