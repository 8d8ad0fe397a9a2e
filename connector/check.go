package connector

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"
)

// The limits of a channel's settings.
const (
	SettingsLimit = 64 << 10 // bytes
	SettingsDepth = 32       // levels of objects and lists
)

// Problem is what is wrong with one setting, in words for people. It never has the value, which may be a secret.
type Problem struct {
	Setting string `json:"setting,omitempty"` // empty: the settings as a whole
	Detail  string `json:"detail"`
}

func (p Problem) String() string {
	if p.Setting == "" {
		return p.Detail
	}
	return p.Setting + ": " + p.Detail
}

// CheckSettings checks an object against p.Settings. The answer has defaults filled in, nulls left out and secrets
// made from random (32 bytes each) where Setting.Generate says so; with problems it is nil.
func (p Platform) CheckSettings(raw json.RawMessage, random io.Reader) (json.RawMessage, []Problem) {
	all, err := readSettings(raw)
	if err != nil {
		return nil, []Problem{{Detail: err.Error()}}
	}
	var problems []Problem
	for _, s := range p.Settings {
		if err := s.complete(all, random); err != nil {
			problems = append(problems, Problem{s.Name, err.Error()})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if _, ok := p.setting(name); !ok {
			problems = append(problems, Problem{name, "no such setting"})
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	out, err := json.Marshal(all)
	if err != nil {
		return nil, []Problem{{Detail: err.Error()}}
	}
	return out, nil
}

// setting finds the description of a setting.
func (p Platform) setting(name string) (Setting, bool) {
	for _, s := range p.Settings {
		if s.Name == name {
			return s, true
		}
	}
	return Setting{}, false
}

// readSettings reads a bounded object; members that are null count as left out.
func readSettings(raw json.RawMessage) (map[string]json.RawMessage, error) {
	if len(raw) > SettingsLimit {
		return nil, fmt.Errorf("more than %d bytes", SettingsLimit)
	}
	if !utf8.Valid(raw) {
		return nil, errors.New("not UTF-8")
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return map[string]json.RawMessage{}, nil
	}
	if err := checkDepth(raw); err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil || all == nil {
		return nil, errors.New("not a JSON object")
	}
	maps.DeleteFunc(all, func(_ string, v json.RawMessage) bool { return isNull(v) })
	return all, nil
}

func isNull(raw json.RawMessage) bool { return string(bytes.TrimSpace(raw)) == "null" }

// checkDepth looks at the brackets only, before anything is decoded.
func checkDepth(raw []byte) error {
	depth, text := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		if depth > SettingsDepth {
			return fmt.Errorf("more than %d levels deep", SettingsDepth)
		}
	}
	return nil
}

// complete checks one setting, or fills it in.
func (s Setting) complete(all map[string]json.RawMessage, random io.Reader) error {
	value, ok := all[s.Name]
	switch {
	case ok && (!s.Generate || !isEmptyText(value)):
		return s.check(value)
	case s.Generate:
		secret := make([]byte, 32)
		if _, err := io.ReadFull(random, secret); err != nil {
			return errors.New("no secret could be made")
		}
		all[s.Name] = quote(base64.RawURLEncoding.EncodeToString(secret))
	case s.Default != nil:
		raw, err := json.Marshal(s.Default)
		if err != nil {
			return fmt.Errorf("its default is no JSON: %w", err)
		}
		all[s.Name] = raw
	case s.Required:
		return errors.New("is needed")
	}
	return nil
}

func isEmptyText(raw json.RawMessage) bool { return string(bytes.TrimSpace(raw)) == `""` }

func quote(s string) json.RawMessage {
	raw, _ := json.Marshal(s) // text cannot fail
	return raw
}

// check tells whether a value has the form of the setting.
func (s Setting) check(value json.RawMessage) error {
	value = bytes.TrimSpace(value)
	ok := false
	switch s.Type {
	case String:
		return s.checkText(value)
	case Boolean:
		ok = string(value) == "true" || string(value) == "false"
	case Integer:
		_, err := strconv.ParseInt(string(value), 10, 64)
		ok = err == nil
	case Object:
		ok = value[0] == '{'
	case Array:
		ok = value[0] == '['
	}
	if !ok {
		return fmt.Errorf("must be of type %s", s.Type)
	}
	return nil
}

func (s Setting) checkText(value json.RawMessage) error {
	var text string
	if value[0] != '"' || json.Unmarshal(value, &text) != nil {
		return fmt.Errorf("must be of type %s", s.Type)
	}
	switch {
	case text == "" && s.Required:
		return errors.New("is needed")
	case text == "":
		return nil // the same as left out
	case len(s.Enum) > 0 && !slices.Contains(s.Enum, text):
		return fmt.Errorf("must be one of %q", s.Enum)
	case s.Pattern == "":
		return nil
	}
	re, err := regexp.Compile(s.Pattern)
	if err != nil {
		return fmt.Errorf("its pattern is wrong: %w", err)
	}
	if !re.MatchString(text) {
		return fmt.Errorf("must match %s", s.Pattern)
	}
	return nil
}
