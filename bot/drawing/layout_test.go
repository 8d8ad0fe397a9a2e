package drawing

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/bot"
)

// drawFlow draws any flow that the parser takes.
func drawFlow(t *rapid.T) *bot.Flow {
	word := rapid.OneOf(rapid.StringN(1, 12, 40), rapid.SampledFrom([]string{"<b>", "]]>", "&amp;", "a\x00b", "\u202eabc", "\ufffe", "日本語", "😀", "\"'"}))
	name := word.Filter(func(s string) bool { return strings.TrimSpace(s) != "" })
	names := rapid.SliceOfNDistinct(name, 1, 14, rapid.ID[string]).Draw(t, "states")
	state := rapid.SampledFrom(names)
	guard := rapid.SliceOfN(rapid.OneOf(
		rapid.Map(name, func(s string) any { return s }),
		rapid.Map(rapid.SampledFrom([]string{"message.text == 'a' and\n vars.b < 3", "true"}), func(s string) any { return map[string]any{"expr": s} }),
	), 0, 5)
	var states, transitions []any
	for i, n := range names {
		var events []any
		for range rapid.IntRange(0, 3).Draw(t, "events") {
			events = append(events, drawAction(t, name, state))
		}
		states = append(states, map[string]any{"name": n, "initial": i == 0, "events": events})
		transitions = append(transitions, map[string]any{"dest": n}) // all can be reached
	}
	for range rapid.IntRange(0, 40).Draw(t, "transitions") {
		transitions = append(transitions, map[string]any{
			"source": state.Draw(t, "source"), "dest": state.Draw(t, "dest"), "conditions": guard.Draw(t, "conditions"), "unless": guard.Draw(t, "unless"),
		})
	}
	transitions = rapid.Permutation(transitions).Draw(t, "order")
	raw, err := json.Marshal(map[string]any{"states": states, "transitions": transitions, "fallback": []any{drawAction(t, name, state)}})
	if err != nil {
		t.Fatal(err)
	}
	flow, err := bot.Parse(raw)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return flow
}

func drawAction(t *rapid.T, name, state *rapid.Generator[string]) any {
	switch rapid.IntRange(0, 4).Draw(t, "action") {
	case 0:
		return map[string]any{"note": "n" + strings.ReplaceAll(name.Draw(t, "text"), "{", "")}
	case 1:
		jump := map[string]any{"goto": map[string]any{"state": state.Draw(t, "goto")}}
		return map[string]any{"if": map[string]any{"expr": "vars.a > 1", "then": []any{jump}, "else": []any{name.Draw(t, "worker")}}}
	case 2:
		return map[string]any{"ask": map[string]any{"text": "?", "save_as": "x", "otherwise": state.Draw(t, "otherwise")}}
	case 3:
		return map[string]any{"if": map[string]any{"expr": "vars.b", "then": []any{map[string]any{"close": map[string]any{}}}}}
	default:
		return name.Draw(t, "worker")
	}
}

// TestLayout: no two boxes of a picture overlap, every arrow has its label and an unbroken way, and no line crosses a box that is not its own.
func TestLayout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		flow := drawFlow(t)
		g, err := read(flow)
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "counted") {
			g.count(&Traffic{})
		}
		l := layOut(g)
		for i := range l.boxes {
			for k := range l.boxes[:i] {
				if a, b := &l.boxes[i], &l.boxes[k]; a.x < b.x+b.w && b.x < a.x+a.w && a.y < b.y+b.h && b.y < a.y+a.h {
					t.Fatalf("%+v and %+v overlap", *a, *b)
				}
			}
			if b := &l.boxes[i]; b.x < 0 || b.y < 0 || b.x+b.w > l.w || b.y+b.h > l.h {
				t.Fatalf("%+v is outside %g x %g", *b, l.w, l.h)
			}
		}
		checkArrows(t, flow, l)
		checkColumns(t, l)
	})
}

