package knowledge

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// readMarkdown parts a text at its headings. An item has its heading as title, the headings above as section, and the document's
// address with the heading's anchor as url.
func readMarkdown(name, address string, all []string) []Item {
	m := markdown{address: address, title: name, seen: map[string]int{}}
	for _, line := range withoutFrontMatter(all) {
		m.take(line)
	}
	m.end()
	return m.items
}

// markdown is a text that is being read.
type markdown struct {
	address string
	seen    map[string]int // anchors
	title   string         // of what is being read
	anchor  string
	above   [7]string // headings, by their level
	level   int
	blocks  []string // paragraphs and fenced blocks
	lines   []string // of the block that is being read
	fence   string   // what closes the fenced block
	items   []Item
}

var (
	atx      = regexp.MustCompile(`^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$`)
	setext   = regexp.MustCompile(`^ {0,3}(=+|-+)[ \t]*$`)
	fenceOf  = regexp.MustCompile("^ {0,3}(`{3,}|~{3,})")
	anchorID = regexp.MustCompile(`[ \t]*\{#([A-Za-z0-9_.:-]+)\}[ \t]*$`)
	anchorA  = regexp.MustCompile(`<a\s+(?:id|name)="([^"]+)"\s*/?>(?:\s*</a>)?`)
	link     = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
)

func (m *markdown) take(line string) {
	line = strings.TrimRightFunc(line, unicode.IsSpace)
	if m.fence != "" {
		m.lines = append(m.lines, line)
		if closes(line, m.fence) {
			m.fence = ""
			m.endBlock()
		}
		return
	}
	if f := fenceOf.FindStringSubmatch(line); f != nil {
		m.endBlock()
		m.fence, m.lines = f[1], []string{line}
		return
	}
	if h := atx.FindStringSubmatch(line); h != nil {
		m.heading(len(h[1]), h[2])
		return
	}
	if h := setext.FindStringSubmatch(line); h != nil && len(m.lines) == 1 {
		text := m.lines[0]
		m.lines = nil
		level := 1
		if h[1][0] == '-' {
			level = 2
		}
		m.heading(level, text)
		return
	}
	if line == "" {
		m.endBlock()
		return
	}
	m.lines = append(m.lines, line)
}

// closes tells the end of a fenced block: the same sign, at least as often, and nothing else.
func closes(line, fence string) bool {
	line = strings.TrimSpace(line)
	return len(line) >= len(fence) && strings.Trim(line, fence[:1]) == ""
}

func (m *markdown) endBlock() {
	if len(m.lines) > 0 {
		m.blocks = append(m.blocks, strings.Join(m.lines, "\n"))
		m.lines = nil
	}
}

// heading ends what was read and begins a section.
func (m *markdown) heading(level int, text string) {
	m.end()
	id := ""
	if a := anchorID.FindStringSubmatch(text); a != nil {
		id, text = a[1], strings.TrimSuffix(text, a[0])
	}
	if a := anchorA.FindStringSubmatch(text); a != nil {
		id, text = a[1], strings.ReplaceAll(text, a[0], "")
	}
	text = shown(text)
	if id == "" {
		id = m.unique(slug(text))
	}
	m.title, m.anchor, m.level = text, id, level
	m.above[level] = text
	clear(m.above[level+1:])
}

// end makes items of the section that was read.
func (m *markdown) end() {
	m.endBlock()
	m.fence = ""
	var above []string
	for _, h := range m.above[:m.level] {
		if h != "" {
			above = append(above, h)
		}
	}
	like := Item{Title: short(m.title), Section: short(strings.Join(above, " > ")), URL: m.linkTo()}
	m.items = append(m.items, itemsOf(like, m.blocks)...)
	m.blocks = nil
}

// short keeps texts within what an item can have.
func short(s string) string { return s[:index(s, maxTitle)] }

func (m *markdown) linkTo() string {
	if m.address == "" || m.anchor == "" || len(m.anchor) > maxTitle/10 {
		return m.address
	}
	address, _, _ := strings.Cut(m.address, "#")
	return address + "#" + url.PathEscape(m.anchor)
}

// unique numbers anchors as the usual renderers do.
func (m *markdown) unique(anchor string) string {
	n := m.seen[anchor]
	m.seen[anchor] = n + 1
	if n == 0 {
		return anchor
	}
	return fmt.Sprintf("%s-%d", anchor, n)
}

// slug is the anchor that the usual renderers give a heading.
func slug(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-':
			return '-'
		case r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.M, r):
			return unicode.ToLower(r)
		default:
			return -1
		}
	}, text)
}

// shown takes the marks out of a heading.
func shown(text string) string {
	text = link.ReplaceAllString(text, "$1")
	return strings.TrimSpace(strings.NewReplacer("**", "", "__", "", "`", "", "*", "").Replace(text))
}

// withoutFrontMatter leaves the settings out that some tools put at the top, between lines of three dashes.
func withoutFrontMatter(all []string) []string {
	if strings.TrimSpace(all[0]) != "---" {
		return all
	}
	for i, line := range all[1:min(len(all), 200)] {
		if t := strings.TrimSpace(line); t == "---" || t == "..." {
			return all[i+2:]
		}
	}
	return all
}
