package connectortest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// section is one "-- name --" of a transcript with the bytes below it.
type section struct {
	name string
	data []byte
}

// content is the data without its last end of line, decoded if the name says base64.
func (s *section) content() ([]byte, error) {
	if s == nil {
		return nil, nil
	}
	data := bytes.TrimSuffix(s.data, []byte("\n"))
	if !strings.HasSuffix(s.name, " base64") {
		return data, nil
	}
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(data)), ""))
}

// transcript is one file.
type transcript struct {
	name  string // of the file, without folder and ending
	path  string
	words []byte
	setup map[string]*section // settings, now, webhook_url, notes
	acts  []*act
}

// act is something done with the connector, and what must follow.
type act struct {
	kind   string
	head   *section
	body   *section
	sign   bool
	steps  []*step
	want   map[string]*section // events, reply, sent, result, error, notes
	answer *section            // body of the reply
}

// step is one request to the platform, its answer, and (listen) what was emitted after it.
type step struct {
	request, body      *section
	answer, answerBody *section
	events             *section
}

// setups, kinds and wants are the words of the format, in the order in which a file has them.
var (
	setups = []string{"settings", "now", "webhook_url", "notes"}
	kinds  = []string{
		"open", "receive", "send", "listen", "typing", "mark_read", "edit", "delete", "react", "profile",
		"download", "acknowledge", "register", "unregister", "check", "renew",
	}
	wants  = []string{"events", "reply", "sent", "result", "error", "notes"}
	bodies = []string{"body", "body base64", "json", "form", "multipart"}
)

// load reads all transcripts of a folder, in the order of their names.
func load(dir string) ([]*transcript, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil {
		return nil, err
	}
	sort.Strings(paths)
	all := make([]*transcript, 0, len(paths))
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		tr, err := parse(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		tr.path = path
		tr.name = strings.TrimSuffix(filepath.Base(path), ".txtar")
		all = append(all, tr)
	}
	return all, nil
}

// split cuts a txtar file into its free words and sections.
func split(data []byte) ([]byte, []*section) {
	var words []byte
	var all []*section
	for line := range bytes.Lines(data) {
		if name, ok := marker(line); ok {
			all = append(all, &section{name: name})
			continue
		}
		if len(all) == 0 {
			words = append(words, line...)
			continue
		}
		last := all[len(all)-1]
		last.data = append(last.data, line...)
	}
	return words, all
}

// marker tells whether a line is "-- name --".
func marker(line []byte) (string, bool) {
	s := strings.TrimRight(string(line), "\r\n")
	if len(s) < 7 || !strings.HasPrefix(s, "-- ") || !strings.HasSuffix(s, " --") {
		return "", false
	}
	return strings.TrimSpace(s[3 : len(s)-3]), true
}

// parse reads a transcript; what is not in the format is an error.
func parse(data []byte) (*transcript, error) {
	words, sections := split(data)
	tr := &transcript{words: words, setup: map[string]*section{}}
	var slot **section // where a body section belongs
	for _, s := range sections {
		next, err := tr.add(s, slot)
		if err != nil {
			return nil, fmt.Errorf("section %q: %w", s.name, err)
		}
		slot = next
	}
	if len(tr.acts) == 0 {
		return nil, fmt.Errorf("no act: one of %s", strings.Join(kinds, ", "))
	}
	return tr, nil
}

// add puts one section in its place and answers where a body after it belongs.
func (tr *transcript) add(s *section, slot **section) (**section, error) {
	if has(kinds, s.name) {
		a := &act{kind: s.name, head: s, want: map[string]*section{}}
		tr.acts = append(tr.acts, a)
		return &a.body, nil
	}
	if has(bodies, s.name) {
		if slot == nil || *slot != nil {
			return nil, fmt.Errorf("a body must follow receive, request, answer or reply")
		}
		*slot = s
		return nil, nil
	}
	if len(tr.acts) == 0 {
		if !has(setups, s.name) {
			return nil, fmt.Errorf("unknown, or before the first act")
		}
		tr.setup[s.name] = s
		return nil, nil
	}
	return tr.acts[len(tr.acts)-1].add(s)
}

