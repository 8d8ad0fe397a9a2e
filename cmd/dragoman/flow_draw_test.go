package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFlowDraw(t *testing.T) {
	t.Parallel()
	hub := startHub(t, t.TempDir())
	file := writeFile(t, "echo.json", echoFlow)
	drawn := dragoman(t, "", "flow", "draw", file).good(t, "<svg ", ">echo</text>")
	if strings.Contains(drawn.out, "Counted") {
		t.Error("a file has no traffic")
	}
	dragoman(t, echoFlow, "flow", "draw", "-", "--theme", "dark").good(t, "<svg ", "#0d1117")
	out := filepath.Join(t.TempDir(), "flow.svg")
	dragoman(t, "", "flow", "draw", file, "-o", out).good(t, "drawn: "+out)
	if raw, err := os.ReadFile(out); err != nil || string(raw) != drawn.out {
		t.Error("the file is not what is printed", err)
	}
	hub.on("", "flow", "put", "echo", file).good(t)
	hub.on("", "flow", "draw", "echo").good(t, "echo, version 1", "no traffic yet")
	hub.on("", "flow", "draw", "echo", "--version", "1", "--since", "2026-01-01T00:00:00Z", "--theme", "light").good(t, "no traffic since 2026-01-01 00:00 UTC")

	dragoman(t, `{"states":[]}`, "flow", "draw", "-").bad(t, 1, "states")
	dragoman(t, "", "flow", "draw", file, "--version", "2").bad(t, 1, "flows of a hub")
	dragoman(t, "", "flow", "draw", filepath.Join(t.TempDir(), "none.json")).bad(t, 1, "no such file")
	dragoman(t, "", "flow", "draw", file, "-o", filepath.Join(out, "below")).bad(t, 1, "not a directory")
	hub.on("", "flow", "draw", "none").bad(t, 1, "no such flow")
	hub.on("", "flow", "draw", "echo", "--version", "9").bad(t, 1, "no such flow")
	hub.on("", "flow", "draw", "echo", "--theme", "pink").bad(t, 2, "pink")
}
