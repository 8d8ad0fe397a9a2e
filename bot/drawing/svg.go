package drawing

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strings"
)

// writer writes a picture.
type writer struct {
	bytes.Buffer
	*tracer
	o       Options
	busiest int
}

const (
	headRoom  = 34.0 // above the boxes: the flow's name
	footSpace = 12.0
	footRoom  = 18.0 // of each line below them
)

func write(l *layout, o Options) []byte {
	w := &writer{tracer: l.trace(), o: o, busiest: l.busiest()}
	foot := w.foot()
	width, height := l.w, l.h+headRoom+footSpace+float64(len(foot))*footRoom
	for _, f := range append(foot, line{spans: []span{{styleName, w.heading() + "          "}}}) {
		width = max(width, lineWidth(f))
	}
	w.open(math.Ceil(width+2*margin), math.Ceil(height+2*margin))
	w.put(`<g transform="translate(%g %g)" stroke-width="1.25">`, margin, margin+headRoom)
	w.start()
	for _, idle := range []bool{true, false} { // what was used lies above
		w.shared(idle)
		for i := range w.arrows {
			if w.idle(w.arrows[i].count) == idle {
				w.arrow(i)
			}
		}
		w.points(idle)
	}
	for i := range w.graph.nodes {
		w.node(i)
	}
	w.WriteString("</g>\n")
	for i, f := range foot {
		w.line(f, margin, margin+headRoom+l.h+footSpace+float64(i+1)*footRoom)
	}
	w.WriteString("</svg>\n")
	return w.Bytes()
}

// put writes; a buffer takes everything.
func (w *writer) put(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

func (w *writer) heading() string {
	name := cut(clean(w.o.Name), 400, func(s string) float64 { return width(s, 16) })
	if name == "" {
		name = "Flow"
	}
	if w.o.Version > 0 {
		name += fmt.Sprintf(", version %d", w.o.Version)
	}
	return name
}

func (w *writer) open(width, height float64) {
	w.put(`<svg xmlns="http://www.w3.org/2000/svg" class="flow" width="%g" height="%g" viewBox="0 0 %g %g" role="img" aria-labelledby="flow-title flow-desc">`+"\n",
		width, height, width, height)
	w.put("<title id=\"flow-title\">%s</title>\n<desc id=\"flow-desc\">%s</desc>\n", escape(w.heading()), escape(w.about()))
	w.put("<style>%s</style>\n", style(w.o.Theme))
	w.put(`<rect class="ground" width="%g" height="%g"/>`+"\n", width, height)
	w.put(`<text class="head" x="%g" y="%g">%s</text>`+"\n", margin, margin+12, escape(w.heading()))
}

// about tells the picture in words, for those who do not see it.
func (w *writer) about() string {
	states, jumps := 0, 0
	for _, n := range w.graph.nodes {
		if n.kind == stateNode {
			states++
		}
	}
	for _, a := range w.arrows {
		if a.jump() {
			jumps++
		}
	}
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "A flow with %s, %s and %s. It begins in %s.\n",
		amount(states, "state"), amount(len(w.arrows)-jumps, "transition"), amount(jumps, "jump"), w.graph.nodes[w.initial].name)
	if w.o.Traffic != nil {
		b.WriteString("Counted: " + w.o.Traffic.words() + ".\n")
	}
	g := w.graph
	for i := range g.nodes {
		if n := &g.nodes[i]; w.counted && n.kind == stateNode {
			_, _ = fmt.Fprintf(&b, "%s: %s\n", n.name, countLine(n).text())
		}
	}
	for _, a := range w.arrows {
		_, _ = fmt.Fprintf(&b, "%s to %s: %s\n", g.nodes[a.from].name, g.nodes[a.to].name, strings.ReplaceAll(textOf(a.lines), "\n", " "))
	}
	return b.String()
}

// foot is what stands below: how to read the picture, and what was counted.
func (w *writer) foot() []line {
	l := line{spans: []span{
		{styleVerb, "say"},
		{styleQuiet, "built-in action ·"},
		{styleWorker, "ƒ name"},
		{styleQuiet, "worker's function ·"},
		{styleEnd, "⇥ ■"},
		{styleQuiet, "leaves the flow · dashed: goto and otherwise"},
	}}
	if w.o.Traffic == nil {
		return []line{l}
	}
	return []line{l, {spans: []span{{styleCount, "n×"}, {styleQuiet, "how often. Counted: " + w.o.Traffic.words()}}}}
}

// start shows where conversations begin.
func (w *writer) start() {
	initial := &w.boxes[w.nodes[w.initial]]
	y := initial.middle()
	w.put(`<circle class="start" cx="5" cy="%g" r="5"/><path class="line start" d="M5 %gH%g"/>%s`+"\n",
		y, y, initial.x-headLength+1, pointed(point{initial.x, y}, false, "start"))
}

