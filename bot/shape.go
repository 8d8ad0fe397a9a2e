package bot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// Limits of a definition.
const (
	maxDefinition  = 1 << 20 // bytes
	maxDepth       = 64      // nested objects and lists
	maxStates      = 1000
	maxTransitions = 10_000
	maxExpressions = 10_000
	maxName        = 200 // bytes of a state's, queue's or function's name
)

// checkShape refuses what encoding/json would let pass in silence: keys given twice, too deep nesting, bytes
// after the end, text that is not UTF-8.
func checkShape(raw []byte, f *faults) bool {
	switch {
	case len(raw) > maxDefinition:
		f.addf("", "too large: %d bytes, at most %d", len(raw), maxDefinition)
	case !utf8.Valid(raw):
		f.addf("", "not UTF-8")
	case !json.Valid(raw):
		f.addf("", "not JSON: %s", jsonFault(raw))
	default:
		walkShape(json.NewDecoder(bytes.NewReader(raw)), f)
	}
	return len(f.problems) == 0
}

func jsonFault(raw []byte) string {
	var v any
	err := json.Unmarshal(raw, &v)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("%v at byte %d", err, syntax.Offset)
	}
	return fmt.Sprint(err)
}

// level is one open object or list during the walk.
type level struct {
	path  string
	keys  map[string]bool // nil: a list
	key   string          // of an object: the key whose value comes next; "" with open false: a key comes next
	open  bool
	index int
}

// next gives the path of the value that begins now.
func (l *level) next() string {
	if l.keys != nil {
		l.open = false
		return join(l.path, l.key)
	}
	l.index++
	return l.path + "[" + strconv.Itoa(l.index-1) + "]"
}

func walkShape(d *json.Decoder, f *faults) {
	d.UseNumber()
	var open []*level
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			f.addf("", "not JSON: %v", err)
			return
		}
		if delim, ok := token.(json.Delim); ok && (delim == '}' || delim == ']') {
			open = open[:len(open)-1]
			continue
		}
		path := ""
		if len(open) > 0 {
			top := open[len(open)-1]
			if top.keys != nil && !top.open {
				top.take(token.(string), f)
				continue
			}
			path = top.next()
		}
		if delim, ok := token.(json.Delim); ok {
			if len(open) == maxDepth {
				f.addf(path, "nested deeper than %d", maxDepth)
				return
			}
			open = append(open, opened(delim, path))
		}
	}
}

func opened(delim json.Delim, path string) *level {
	if delim == '{' {
		return &level{path: path, keys: map[string]bool{}}
	}
	return &level{path: path}
}

func (l *level) take(key string, f *faults) {
	if l.keys[key] {
		f.addf(join(l.path, key), "given twice")
	}
	l.keys[key], l.key, l.open = true, key, true
}

// join appends a key to a path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// canonical gives the definition in one form: compact, keys sorted, numbers as written.
func canonical(raw []byte) json.RawMessage {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return nil
	}
	return bytes.TrimSpace(out.Bytes())
}
