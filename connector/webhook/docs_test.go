package webhook

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

const document = "../../docs/protocols/webhook.md"

// TestDocument: every JSON block of the document is JSON, and the examples are the settings that the transcripts use.
func TestDocument(t *testing.T) {
	raw, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(raw), "```json\n")
	examples := 0
	for i, block := range blocks[1:] {
		source, _, _ := strings.Cut(block, "```")
		var shown, tested any
		if err := json.Unmarshal([]byte(source), &shown); err != nil {
			t.Errorf("block %d: %v", i+1, err)
			continue
		}
		lead := strings.TrimSpace(blocks[i])
		file, marked := strings.CutPrefix(lead[strings.LastIndex(lead, "\n")+1:], "<!-- ")
		if !marked {
			continue
		}
		examples++
		data, err := os.ReadFile(strings.TrimSuffix(file, " -->"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &tested); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(shown, tested) {
			t.Errorf("the document's example is not %s", file)
		}
	}
	if examples != 2 {
		t.Errorf("%d examples, want 2", examples)
	}
}

// TestDocumentNamesAll: every field of receive.events and every setting is in the document.
func TestDocumentNamesAll(t *testing.T) {
	raw, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for field := range defaultFields {
		names = append(names, field)
	}
	for _, spec := range []any{receiveSpec{}, challengeSpec{}, replySpec{}, requestSpec{}, sendSpec{}, downloadSpec{}, ruleSpec{}, authSpec{}} {
		kind := reflect.TypeOf(spec)
		for i := range kind.NumField() {
			if tag := kind.Field(i).Tag.Get("json"); tag != "" {
				names = append(names, tag)
			}
		}
	}
	for _, name := range names {
		if !strings.Contains(string(raw), "`"+name+"`") {
			t.Errorf("the document does not name `%s`", name)
		}
	}
}
