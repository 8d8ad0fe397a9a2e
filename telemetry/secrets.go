package telemetry

import (
	"cmp"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Secrets are values that must not stand in any log line. It is safe for concurrent use.
type Secrets struct {
	mu     sync.Mutex
	values map[string]int    // how often each was registered
	hide   *strings.Replacer // nil: to be made
}

// shortest is the length below which a value is no secret, but part of ordinary words.
const shortest = 6

// Add registers values, each as often as it is added; short ones are left out, for they would hide half of every line.
func (s *Secrets) Add(values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		s.values = map[string]int{}
	}
	for _, v := range values {
		if len(v) < shortest {
			continue
		}
		if s.values[v] == 0 {
			s.hide = nil
		}
		s.values[v]++
	}
}

// Remove takes back one Add of each value, as when a channel was given new ones. The last one forgets it.
func (s *Secrets) Remove(values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range values {
		switch n := s.values[v]; {
		case n > 1:
			s.values[v] = n - 1
		case n == 1:
			delete(s.values, v)
			s.hide = nil
		}
	}
}

// Hide replaces every registered secret in a text, also as it looks inside JSON, quotes and addresses.
func (s *Secrets) Hide(text string) string { return s.replacer().Replace(text) }

func (s *Secrets) replacer() *strings.Replacer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hide == nil {
		var all, pairs []string
		for v := range s.values {
			all = append(all, forms(v)...)
		}
		// of two that begin at the same place the longer one is hidden, or its rest would show
		slices.SortFunc(all, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
		for _, form := range all {
			pairs = append(pairs, form, hidden)
		}
		s.hide = strings.NewReplacer(pairs...)
	}
	return s.hide
}

func forms(v string) []string {
	all := []string{v, url.QueryEscape(v), url.PathEscape(v), inner(strconv.Quote(v))}
	if raw, err := json.Marshal(v); err == nil {
		all = append(all, inner(string(raw)))
	}
	return all
}

func inner(quoted string) string { return quoted[1 : len(quoted)-1] }

// hiding filters the lines of a slog handler, each of which is one Write.
type hiding struct {
	w       io.Writer
	secrets *Secrets
	json    bool
}

// Write is io.Writer.
func (h *hiding) Write(line []byte) (int, error) {
	text := string(line)
	if h.json {
		text = eachString(text, h.secrets.Hide)
	} else {
		text = h.secrets.Hide(text)
	}
	if _, err := io.WriteString(h.w, text); err != nil {
		return 0, err
	}
	return len(line), nil
}

// eachString changes the strings of a JSON text one by one: a change across their borders or inside an escape would break the text.
func eachString(text string, change func(string) string) string {
	var out strings.Builder
	for {
		start := strings.IndexByte(text, '"')
		if start < 0 {
			break
		}
		end := start + 1
		for end < len(text) && text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end+1, len(text))
		out.WriteString(text[:start])
		out.WriteString(changed(text[start:end], change))
		text = text[end:]
	}
	out.WriteString(text)
	return out.String()
}

// changed is a JSON string after a change; as it was if there is none.
func changed(literal string, change func(string) string) string {
	var text string
	if json.Unmarshal([]byte(literal), &text) != nil {
		return literal
	}
	after := change(text)
	if after == text {
		return literal
	}
	raw, err := json.Marshal(after)
	if err != nil {
		return strconv.Quote(hidden)
	}
	return string(raw)
}
