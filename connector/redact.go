package connector

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Hidden stands for a secret in settings that are shown.
const Hidden = "***"

// Redact gives the settings as they may be shown: secrets, and members that p.Settings does not know, are Hidden.
// What is no JSON object becomes {}.
func (p Platform) Redact(raw json.RawMessage) json.RawMessage {
	all, err := readSettings(raw)
	if err != nil {
		return json.RawMessage("{}")
	}
	for name, value := range all {
		s, ok := p.setting(name)
		if !ok || s.Secret {
			all[name] = quote(Hidden)
		} else if len(s.Secrets) > 0 {
			all[name] = s.hide(value)
		}
	}
	return object(all)
}

// MergeSettings lays the members of patch on old: null takes one away, Hidden keeps the old secret, anything else
// replaces the old value as a whole. Inside an object Hidden means the old secret at the same place; in a list of
// another length than before there is no same place, and the secret must be given again.
func (p Platform) MergeSettings(old, patch json.RawMessage) (json.RawMessage, error) {
	all, err := readSettings(old)
	if err != nil {
		return nil, Malformedf("stored settings: %v", err)
	}
	if _, err := readSettings(patch); err != nil {
		return nil, Malformedf("settings: %v", err)
	}
	changes := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(patch)) > 0 {
		if err := json.Unmarshal(patch, &changes); err != nil {
			return nil, Malformedf("settings: %v", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		if isNull(changes[name]) {
			delete(all, name)
			continue
		}
		value, err := p.keep(name, all[name], changes[name])
		if err != nil {
			return nil, err
		}
		all[name] = value
	}
	return object(all), nil
}

// keep puts the old secrets where the new value has Hidden.
func (p Platform) keep(name string, old, value json.RawMessage) (json.RawMessage, error) {
	s, known := p.setting(name)
	if s.Secret || !known {
		var text string
		if json.Unmarshal(value, &text) != nil || text != Hidden {
			return value, nil
		}
		if old == nil {
			return nil, Malformedf("settings: %s: there is no old secret to keep", name)
		}
		return old, nil
	}
	if len(s.Secrets) == 0 {
		return value, nil
	}
	was, now := plain(old), plain(value)
	for _, path := range s.Secrets {
		if !restore(&now, was, strings.Split(path, ".")) {
			return nil, Malformedf("settings: %s.%s: there is no old secret to keep", name, path)
		}
	}
	return json.Marshal(now)
}

// hide replaces the secret members of an object.
func (s Setting) hide(value json.RawMessage) json.RawMessage {
	v := plain(value)
	for _, path := range s.Secrets {
		visit(&v, strings.Split(path, "."), func(at *any) {
			if *at != nil {
				*at = Hidden
			}
		})
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return quote(Hidden)
	}
	return raw
}

// visit calls do for every value at the path that is there.
func visit(v *any, path []string, do func(at *any)) {
	if len(path) == 0 {
		do(v)
		return
	}
	switch x := (*v).(type) {
	case map[string]any:
		for name, member := range x {
			if names(path[0], name) {
				visit(&member, path[1:], do)
				x[name] = member
			}
		}
	case []any:
		if path[0] == "*" {
			for i := range x {
				visit(&x[i], path[1:], do)
			}
		}
	}
}

// restore walks old and new side by side and replaces each Hidden; false if one has no old value.
func restore(now *any, was any, path []string) bool {
	if len(path) == 0 {
		if *now != Hidden {
			return true
		}
		*now = was
		return was != nil
	}
	switch x := (*now).(type) {
	case map[string]any:
		return restoreMember(x, was, path)
	case []any:
		return path[0] != "*" || restoreList(x, was, path)
	default:
		return true
	}
}

func restoreMember(x map[string]any, was any, path []string) bool {
	old, _ := was.(map[string]any)
	for name, member := range x {
		if !names(path[0], name) {
			continue
		}
		if !restore(&member, old[name], path[1:]) {
			return false
		}
		x[name] = member
	}
	return true
}

// names tells whether a step of a path means a member: in any case of letters, for encoding/json reads them so; "*" is any.
func names(step, member string) bool { return step == "*" || strings.EqualFold(step, member) }

func restoreList(x []any, was any, path []string) bool {
	old, _ := was.([]any)
	for i := range x {
		var before any
		if len(old) == len(x) {
			before = old[i]
		}
		if !restore(&x[i], before, path[1:]) {
			return false
		}
	}
	return true
}

// plain decodes a value that is known to be JSON; numbers keep their digits.
func plain(raw json.RawMessage) any {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil
	}
	return v
}

func object(all map[string]json.RawMessage) json.RawMessage {
	raw, err := json.Marshal(all)
	if err != nil { // the members were read from JSON
		return json.RawMessage("{}")
	}
	return raw
}
