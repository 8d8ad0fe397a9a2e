package fit

import (
	"net/url"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/dragoman-hub/dragoman/chat"
)

// spanTags are the tags that become spans.
var spanTags = map[atom.Atom]string{
	atom.B: "bold", atom.Strong: "bold", atom.I: "italic", atom.Em: "italic", atom.U: "underline", atom.Ins: "underline",
	atom.S: "strike", atom.Strike: "strike", atom.Del: "strike", atom.Code: "code", atom.Pre: "pre",
	atom.Blockquote: "quote", atom.A: "link",
}

// blockTags begin and end a line; the value is how many line ends stand between them and their neighbours.
var blockTags = map[atom.Atom]int{
	atom.P: 2, atom.H1: 2, atom.H2: 2, atom.H3: 2, atom.H4: 2, atom.H5: 2, atom.H6: 2, atom.Blockquote: 2, atom.Pre: 2,
	atom.Ul: 1, atom.Ol: 1, atom.Li: 1, atom.Div: 1, atom.Tr: 1, atom.Table: 1, atom.Section: 1, atom.Article: 1,
	atom.Header: 1, atom.Footer: 1, atom.Hr: 1,
}

// silentTags hold nothing that a reader sees.
var silentTags = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Title: true, atom.Template: true, atom.Noscript: true, atom.Iframe: true,
	atom.Textarea: true, atom.Select: true, atom.Object: true, atom.Svg: true,
}

// htmlText reads the words, links and simple formatting of a piece of HTML.
func htmlText(f *fitting, e chat.Element) []near {
	var p chat.TextPayload
	if !f.read(e, &p) {
		return nil
	}
	text, spans := fromHTML(p.Content)
	if text == "" {
		return nil
	}
	return []near{{Element: formatted(text, spans)}}
}

// fromHTML goes over the tokens once and builds no tree, so depth costs nothing.
func fromHTML(source string) (string, []chat.Span) {
	w := &htmlWriter{}
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		kind := z.Next()
		if kind == html.ErrorToken { // the end: a string has no other
			return w.finish()
		}
		t := z.Token()
		switch kind {
		case html.TextToken:
			w.words(t.Data)
		case html.StartTagToken:
			w.start(t)
		case html.SelfClosingTagToken:
			w.single(t)
		case html.EndTagToken:
			w.end(t.DataAtom)
		default: // comments and the doctype
		}
	}
}

// htmlWriter collects text and spans. At counts UTF-16 units.
type htmlWriter struct {
	text   strings.Builder
	at     int
	spans  []chat.Span
	open   []openTag
	silent int // depth inside of silentTags
	pre    int // depth inside of <pre>
	lines  int // line ends due before the next word
	space  bool
}

type openTag struct {
	tag  atom.Atom
	span chat.Span // Length is set at the end
}

func (w *htmlWriter) start(t html.Token) {
	if silentTags[t.DataAtom] {
		w.silent++
	}
	if w.silent > 0 {
		return
	}
	switch t.DataAtom {
	case atom.Br, atom.Img, atom.Hr:
		w.single(t)
		return
	case atom.Td, atom.Th:
		w.space = true
	default:
	}
	w.breakLine(blockTags[t.DataAtom])
	if t.DataAtom == atom.Li {
		w.words("• ")
	}
	kind, ok := spanTags[t.DataAtom]
	if !ok {
		return
	}
	span := chat.Span{Type: kind, Offset: -1} // it begins with its first word
	if t.DataAtom == atom.A {
		if span.URL = safeLink(attribute(t, "href")); span.URL == "" {
			return
		}
	}
	if t.DataAtom == atom.Pre {
		w.pre++
	}
	w.open = append(w.open, openTag{t.DataAtom, span})
}

// single handles tags without content.
func (w *htmlWriter) single(t html.Token) {
	if w.silent > 0 {
		return
	}
	switch t.DataAtom {
	case atom.Br:
		w.lines++
		w.space = false
	case atom.Img:
		alt := attribute(t, "alt")
		if alt == "" {
			alt = safeLink(attribute(t, "src"))
		}
		w.words(alt)
	default:
		w.breakLine(blockTags[t.DataAtom])
	}
}

func (w *htmlWriter) end(tag atom.Atom) {
	if silentTags[tag] {
		w.silent = max(0, w.silent-1)
		return
	}
	if w.silent > 0 {
		return
	}
	for i, o := range slices.Backward(w.open) {
		if o.tag == tag {
			w.close(i)
			break
		}
	}
	w.breakLine(blockTags[tag])
}

// close ends the span of one open tag; tags that overlap do no harm.
func (w *htmlWriter) close(i int) {
	o := w.open[i]
	w.open = slices.Delete(w.open, i, i+1)
	if o.tag == atom.Pre {
		w.pre--
	}
	if o.span.Offset < 0 || w.at == o.span.Offset {
		return
	}
	o.span.Length = w.at - o.span.Offset
	w.spans = append(w.spans, o.span)
}

func (w *htmlWriter) breakLine(n int) {
	if n > 0 {
		w.lines = max(w.lines, n)
		w.space = false
	}
}

// words writes text; white space runs together but in <pre>.
func (w *htmlWriter) words(s string) {
	if w.silent > 0 {
		return
	}
	if w.pre > 0 {
		w.verbatim(s)
		return
	}
	for i, part := range strings.FieldsFunc(s, isHTMLSpace) {
		if i > 0 || isHTMLSpace(rune(s[0])) {
			w.space = true
		}
		w.write(part)
	}
	if s != "" && isHTMLSpace(rune(s[len(s)-1])) {
		w.space = true
	}
}

// verbatim writes text within <pre>. Line ends at its edges wait for the next words, but the first ones are dropped.
func (w *htmlWriter) verbatim(s string) {
	words := strings.TrimLeft(s, "\n")
	if !slices.ContainsFunc(w.open, func(o openTag) bool { return o.tag == atom.Pre && o.span.Offset < 0 }) {
		w.lines += len(s) - len(words)
	}
	trimmed := strings.TrimRight(words, "\n")
	w.write(trimmed)
	w.lines += len(words) - len(trimmed)
}

// isHTMLSpace tells the white space that HTML collapses; a no-break space is none.
func isHTMLSpace(r rune) bool { return r < unicode.MaxASCII && unicode.IsSpace(r) }

func (w *htmlWriter) write(s string) {
	if s == "" {
		return
	}
	if w.at > 0 {
		n := w.lines
		if w.pre == 0 {
			n = min(n, 2)
		}
		gap := strings.Repeat("\n", n)
		if gap == "" && w.space {
			gap = " "
		}
		w.text.WriteString(gap)
		w.at += len(gap)
	}
	w.lines, w.space = 0, false
	for i := range w.open {
		if w.open[i].span.Offset < 0 {
			w.open[i].span.Offset = w.at
		}
	}
	w.text.WriteString(s)
	w.at += len16(s)
}

// finish closes what is open and puts the spans into the order of the text.
func (w *htmlWriter) finish() (string, []chat.Span) {
	for len(w.open) > 0 {
		w.close(len(w.open) - 1)
	}
	slices.SortStableFunc(w.spans, func(a, b chat.Span) int {
		if a.Offset != b.Offset {
			return a.Offset - b.Offset
		}
		return b.Length - a.Length
	})
	return w.text.String(), w.spans
}

func attribute(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// safeLink passes addresses that a reader may follow; javascript: and the like are none.
func safeLink(s string) string {
	s = strings.TrimSpace(s)
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https", "mailto", "tel":
		return s
	default:
		return ""
	}
}
