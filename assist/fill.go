package assist

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// MaxText bounds a canned reply's text in one language, in bytes.
const MaxText = 10_000

// variable is what may stand between {{ and }}: a name, and after a bar what is taken where nothing is known.
var variable = regexp.MustCompile(`^\s*([a-z_]+(?:\.[\pL\pN_-]+)+)\s*(?:\|\s*([^{}|]*?)\s*)?$`)

// known are the variables; what ends in a dot takes any name behind it.
var known = []string{
	"contact.id", "contact.name", "contact.first_name", "contact.last_name", "contact.username", "contact.language", "contact.phone",
	"contact.email", "contact.fields.", "agent.id", "agent.name", "agent.first_name", "conversation.id", "conversation.queue",
	"conversation.channel", "fields.",
}

// piece is a stretch of a text: as it is, or a variable.
type piece struct {
	text     string // as it stands in the text
	name     string // of a variable
	fallback string
}

// pieces takes a text apart. An error says what cannot be filled in.
func pieces(text string) ([]piece, error) {
	var out []piece
	for text != "" {
		plain, rest, found := strings.Cut(text, "{{")
		if plain != "" {
			out = append(out, piece{text: plain})
		}
		if !found {
			break
		}
		inner, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return nil, errors.New("{{ without }}")
		}
		m := variable.FindStringSubmatch(inner)
		if m == nil {
			return nil, fmt.Errorf("{{%.60s}}: a name such as contact.name is wanted, or {{contact.name|otherwise}}", inner)
		}
		if !isKnown(m[1]) {
			return nil, fmt.Errorf("{{%.60s}}: no such variable", inner)
		}
		out = append(out, piece{text: "{{" + inner + "}}", name: m[1], fallback: m[2]})
		text = after
	}
	return out, nil
}

func isKnown(name string) bool {
	return slices.ContainsFunc(known, func(k string) bool {
		open := strings.HasSuffix(k, ".")
		return name == k || open && strings.HasPrefix(name, k) && !strings.Contains(name[len(k):], ".")
	})
}

// CheckText says what is wrong with a text that is to be filled in.
func CheckText(text string) error {
	if strings.TrimSpace(text) == "" {
		return errors.New("there is no text")
	}
	if len(text) > MaxText {
		return fmt.Errorf("%d bytes at the most", MaxText)
	}
	_, err := pieces(text)
	return err
}

// Fill puts values into a text. What is not known stays as it stands in the text and is named in missing, each once: such a text is
// for an agent to complete, not to be sent.
func Fill(text string, values Values) (filled string, missing []string) {
	parts, err := pieces(text)
	if err != nil {
		return text, []string{err.Error()} // it was stored by a program with other variables
	}
	var b strings.Builder
	for _, p := range parts {
		switch v := values[p.name]; {
		case p.name == "":
			b.WriteString(p.text)
		case v != "":
			b.WriteString(v)
		case p.fallback != "":
			b.WriteString(p.fallback)
		default:
			b.WriteString(p.text)
			if !slices.Contains(missing, p.name) {
				missing = append(missing, p.name)
			}
		}
	}
	return b.String(), missing
}

// InLanguage picks the text for a reader: of the first language wanted that there is one in (or in a language that only differs by its
// region), else of the fallback.
func InLanguage(texts map[string]string, fallback string, wanted ...string) (language, text string) {
	for _, w := range append(wanted, fallback) {
		if w == "" {
			continue
		}
		if l := nearest(texts, w); l != "" {
			return l, texts[l]
		}
	}
	for _, l := range languages(texts) {
		return l, texts[l]
	}
	return "", ""
}

// nearest is the language of the texts that is nearest to one: the same, else one of the same base, the one without a region first.
func nearest(texts map[string]string, wanted string) string {
	base := ""
	for _, l := range languages(texts) { // the shorter of two with the same beginning comes first
		switch {
		case strings.EqualFold(l, wanted):
			return l
		case base == "" && strings.EqualFold(baseOf(l), baseOf(wanted)):
			base = l
		}
	}
	return base
}

func baseOf(language string) string {
	base, _, _ := strings.Cut(strings.ReplaceAll(language, "_", "-"), "-")
	return base
}

func languages(texts map[string]string) []string {
	out := make([]string, 0, len(texts))
	for l := range texts {
		out = append(out, l)
	}
	slices.Sort(out)
	return out
}
