package hub

import (
	"encoding/json"
	"runtime"

	"github.com/dragoman-hub/dragoman/connector"
)

// hide keeps the secrets of a channel's settings out of the log for as long as anybody has the line: a request under way or a listener may
// have it longer than the channel has these settings.
func (h *Hub) hide(l *line, p connector.Platform, settings json.RawMessage) {
	if h.Hidden == nil {
		return
	}
	var open, shown any
	if json.Unmarshal(settings, &open) != nil || json.Unmarshal(p.Redact(settings), &shown) != nil {
		return // the connector has read them, so they are JSON
	}
	values := masked(open, shown)
	h.Hidden.Add(values...)
	runtime.AddCleanup(l, func(values []string) { h.Hidden.Remove(values...) }, values)
}

// masked finds the texts of settings that are not shown.
func masked(open, shown any) []string {
	var all []string
	switch v := open.(type) {
	case string:
		if shown != open {
			all = append(all, v)
		}
	case map[string]any:
		there, _ := shown.(map[string]any)
		for k := range v {
			all = append(all, masked(v[k], there[k])...)
		}
	case []any:
		there, _ := shown.([]any)
		for i := range v {
			var s any
			if i < len(there) {
				s = there[i]
			}
			all = append(all, masked(v[i], s)...)
		}
	}
	return all
}
