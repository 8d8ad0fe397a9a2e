package connector

import (
	"bytes"
	"encoding/json"
	"io"
	"sort"
	"strings"
)

// SettingType is the form of a setting.
type SettingType string

// The forms of settings.
const (
	String  SettingType = "string"
	Boolean SettingType = "boolean"
	Integer SettingType = "integer"
	Object  SettingType = "object"
	Array   SettingType = "array"
)

// Setting describes one setting of a channel, for the form in the admin pages, the JSON Schema of the API and the check.
type Setting struct {
	Name     string
	Title    string
	Type     SettingType
	Secret   bool // sealed at rest, never shown
	Required bool
	Default  any
	Enum     []string
	Pattern  string // RE2, for strings
	Help     string // where to find it, in a sentence
	// Generate makes a value for a secret that was left out: 32 random bytes in URL-safe Base64.
	Generate bool
	// Secrets names members of an Object that are secret, by dotted path; "*" stands for any index of a list and any member.
	Secrets []string
}

// Schema gives the settings as a JSON Schema (2020-12) object; secrets are marked writeOnly.
func (p Platform) Schema() map[string]any {
	props := map[string]any{}
	required := []string{}
	for _, s := range p.Settings {
		props[s.Name] = s.schema()
		if s.Required {
			required = append(required, s.Name)
		}
	}
	schema := map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
		"properties": props, "additionalProperties": false,
	}
	if len(required) > 0 {
		sort.Strings(required)
		schema["required"] = required
	}
	return schema
}

func (s Setting) schema() map[string]any {
	m := map[string]any{"type": string(s.Type), "title": s.Title}
	if s.Help != "" {
		m["description"] = s.Help
	}
	if s.Secret {
		m["writeOnly"] = true
		m["format"] = "password"
	}
	if s.Default != nil {
		m["default"] = s.Default
	}
	if len(s.Enum) > 0 {
		m["enum"] = s.Enum
	}
	if s.Pattern != "" {
		m["pattern"] = s.Pattern
	}
	return m
}

// Decode reads the settings into a struct; a member that the struct has not got is an error.
func (e Env) Decode(into any) error {
	raw := e.Settings
	if len(raw) == 0 {
		raw = json.RawMessage("{}")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return Malformedf("settings: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := dec.Token(); err != io.EOF {
		return Malformedf("settings: more than one value")
	}
	return nil
}
