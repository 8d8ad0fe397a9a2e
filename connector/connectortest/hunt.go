package connectortest

import (
	"encoding/json"
	"net/url"
	"strings"
)

// hostRule allows the hosts that the settings and their defaults name, and those of WithHosts.
func (x *exam) hostRule(settings json.RawMessage) func(string) bool {
	hosts := append([]string(nil), x.hosts...)
	for _, s := range x.platform.Settings {
		if text, ok := s.Default.(string); ok {
			hosts = append(hosts, hostOf(text))
		}
	}
	walk(settings, func(_ string, text string) { hosts = append(hosts, hostOf(text)) })
	return func(host string) bool {
		for _, h := range hosts {
			if h == "" {
				continue
			}
			if h == host || strings.HasPrefix(h, "*.") && strings.HasSuffix(host, h[1:]) {
				return true
			}
		}
		return false
	}
}

func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// walk visits all texts in a JSON value with their dotted paths.
func walk(raw json.RawMessage, visit func(path, text string)) {
	v, err := decode(raw)
	if err != nil {
		return
	}
	var step func(path string, v any)
	step = func(path string, v any) {
		switch v := v.(type) {
		case string:
			visit(strings.TrimPrefix(path, "."), v)
		case map[string]any:
			for name, member := range v {
				step(path+"."+name, member)
			}
		case []any:
			for _, member := range v {
				step(path+".*", member)
			}
		}
	}
	step("", v)
}

// secrets are the values of the secret settings.
func (x *exam) secrets(settings json.RawMessage) []string {
	secret := map[string]bool{}
	for _, s := range x.platform.Settings {
		if s.Secret {
			secret[s.Name] = true
		}
		for _, path := range s.Secrets {
			secret[s.Name+"."+path] = true
		}
	}
	var all []string
	walk(settings, func(path, text string) {
		for p := path; ; {
			if secret[p] {
				all = append(all, text)
				return
			}
			i := strings.LastIndexByte(p, '.')
			if i < 0 {
				return
			}
			p = p[:i]
		}
	})
	return all
}

// hunt looks for secrets and signed links in the log and in what the connector said.
func (x *exam) hunt(t T, w *world, where string, said ...string) {
	t.Helper()
	said = append(said, w.log.String())
	for _, secret := range append(x.secrets(w.env.Settings), w.handedIn()...) {
		for _, text := range said {
			if leaks(text, secret) {
				t.Errorf("%s: a secret or a signed link is shown: %.300q", where, strings.ReplaceAll(text, secret, "<SECRET>"))
			}
		}
	}
}

func leaks(text, secret string) bool {
	if len(secret) < secretBytes {
		return false // settingsLaw asks for longer ones
	}
	return strings.Contains(text, secret) || strings.Contains(text, url.QueryEscape(secret)) || strings.Contains(text, url.PathEscape(secret))
}
