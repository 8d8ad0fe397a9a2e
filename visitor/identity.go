package visitor

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/telemetry"
)

// person is who the site says that its user is.
type person struct {
	ID      string      `json:"sub"`
	Name    string      `json:"name"`
	Email   string      `json:"email"`
	Expires json.Number `json:"exp"`
	For     audience    `json:"aud"`
}

// audience is whom a token is for: one name, or a list (RFC 7519, section 4.1.3).
type audience []string

// UnmarshalJSON reads both forms. Anything else names nobody, which only matters where somebody is looked for.
func (a *audience) UnmarshalJSON(raw []byte) error {
	var one string
	var several []string
	switch {
	case json.Unmarshal(raw, &one) == nil:
		*a = audience{one}
	case json.Unmarshal(raw, &several) == nil:
		*a = several
	default:
		*a = nil
	}
	return nil
}

// Bounds of an identity.
const (
	maxIdentity = 4 << 10 // bytes of a signed identity
	maxID       = 128
	maxFact     = 200            // bytes of a name or an address
	maxAhead    = 24 * time.Hour // how long a signed identity may be good: a stolen one must not be good for ever
)

// verify reads a signed identity: a JSON Web Token (RFC 7519) of the kind HS256, made with the channel's identity secret. It needs sub
// and exp, and where the channel names itself (to) aud with that name. No other algorithm is taken, whatever its head says.
func verify(secret, to, token string, now time.Time) (person, bool) {
	var p person
	head, rest, ok := strings.Cut(token, ".")
	body, sig, ok2 := strings.Cut(rest, ".")
	if secret == "" || !ok || !ok2 || len(token) > maxIdentity {
		return p, false
	}
	var h struct {
		Alg  string   `json:"alg"`
		Crit []string `json:"crit"`
	}
	if !decode(head, &h) || h.Alg != "HS256" || len(h.Crit) > 0 {
		return p, false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(head + "." + body))
	given, err := base64.RawURLEncoding.DecodeString(sig)
	if err != nil || !hmac.Equal(given, mac.Sum(nil)) || !decode(body, &p) {
		return person{}, false
	}
	seconds, err := p.Expires.Float64()
	until := time.Unix(int64(min(seconds, 1e11)), 0)
	if err != nil || !now.Before(until) || until.Sub(now) > maxAhead {
		return person{}, false
	}
	if to != "" && !slices.Contains(p.For, to) {
		return person{}, false
	}
	return p, p.ID != "" && len(p.ID) <= maxID && len(p.Name) <= maxFact && len(p.Email) <= maxFact
}

func decode(part string, into any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(raw, into) == nil
}

// identity is what a site's server has signed.
type identity struct {
	Identity string `json:"identity" doc:"A JSON Web Token (HS256)."`
}

// identify lets a visitor go on as a user of the site. What was said before goes on too.
func (s *Server) identify(c *call) error {
	var in identity
	if err := s.body(c, &in); err != nil {
		return err
	}
	p, ok := verify(c.site.IdentitySecret, c.site.IdentityAudience, in.Identity, s.Now())
	if !ok {
		return refusal{http.StatusUnauthorized, "unsigned", "the identity is not signed with this channel's secret, is over, is for somebody else, or lacks sub or exp"}
	}
	now := visitor{ID: chat.NewID(), Known: p.ID, Name: p.Name, Email: p.Email}
	if c.r.Header.Get("Authorization") != "" {
		before, err := s.bearer(c.site, c.r)
		if err != nil {
			return err
		}
		if before.Known == "" || before.Known == p.ID { // another user of the same browser begins anew
			now.ID = before.ID
		}
		if before.Known == "" {
			if err := s.adopt(c, before, now); err != nil {
				return err
			}
		}
	}
	return c.answer(http.StatusOK, s.issue(c.site, now))
}

// adopt moves what was said anonymously to the known user.
func (s *Server) adopt(c *call, before, now visitor) error {
	_, err := s.Store.Append(c.r.Context(), &store.Adopt{
		Channel: c.site.channel, From: before.address(), To: now.person(), Action: telemetry.Action(c.r.Context()),
	})
	return err
}

// unnamed is shown in place of a random id as long as nobody has told a name.
const unnamed = "Visitor"

func (v visitor) person() chat.Person {
	p := chat.Person{Address: v.address(), Name: v.Name, Email: v.Email}
	if v.Known == "" {
		p.Username = unnamed
	}
	return p
}