// shared writes the lines that arrows have in common.
func (w *writer) shared(idle bool) {
	for _, s := range w.lanes {
		if w.idle(s.weight) == idle {
			w.stroke(s)
		}
	}
}

func (w *writer) points(idle bool) {
	for _, h := range w.heads {
		if w.idle(h.weight) == idle {
			w.WriteString(pointed(h.at, h.right, w.class("point", h.weight)) + "\n")
		}
	}
}

func (w *writer) idle(weight int) bool { return w.counted && weight == 0 }

func (w *writer) class(name string, weight int) string {
	if w.idle(weight) {
		return name + " idle"
	}
	return name
}

// stroke is the wider the more went along.
func (w *writer) stroke(s stroke) {
	class := w.class("line", s.weight)
	if s.dashed {
		class += " jump"
	}
	thick := ""
	if s.weight > 0 {
		share := math.Sqrt(float64(s.weight) / float64(max(w.busiest, s.weight)))
		thick = fmt.Sprintf(` stroke-width="%.1f"`, 1.25+2.75*share)
	}
	w.put(`<path class="%s"%s d="%s"/>`+"\n", class, thick, s.path.d)
}

// pointed is the head of an arrow.
func pointed(at point, fromRight bool, class string) string {
	back := -headLength
	if fromRight {
		back = headLength
	}
	return fmt.Sprintf(`<path class="%s" d="M%g %gl%g -4.5v9z"/>`, class, at.x, round(at.y), back)
}

func round(v float64) float64 { return math.Round(v*10) / 10 }

// arrow writes the label of an arrow and the lines beside it.
func (w *writer) arrow(i int) {
	a, b := &w.arrows[i], &w.boxes[w.labels[i]]
	w.put(`<g class="%s"><title>%s</title>`, w.class("arrow", a.count), escape(clip(a.title, maxTitle)))
	w.stroke(w.strokes[i])
	if w.rank[a.to] < w.rank[a.from] { // it goes against the way of reading
		w.WriteString(pointed(point{b.x - headLength, b.middle()}, true, w.class("point", a.count)))
	}
	w.put(`<rect x="%g" y="%g" width="%g" height="%g" rx="5"/>`, b.x, b.y, b.w, b.h)
	for k, l := range a.lines {
		w.line(l, b.x+labelPad, b.y+float64(k+1)*lineStep-1.5)
	}
	w.WriteString("</g>\n")
}

func (w *writer) node(i int) {
	n, b := &w.graph.nodes[i], &w.boxes[w.nodes[i]]
	class, corner := "", 8.0
	switch {
	case n.kind != stateNode:
		class, corner = ` class="beside"`, 14
	case i == w.initial:
		class = ` class="initial"`
	}
	w.put(`<g class="node"><title>%s</title><rect%s x="%g" y="%g" width="%g" height="%g" rx="%g"/>`, escape(clip(n.title, maxTitle)), class, b.x, b.y, b.w, b.h, corner)
	x, y := b.x+nodePad, b.y+headStep-4
	w.put(`<text class="title" x="%g" y="%g">%s</text>`, x, y, escape(n.name))
	y += 4
	for _, l := range n.lines {
		y += lineStep
		w.line(l, x, y)
	}
	if w.counted && n.kind != anyNode {
		w.line(countLine(n), x, y+lineStep+4)
	}
	w.WriteString("</g>\n")
}

func countLine(n *node) line {
	if n.kind == fallbackNode {
		return line{spans: []span{{styleCount, thousands(n.entered) + "×"}}}
	}
	l := line{spans: []span{{styleCount, thousands(n.entered) + "×"}, {styleQuiet, "entered"}}}
	if n.nothing > 0 {
		l.spans = append(l.spans, span{styleQuiet, "·"}, span{styleNot, thousands(n.nothing) + "×"}, span{styleQuiet, "nothing fired"})
	}
	return l
}

// line writes words one behind the other, so that they stand well in fonts of other widths too.
func (w *writer) line(l line, x, y float64) {
	w.put(`<text x="%g" y="%g">`, round(x+float64(l.indent)*indentStep), round(y))
	for i, s := range l.spans {
		aside := ""
		if i > 0 {
			aside = fmt.Sprintf(` dx="%g"`, spanSpace)
		}
		w.put(`<tspan class="%s"%s>%s</tspan>`, s.style, aside, escape(s.text))
	}
	w.WriteString("</text>\n")
}

func escape(s string) string {
	var b strings.Builder
	if xml.EscapeText(&b, []byte(s)) != nil {
		return "" // a builder takes everything
	}
	return b.String()
}
