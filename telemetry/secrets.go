package telemetry

import (
	"encoding/json"
	"io"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// Secrets are values that must not stand in any log line. It is safe for concurrent use.
type Secrets struct {
	mu     sync.Mutex
	values map[string]struct{}
	hide   *strings.Replacer // nil: to be made
}

// shortest is the length below which a value is no secret, but part of ordinary words.
const shortest = 6

// Add registers values; short ones are left out, for they would hide half of every line.
func (s *Secrets) Add(values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		s.values = map[string]struct{}{}
	}
	for _, v := range values {
		if len(v) >= shortest {
			s.values[v] = struct{}{}
			s.hide = nil
		}
	}
}

// Remove forgets values, as when a channel was given new ones.
func (s *Secrets) Remove(values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range values {
		delete(s.values, v)
	}
	s.hide = nil
}

// Hide replaces every registered secret in a text, also as it looks inside JSON, quotes and addresses.
func (s *Secrets) Hide(text string) string { return s.replacer().Replace(text) }

func (s *Secrets) replacer() *strings.Replacer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hide == nil {
		var pairs []string
		for v := range s.values {
			for _, form := range forms(v) {
				pairs = append(pairs, form, hidden)
			}
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
}

// Write is io.Writer.
func (h *hiding) Write(line []byte) (int, error) {
	if _, err := io.WriteString(h.w, h.secrets.Hide(string(line))); err != nil {
		return 0, err
	}
	return len(line), nil
}
