package wake

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Letter is what a part of one node tells its like on the others, such as a call to a worker that is connected there. It may get lost.
type Letter struct {
	Topic string          `json:"topic"`
	From  string          `json:"from"`         // the part that wrote it, by a name of its own choice
	To    string          `json:"to,omitempty"` // "": to all
	Body  json.RawMessage `json:"body"`
}

// Bounds of letters: the body of one, in bytes; what waits for one mailbox, by number and in bytes.
const (
	LetterBody  = 900 << 10 // NATS takes messages of 1 MiB
	LetterLimit = 4096
	letterBytes = 64 << 20
)

// The wire format of letters: subject "dragoman.post.<topic>", body {"v":1,"topic":"rpc","from":"a","to":"b","body":{...}}.
const (
	postPrefix = "dragoman.post."
	letterEdge = 4 << 10 // bytes around a body
)

type sealedLetter struct {
	V int `json:"v"`
	Letter
}

func (l Letter) check() error {
	for _, name := range []string{l.Topic, l.From} {
		if name == "" || len(name) > idLimit {
			return errMalformed
		}
	}
	if len(l.To) > idLimit || len(l.Body) == 0 || len(l.Body) > LetterBody {
		return errMalformed
	}
	return nil
}

// encodeLetter makes subject and body.
func encodeLetter(l Letter) (subject string, body []byte, err error) {
	if err := l.check(); err != nil {
		return "", nil, err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false) // which would let bodies grow
	if enc.Encode(sealedLetter{wireVersion, l}) != nil || out.Len() > LetterBody+letterEdge {
		return "", nil, errMalformed
	}
	return postPrefix + token(l.Topic), out.Bytes(), nil
}

// decodeLetter is the way back; whatever it accepts, encodeLetter accepts too.
func decodeLetter(subject string, body []byte) (Letter, error) {
	topic, ok := strings.CutPrefix(subject, postPrefix)
	if !ok || len(body) > LetterBody+letterEdge {
		return Letter{}, errMalformed
	}
	var l sealedLetter
	if json.Unmarshal(body, &l) != nil || l.V != wireVersion || token(l.Topic) != topic {
		return Letter{}, errMalformed
	}
	return l.Letter, l.check()
}

// letter keeps a letter for a mailbox of its topic; what is too much is lost.
func (s *Subscription) letter(l Letter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.news.Letters) == LetterLimit || s.bytes+len(l.Body) > letterBytes {
		return
	}
	s.news.Letters = append(s.news.Letters, l)
	s.bytes += len(l.Body)
	s.signal()
}
