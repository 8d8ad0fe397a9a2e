package drawing_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/bot/drawing"
	"github.com/dragoman-hub/dragoman/chat"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// TestGolden compares pictures with those that somebody has looked at. DRAW_AGAIN=1 writes them anew.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			picture := strings.TrimSuffix(file, ".txtar") + ".svg"
			got := drawArchive(t, file)
			if os.Getenv("DRAW_AGAIN") != "" {
				if err := os.WriteFile(picture, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(picture)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s has changed; look at the new one and keep it with DRAW_AGAIN=1\n%s", picture, got)
			}
		})
	}
}

func drawArchive(t *testing.T, file string) []byte {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flow, err := bot.Parse(archive.Files[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	o := drawing.Options{Name: "sample", Version: 3}
	if len(archive.Files) > 1 {
		o.Traffic = counted(t, string(archive.Files[1].Data))
	}
	svg, err := drawing.Draw(flow, o)
	if err != nil {
		t.Fatal(err)
	}
	return svg
}

func counted(t *testing.T, steps string) *drawing.Traffic {
	t.Helper()
	traffic := drawing.NewTraffic("sample", 3, time.Time{})
	for i, text := range strings.Split(strings.TrimSpace(steps), "\n") {
		no, record, _ := strings.Cut(text, " ")
		conversation, err := strconv.ParseInt(no, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if err := traffic.Add(conversation, noon.Add(-time.Duration(i)*time.Minute), json.RawMessage(record)); err != nil {
			t.Fatal(err)
		}
	}
	traffic.End(true)
	return traffic
}

func TestThemes(t *testing.T) {
	flow := parse(t, map[string]any{"states": []any{map[string]any{"name": "A", "initial": true}}})
	for theme, want := range map[drawing.Theme][2]bool{drawing.Light: {true, false}, drawing.Dark: {false, true}, drawing.Auto: {true, true}} {
		svg, err := drawing.Draw(flow, drawing.Options{Theme: theme})
		if err != nil {
			t.Fatal(err)
		}
		if light, dark := bytes.Contains(svg, []byte("#ffffff")), bytes.Contains(svg, []byte("#0d1117")); light != want[0] || dark != want[1] {
			t.Errorf("theme %q: light %v, dark %v", theme, light, dark)
		}
	}
}

// TestLimits draws what is just small enough, in time, and refuses what is larger.
func TestLimits(t *testing.T) {
	svg, err := drawing.Draw(largest(t), drawing.Options{})
	if err != nil || len(svg) > 4<<20 {
		t.Fatal(len(svg), err)
	}
	state := func(i int, events ...any) map[string]any {
		return map[string]any{"name": strconv.Itoa(i), "initial": i == 0, "events": events}
	}
	chain := func(n int) (states, transitions []any) {
		for i := range n {
			states = append(states, state(i))
			if i > 0 {
				transitions = append(transitions, map[string]any{"source": strconv.Itoa(i - 1), "dest": strconv.Itoa(i)})
			}
		}
		return states, transitions
	}
	many := func() []any {
		var list []any
		for range 1001 {
			list = append(list, map[string]any{"dest": "0"})
		}
		return list
	}
	states, transitions := chain(201)
	var jumping []any
	for i := range 40 {
		var jumps []any
		for to := range 40 {
			jumps = append(jumps, map[string]any{"if": map[string]any{"expr": "vars.x == 1", "then": []any{map[string]any{"goto": map[string]any{"state": strconv.Itoa(to)}}}}})
		}
		jumping = append(jumping, state(i, jumps...))
	}
	for want, definition := range map[string]map[string]any{
		"201 states":                 {"states": states, "transitions": transitions},
		"1001 transitions":           {"states": []any{state(0)}, "transitions": many()},
		"1600 transitions and jumps": {"states": jumping},
	} {
		_, err := drawing.Draw(parse(t, definition), drawing.Options{})
		if chat.CodeOf(err) != chat.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
