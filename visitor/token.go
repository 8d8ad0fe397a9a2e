package visitor

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector/webchat"
)

// visitor is who a token stands for, on one channel. ID is the browser's and stays the same when its user gets known, so that what was
// sent before and after that is told apart by the same name.
type visitor struct {
	ID    string `json:"i"`
	Known string `json:"k,omitempty"` // the site's id of the user
	Name  string `json:"n,omitempty"` // as the site has it
	Email string `json:"e,omitempty"`
	Made  int64  `json:"t"` // seconds
}

// address is the contact's on the channel.
func (v visitor) address() string {
	if v.Known != "" {
		return webchat.Known + v.Known
	}
	return webchat.Anonymous + v.ID
}

func (v visitor) thread() chat.Thread { return chat.Thread{Address: v.address()} }

// tokenPlace is what a token is good for: one channel, and for users of the site the secret that they were signed with: a new secret ends
// their tokens, and so does another audience.
func tokenPlace(x *site, known bool) string {
	place := "visitor/" + string(x.channel)
	if known {
		sum := sha256.Sum256([]byte(x.IdentitySecret + x.IdentityAudience))
		place += "/" + hex.EncodeToString(sum[:])
	}
	return place
}

// issued is a token with the time when it ends.
type issued struct {
	Token   string    `json:"token"`
	Expires time.Time `json:"expires_at"`
	Visitor string    `json:"visitor"`
}

// issue makes a token.
func (s *Server) issue(x *site, v visitor) issued {
	now := s.Now()
	v.Made = now.Unix()
	raw, _ := json.Marshal(v) // plain data: cannot fail
	life := s.Limits.Life
	if v.Known != "" {
		life = min(life, knownLife)
	}
	until := now.Add(life).UTC().Truncate(time.Second)
	return issued{Token: s.Signer.Sign(tokenPlace(x, v.Known != ""), string(raw), until), Expires: until, Visitor: v.address()}
}

func errNoToken() error {
	return refusal{http.StatusUnauthorized, "unauthorized", "a token of this channel is needed: ask for a session"}
}

func errNotSigned() error {
	return refusal{http.StatusUnauthorized, "unauthorized", "this channel is for those whom the site has signed in"}
}

// maxToken bounds what is looked at, in bytes.
const maxToken = 4 << 10

// bearer reads the token of a call.
func (s *Server) bearer(x *site, r *http.Request) (visitor, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || len(token) > maxToken {
		return visitor{}, errNoToken()
	}
	for _, known := range []bool{false, true} {
		raw, err := s.Signer.Verify(tokenPlace(x, known), token, s.Now())
		var v visitor
		if err == nil && json.Unmarshal([]byte(raw), &v) == nil && v.ID != "" && known == (v.Known != "") {
			return v, nil
		}
	}
	return visitor{}, errNoToken()
}

// renewAfter is how old a token is when it is worth a new one; knownLife is how long a user of the site is believed: for longer the site
// has to say so again.
const (
	renewAfter = 24 * time.Hour
	knownLife  = 7 * 24 * time.Hour
)

// renewed gives a new token in place of one that is old; nil: it is good yet, or only the site can renew it.
func (s *Server) renewed(c *call) *issued {
	if c.who.Known != "" || s.Now().Sub(time.Unix(c.who.Made, 0)) < renewAfter {
		return nil
	}
	t := s.issue(c.site, c.who)
	return &t
}

// session begins with an anonymous visitor, or renews the token that is shown.
func (s *Server) session(c *call) error {
	if c.r.Header.Get("Authorization") != "" {
		who, err := s.bearer(c.site, c.r)
		if err == nil && who.Known != "" {
			err = refusal{http.StatusUnauthorized, "unauthorized", "a user of the site is identified again"}
		}
		if err == nil && c.site.AuthenticationRequired {
			err = errNotSigned()
		}
		if err != nil {
			return err
		}
		return c.answer(http.StatusOK, s.issue(c.site, who))
	}
	if c.site.AuthenticationRequired {
		return errNotSigned()
	}
	if err := s.paces.arrivals.take(s.address(c.r), s.Now()); err != nil {
		return err
	}
	return c.answer(http.StatusCreated, s.issue(c.site, visitor{ID: chat.NewID()}))
}