func (a *act) add(s *section) (**section, error) {
	switch {
	case s.name == "sign":
		a.sign = true
		return nil, nil
	case s.name == "request":
		st := &step{request: s}
		a.steps = append(a.steps, st)
		return &st.body, nil
	case s.name == "answer":
		if len(a.steps) == 0 || a.steps[len(a.steps)-1].answer != nil {
			a.steps = append(a.steps, &step{})
		}
		st := a.steps[len(a.steps)-1]
		st.answer = s
		return &st.answerBody, nil
	case s.name == "events" && a.kind == "listen":
		if len(a.steps) == 0 || a.steps[len(a.steps)-1].events != nil {
			return nil, fmt.Errorf("must follow an answer")
		}
		a.steps[len(a.steps)-1].events = s
		return nil, nil
	case !has(wants, s.name):
		return nil, fmt.Errorf("unknown")
	case a.want[s.name] != nil:
		return nil, fmt.Errorf("twice in one act")
	}
	a.want[s.name] = s
	if s.name == "reply" {
		return &a.answer, nil
	}
	return nil, nil
}

// format is the file again, sections in their usual order.
func (tr *transcript) format() []byte {
	var out bytes.Buffer
	out.Write(tr.words)
	put := func(list ...*section) {
		for _, s := range list {
			if s == nil {
				continue
			}
			fmt.Fprintf(&out, "-- %s --\n", s.name)
			out.Write(s.data)
			if n := len(s.data); n > 0 && s.data[n-1] != '\n' {
				out.WriteByte('\n')
			}
		}
	}
	for _, name := range setups {
		put(tr.setup[name])
	}
	for _, a := range tr.acts {
		put(a.head, a.body)
		if a.sign {
			put(&section{name: "sign"})
		}
		for _, st := range a.steps {
			put(st.request, st.body, st.answer, st.answerBody, st.events)
		}
		for _, name := range wants {
			put(a.want[name])
			if name == "reply" {
				put(a.answer)
			}
		}
	}
	return out.Bytes()
}

// head reads "FIRST LINE" and "Name: value" lines; lines with # are remarks.
func head(s *section) (string, http.Header, error) {
	first, header := "", http.Header{}
	for line := range strings.Lines(string(s.data)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if first == "" {
			first = line
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return "", nil, fmt.Errorf("section %q: not a header: %q", s.name, line)
		}
		header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if first == "" {
		return "", nil, fmt.Errorf("section %q is empty", s.name)
	}
	return first, header, nil
}

// parseAnswer reads an answer section and its body.
func parseAnswer(s, body *section) (answer, error) {
	first, header, err := head(s)
	if err != nil {
		return answer{}, err
	}
	a := answer{header: header}
	if a.body, err = body.content(); err != nil {
		return answer{}, err
	}
	words := strings.Fields(first)
	if has([]string{refused, lost, timedOut}, words[0]) {
		a.fault = words[0]
		return a, nil
	}
	if len(words) > 1 && words[1] == cut {
		a.fault = cut
	}
	if a.status, err = strconv.Atoi(words[0]); err != nil || a.status < 200 || a.status > 599 {
		return answer{}, fmt.Errorf("answer: not a status: %q", first)
	}
	if trimmed := bytes.TrimSpace(a.body); header.Get("Content-Type") == "" && len(trimmed) > 0 && bytes.ContainsRune([]byte("{["), rune(trimmed[0])) {
		header.Set("Content-Type", "application/json")
	}
	return a, nil
}

// merge lays the members of over on base; null takes one away.
func merge(base, over []byte) ([]byte, error) {
	all, changes := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if err := json.Unmarshal(base, &all); err != nil {
		return nil, fmt.Errorf("settings.json: %w", err)
	}
	if len(over) > 0 {
		if err := json.Unmarshal(over, &changes); err != nil {
			return nil, fmt.Errorf("settings: %w", err)
		}
	}
	for name, value := range changes {
		if string(value) == "null" {
			delete(all, name)
			continue
		}
		all[name] = value
	}
	return json.Marshal(all)
}

func has(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
