package whatsapp

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// The shapes of a webhook call. Messages, statuses and groups stay raw here: one that has an unknown shape must not
// take its neighbours down with it.
type (
	envelope struct {
		Object string  `json:"object"`
		Entry  []entry `json:"entry"`
	}
	entry struct {
		ID      loose             `json:"id"` // the WhatsApp Business Account
		Time    loose             `json:"time"`
		Changes []json.RawMessage `json:"changes"`
	}
	change struct {
		Field string          `json:"field"`
		Value json.RawMessage `json:"value"`
	}
	value struct {
		Metadata struct {
			PhoneNumberID loose `json:"phone_number_id"`
		} `json:"metadata"`
		Contacts []profile         `json:"contacts"`
		Messages []json.RawMessage `json:"messages"`
		Echoes   []json.RawMessage `json:"message_echoes"`
		Statuses []json.RawMessage `json:"statuses"`
		Groups   []json.RawMessage `json:"groups"`
		Errors   []platformError   `json:"errors"`
	}
	profile struct {
		Profile struct {
			Name     string `json:"name"`
			Username string `json:"username"`
		} `json:"profile"`
		WaID   loose `json:"wa_id"`
		UserID loose `json:"user_id"`
	}
)

// loose is text that the platform sometimes writes as a number.
type loose string

// UnmarshalJSON takes a string, a number or null.
func (l *loose) UnmarshalJSON(raw []byte) error {
	if bytes.Equal(raw, []byte("null")) {
		*l = ""
		return nil
	}
	if len(raw) > 0 && raw[0] == '"' {
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		*l = loose(s)
		return nil
	}
	var num json.Number
	if err := json.Unmarshal(raw, &num); err != nil {
		return err
	}
	*l = loose(num.String())
	return nil
}

// lastSecond is the end of the year 9999: later times cannot be written as RFC 3339.
const lastSecond = 253402300799

// seconds reads a Unix time in seconds; zero if it is none.
func seconds(l loose) time.Time {
	s, err := strconv.ParseInt(string(l), 10, 64)
	if err != nil || s <= 0 || s > lastSecond {
		return time.Time{}
	}
	return time.Unix(s, 0).UTC()
}

// maxKey is the longest key in bytes (chat.Incoming.Key).
const maxKey = 200

// key joins the parts that name an occurrence; what would be too long is named by its hash.
func key(parts ...string) string {
	k := strings.Join(parts, ":")
	if len(k) > maxKey {
		return hashKey(parts[len(parts)-1], []byte(k))
	}
	return k
}

// hashKey names an occurrence that has no id of its own by its content.
func hashKey(what string, content ...[]byte) string {
	h := sha256.New()
	for _, c := range content {
		h.Write(c)
		h.Write([]byte{0})
	}
	if len(what) > 64 {
		what = what[:64]
	}
	return strings.ToValidUTF8(what, "") + ":" + hex.EncodeToString(h.Sum(nil)[:16])
}

// maxDepth is how deep the platform's JSON may be nested; real calls stay below 15.
const maxDepth = 64

// tooDeep tells whether JSON is nested deeper than maxDepth. Raw parts are stored inside other JSON, which must
// stay readable for everybody who comes later.
func tooDeep(raw []byte) bool {
	depth, quoted, escaped := 0, false, false
	for _, c := range raw {
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}', c == ']':
			depth--
		}
	}
	return false
}

// readEnvelope reads the whole call or refuses all of it.
func readEnvelope(body []byte) (envelope, error) {
	var env envelope
	if tooDeep(body) {
		return env, connector.Malformedf("body is nested deeper than %d", maxDepth)
	}
	if err := json.Unmarshal(body, &env); err != nil {
		return env, connector.Malformedf("body is not a webhook call: %s", err)
	}
	if env.Object == "" {
		return env, connector.Malformedf("body has no object")
	}
	return env, nil
}

// ignored stands for something that was read and is of no use to this channel.
func ignored(k string) chat.Incoming { return chat.Incoming{Key: k, Kind: chat.KindIgnored} }

// unreadable keeps an event of the channel that the hub cannot read.
func unreadable(k string, at time.Time, raw json.RawMessage) chat.Incoming {
	return chat.Incoming{Key: k, Kind: chat.KindUnsupported, At: at, Raw: raw}
}
