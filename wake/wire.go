package wake

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// The wire format between nodes: subject "dragoman.wake.<workspace>", body
// {"v":1,"head":42} or {"v":1,"typing":{"conversation":"c","sender":{"type":"agent","id":"a"},"on":true}}
// or {"v":1,"draft":{"conversation":"c","id":"m","message":{"stack":[...]}}}
// or {"v":1,"presence":{"conversation":"c","user":"u","name":"Ann","doing":"looking","at":"2026-01-02T03:04:05Z"}}.
const (
	subjectPrefix = "dragoman.wake."
	wireVersion   = 1
	wireLimit     = 4096      // bytes of a body
	draftLimit    = 128 << 10 // bytes of a body with a draft
	idLimit       = 200       // bytes of an id
)

// errMalformed is a message that is not ours, or that would not be understood.
var errMalformed = errors.New("wake: malformed message")

type envelope struct {
	V        int       `json:"v"`
	Head     int64     `json:"head,omitempty"`
	Typing   *Typing   `json:"typing,omitempty"`
	Presence *Presence `json:"presence,omitempty"`
	Draft    *Draft    `json:"draft,omitempty"`
}

// encode makes subject and body.
func encode(w chat.WorkspaceID, e envelope) (subject string, body []byte, err error) {
	if err := e.check(w); err != nil {
		return "", nil, err
	}
	body, err = json.Marshal(e)
	if err != nil || len(body) > e.limit() {
		return "", nil, errMalformed
	}
	return subjectPrefix + token(string(w)), body, nil
}

// decode is the way back; whatever it accepts, encode accepts too.
func decode(subject string, body []byte) (chat.WorkspaceID, envelope, error) {
	name, ok := strings.CutPrefix(subject, subjectPrefix)
	if !ok || len(body) > draftLimit {
		return "", envelope{}, errMalformed
	}
	id, ok := untoken(name)
	if !ok {
		return "", envelope{}, errMalformed
	}
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return "", envelope{}, errMalformed
	}
	if len(body) > e.limit() {
		return "", envelope{}, errMalformed
	}
	w := chat.WorkspaceID(id)
	if e.Typing != nil {
		e.Typing.Workspace = w
	}
	if e.Draft != nil {
		e.Draft.Workspace = w
	}
	if e.Presence != nil {
		e.Presence.Workspace = w
	}
	return w, e, e.check(w)
}

func (e envelope) check(w chat.WorkspaceID) error {
	kinds := 0
	for _, has := range []bool{e.Head > 0, e.Typing != nil, e.Presence != nil, e.Draft != nil} {
		if has {
			kinds++
		}
	}
	if e.V != wireVersion || w == "" || len(w) > idLimit || kinds != 1 || e.Head < 0 {
		return errMalformed
	}
	if d := e.Draft; d != nil && (d.Conversation == "" || len(d.Conversation) > idLimit || d.ID == "" || len(d.ID) > idLimit) {
		return errMalformed
	}
	if p := e.Presence; p != nil && (p.Conversation == "" || len(p.Conversation) > idLimit || p.User == "" || len(p.User) > idLimit || !p.Doing.known()) {
		return errMalformed
	}
	if t := e.Typing; t != nil && (t.Conversation == "" || len(t.Conversation) > idLimit || t.Sender.Type == "") {
		return errMalformed
	}
	return nil
}

func (d Doing) known() bool { return d == Looking || d == Writing || d == GoneAway }

func (e envelope) limit() int {
	if e.Draft != nil {
		return draftLimit
	}
	return wireLimit
}

// token writes any text as one NATS subject token: letters, digits, "-" and "_" as they are, other bytes as
// "=XX". Dots, stars, ">" and blanks have a meaning in subjects.
func token(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; plain(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('=')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}

// untoken takes back only what token writes, so that one workspace has one subject.
func untoken(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '=' {
			b.WriteByte(s[i])
			continue
		}
		if i+3 > len(s) {
			return "", false
		}
		c, err := hex.DecodeString(s[i+1 : i+3])
		if err != nil {
			return "", false
		}
		b.WriteByte(c[0])
		i += 2
	}
	return b.String(), token(b.String()) == s
}

func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}
