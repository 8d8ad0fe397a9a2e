package worker_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestPage proves that the Go blocks of docs/sdk.md are parts of Example, which is compiled and run.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/sdk.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 3 {
		t.Fatalf("%d blocks", len(blocks))
	}
	for _, block := range blocks {
		if !strings.Contains(flat(string(example)), flat(block[1])) {
			t.Errorf("not in example_test.go:\n%s", block[1])
		}
	}
}

// flat is a text without its indentation.
func flat(text string) string { return regexp.MustCompile(`(?m)^\t+`).ReplaceAllString(text, "") }