func checkArrows(t *rapid.T, flow *bot.Flow, l *layout) {
	drawn := map[int]bool{}
	for i, way := range l.routes {
		a := l.arrows[i]
		drawn[a.transition] = true
		if way[0] != l.nodes[a.from] || way[len(way)-1] != l.nodes[a.to] || l.boxes[l.labels[i]].of != i || l.boxes[l.labels[i]].kind != labelBox {
			t.Fatalf("arrow %+v goes along %v", a, way)
		}
		for k := 1; k < len(way); k++ {
			if d := l.boxes[way[k]].column - l.boxes[way[k-1]].column; d != 1 && d != -1 {
				t.Fatalf("arrow %+v leaps from %+v to %+v", a, l.boxes[way[k-1]], l.boxes[way[k]])
			}
		}
	}
	for i, transition := range flow.Transitions() {
		if !drawn[i] {
			t.Fatalf("transition %d %+v is missing", i, transition)
		}
	}
}

// checkColumns: boxes stand within their columns, and between columns is room for lines.
func checkColumns(t *rapid.T, l *layout) {
	for i := range l.boxes {
		b := &l.boxes[i]
		if s := l.spans[b.column]; b.x < s.from || b.x+b.w > s.to {
			t.Fatalf("%+v stands outside its column %+v", *b, s)
		}
	}
	for c := 1; c < len(l.spans); c++ {
		if len(l.columns[c]) > 0 && l.spans[c].from-l.spans[c-1].to < 2*headLength {
			t.Fatalf("no room before column %d: %+v", c, l.spans)
		}
	}
}

// TestPicture: any flow gives well-formed XML without scripts and links, with each transition in it, and the same bytes every time.
func TestPicture(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		flow := drawFlow(t)
		o := Options{Name: rapid.String().Draw(t, "name"), Version: rapid.IntRange(0, 3).Draw(t, "version"), Theme: rapid.SampledFrom([]Theme{Auto, Light, Dark}).Draw(t, "theme")}
		if rapid.Bool().Draw(t, "counted") {
			o.Traffic = &Traffic{entered: map[string]int{flow.Initial(): 12345}, fired: map[int]int{0: 99}}
		}
		svg, err := Draw(flow, o)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Draw(flow, o)
		if err != nil || !bytes.Equal(svg, again) {
			t.Fatal("drawn twice, and not the same", err)
		}
		arrows := 0
		walkXML(t, svg, func(e xml.StartElement) {
			switch e.Name.Local {
			case "svg", "title", "desc", "style", "rect", "text", "tspan", "g", "path", "circle":
			default:
				t.Fatalf("element %s", e.Name.Local)
			}
			for _, a := range e.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Name.Local, "href") || strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
					t.Fatalf("attribute %s=%q", a.Name.Local, a.Value)
				}
				if a.Name.Local == "class" && strings.HasPrefix(a.Value, "arrow") {
					arrows++
				}
			}
		})
		if arrows < len(flow.Transitions()) {
			t.Fatalf("%d arrows for %d transitions", arrows, len(flow.Transitions()))
		}
	})
}

func walkXML(t *rapid.T, svg []byte, see func(xml.StartElement)) {
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, svg)
		}
		if e, ok := token.(xml.StartElement); ok {
			see(e)
		}
	}
}

// TestInversions compares the quick count with the plain one.
func TestInversions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOf(rapid.IntRange(0, 20)).Draw(t, "list")
		want := 0
		for i, a := range list {
			for _, b := range list[i:] {
				if b < a {
					want++
				}
			}
		}
		if got := inversions(list, 21); got != want {
			t.Fatalf("%d, want %d", got, want)
		}
	})
}

// TestFit: lines that were cut or broken are not too wide, and nothing is lost by breaking.
func TestFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := clean(rapid.StringN(0, 200, -1).Draw(t, "words"))
		style := rapid.SampledFrom([]string{styleExpr, styleQuiet, styleVerb}).Draw(t, "style")
		l := line{spans: []span{{styleVerb, "say"}, {style, words}}}
		if got := fit(l, 150); lineWidth(got) > 150 {
			t.Fatalf("%q is %g wide", got.text(), lineWidth(got))
		}
		var all []string
		for _, part := range wrap([]line{l}, 150, 100) {
			all = append(all, part.text())
		}
		if got := strings.Join(all, " "); got != l.text() {
			t.Fatalf("%q became %q", l.text(), got)
		}
	})
	if got := fmt.Sprint(clean(" a\tb\x00\u202e\n c ")); got != "a b c" {
		t.Errorf("%q", got)
	}
}
