package drawing

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// How many lines boxes and labels have at most.
const (
	maxNodeLines  = 7
	maxGuardLines = 3
)

// line is a line of words in different styles.
type line struct {
	indent int
	spans  []span
}

// span is words in one style, which is the name of a class in the picture.
type span struct {
	style string
	text  string
}

// The styles of words.
const (
	styleVerb   = "verb"   // a built-in action
	styleWorker = "worker" // a worker's function
	styleExpr   = "expr"   // an expression
	styleQuiet  = "quiet"  // what an action says or sets, and remarks
	styleEnd    = "end"    // what takes the conversation away from the flow
	styleNot    = "not"    // what speaks against a transition
	styleCount  = "count"  // how often
	styleName   = "name"   // of a state
)

func (l line) text() string {
	words := make([]string, 0, len(l.spans))
	for _, s := range l.spans {
		words = append(words, s.text)
	}
	return strings.Join(words, " ")
}

// firstLines cuts a list and says how many are missing.
func firstLines(lines []line, most int) []line {
	if len(lines) <= most {
		return lines
	}
	rest := fmt.Sprintf("… %d more", len(lines)-most+1)
	return append(slices.Clone(lines[:most-1]), line{spans: []span{{styleQuiet, rest}}})
}

// jump is a goto, or where a question leads that got no answer.
type jump struct {
	to  string
	why line
}

// outline is a list of actions as lines.
type outline struct {
	lines []line
	jumps []jump
}

func (o *outline) add(indent int, spans ...span) {
	o.lines = append(o.lines, line{indent, slices.DeleteFunc(spans, func(s span) bool { return s.text == "" })})
}

// actions outlines a list; when is the innermost condition under which it runs.
func (o *outline) actions(list []json.RawMessage, indent int, when string) {
	for _, raw := range list {
		if name, ok := plainText(raw); ok {
			o.add(indent, span{styleWorker, workerWords(name)})
			continue
		}
		var fields map[string]json.RawMessage
		if json.Unmarshal(raw, &fields) != nil {
			continue // a checked definition has nothing else
		}
		for name, argument := range fields {
			o.action(name, argument, indent, when)
		}
	}
}

// plainText reads a JSON text.
func plainText(raw json.RawMessage) (s string, ok bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	return s, json.Unmarshal(raw, &s) == nil
}

func workerWords(name string) string { return "ƒ " + clean(name) }

// argument has the members of all actions that are shown.
type argument struct {
	Text      string
	State     string
	Queue     string
	Reason    string
	SaveAs    string `json:"save_as"`
	Otherwise string
	Expr      string
	Then      []json.RawMessage
	Else      []json.RawMessage
	Stack     []struct{ Type string }
	Buttons   any
	Quick     any `json:"quick_replies"`
	Options   any
}

func (o *outline) action(name string, raw json.RawMessage, indent int, when string) {
	var a argument
	words, short := plainText(raw)
	if !short && json.Unmarshal(raw, &a) != nil {
		words = string(raw) + " s" // seconds; variables are named by their own case
	}
	verb := span{styleVerb, strings.ReplaceAll(name, "_", " ")}
	quiet := func(s string) span { return span{styleQuiet, clean(s)} }
	switch name {
	case "if":
		o.branch(a, indent)
	case "goto":
		o.add(indent, verb, span{styleName, clean(a.State)})
		o.jumps = append(o.jumps, jump{a.State, because(verb, when)})
	case "ask":
		o.add(indent, verb, quiet(a.SaveAs+":"), quiet(a.Text+titles(a.Options)))
		if a.Otherwise != "" {
			o.add(indent+1, span{styleVerb, "otherwise"}, span{styleName, clean(a.Otherwise)})
			o.jumps = append(o.jumps, jump{a.Otherwise, line{spans: []span{{styleVerb, "no answer to"}, {styleExpr, clean(a.SaveAs)}}}})
		}
	case "hand_over":
		o.add(indent, span{styleEnd, "⇥ hand over"}, quiet(a.Queue))
	case "close":
		o.add(indent, span{styleEnd, "■ close"}, quiet(a.Reason))
	case "send":
		o.add(indent, verb, quiet(kinds(a)))
	case "set":
		o.add(indent, verb, quiet(memberNames(raw)))
	default: // say, note, typing
		o.add(indent, verb, quiet(words+a.Text+titles(a.Buttons)+titles(a.Quick)))
	}
}

func (o *outline) branch(a argument, indent int) {
	expr := clean(a.Expr)
	o.add(indent, span{styleVerb, "if"}, span{styleExpr, expr})
	o.actions(a.Then, indent+1, "if "+expr)
	if len(a.Else) > 0 {
		o.add(indent, span{styleVerb, "else"})
		o.actions(a.Else, indent+1, "unless "+expr)
	}
}

// because words a jump that is made under a condition.
func because(verb span, when string) line {
	word, expr, _ := strings.Cut(when, " ")
	l := line{spans: []span{verb}}
	switch word {
	case "if":
		l.spans = append(l.spans, span{styleVerb, word}, span{styleExpr, expr})
	case "unless":
		l.spans = append(l.spans, span{styleNot, word}, span{styleExpr, expr})
	}
	return l
}

// titles shows buttons and options.
func titles(v any) string {
	list, ok := v.([]any)
	if !ok {
		return ""
	}
	var b strings.Builder
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			item = m["title"]
		}
		if s, ok := item.(string); ok {
			b.WriteString(" [" + s + "]")
		}
	}
	return b.String()
}

func kinds(a argument) string {
	words := make([]string, 0, len(a.Stack))
	for _, e := range a.Stack {
		words = append(words, e.Type)
	}
	return strings.Join(words, ", ")
}

func memberNames(raw json.RawMessage) string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return ""
	}
	return strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
}

// guardLines shows conditions and what speaks against them, short and in full.
func guardLines(conditions, unless []json.RawMessage) (lines []line, title string) {
	for i, raw := range conditions {
		l := line{spans: []span{conditionWords(raw)}}
		if i > 0 {
			l.spans = append([]span{{styleVerb, "or"}}, l.spans...)
		}
		lines = append(lines, l)
	}
	if len(conditions) == 0 {
		lines = append(lines, line{spans: []span{{styleVerb, "always"}}})
	}
	title = textOf(lines)
	lines = firstLines(lines, maxGuardLines-min(1, len(unless)))
	for i, raw := range unless {
		l := line{spans: []span{{styleNot, "unless"}, conditionWords(raw)}}
		title += "\n" + l.text()
		if i == 0 {
			if len(unless) > 1 {
				l.spans[0].text = fmt.Sprintf("unless 1 of %d:", len(unless))
			}
			lines = append(lines, l)
		}
	}
	return lines, title
}

func conditionWords(raw json.RawMessage) span {
	if name, ok := plainText(raw); ok {
		return span{styleWorker, workerWords(name)}
	}
	var c struct{ Expr string }
	_ = json.Unmarshal(raw, &c) // a checked definition has nothing else
	return span{styleExpr, clean(c.Expr)}
}
