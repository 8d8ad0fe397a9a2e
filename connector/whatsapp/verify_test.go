package whatsapp

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
)

// TestSignedVectors checks vectors with the platform's own form of escapes: the bytes count, not the JSON value.
func TestSignedVectors(t *testing.T) {
	var file struct {
		Vectors []struct {
			Secret  string            `json:"secret"`
			Body    string            `json:"body"`
			Headers map[string]string `json:"headers"`
			Valid   bool              `json:"valid"`
			Note    string            `json:"note"`
		} `json:"vectors"`
	}
	raw, err := os.ReadFile("testdata/signatures.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range file.Vectors {
		header := http.Header{}
		for name, value := range v.Headers {
			header.Set(name, value)
		}
		if got := signed(v.Secret, []byte(v.Body), header.Get(signatureHeader)); got != v.Valid {
			t.Errorf("signed(%q) = %v, want %v (%s)", v.Body, got, v.Valid, v.Note)
		}
	}
}

func TestSignedRefusesOtherForms(t *testing.T) {
	body := []byte(`{"object":"page"}`)
	good := signature("secret", body)
	if !signed("secret", body, good) {
		t.Fatal("the right signature is refused")
	}
	for name, header := range map[string]string{
		"empty":        "",
		"no prefix":    strings.TrimPrefix(good, "sha256="),
		"other prefix": strings.Replace(good, "sha256", "sha1", 1),
		"cut":          good[:len(good)-2],
		"longer":       good + "00",
		"not hex":      good[:len(good)-1] + "z",
		"other secret": signature("secrets", body),
		"other body":   signature("secret", append(body, ' ')),
		"prefix only":  "sha256=",
	} {
		if signed("secret", body, header) {
			t.Errorf("%s: %q is accepted", name, header)
		}
	}
}
