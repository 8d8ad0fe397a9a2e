package bot

import (
	"os"
	"strings"
	"testing"
)

// section is one file of a txtar archive.
type section struct {
	name string
	text string
}

// sections reads an archive; what stands before its first section is a comment.
func sections(t *testing.T, path string) []section {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []section
	for line := range strings.Lines(string(raw)) {
		name, marked := strings.CutPrefix(strings.TrimSpace(line), "-- ")
		if name, ended := strings.CutSuffix(name, " --"); marked && ended {
			list = append(list, section{name: name})
		} else if len(list) > 0 {
			list[len(list)-1].text += line
		}
	}
	return list
}
