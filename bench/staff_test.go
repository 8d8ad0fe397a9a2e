//go:build unix

package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/dragoman-hub/dragoman/api"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
)

// unlimited are the limits of a server that is to be measured, not protected.
var unlimited = api.Limits{Rate: 1e6, Visits: 1e6, Failures: 1_000_000, Streams: 1_000_000}

// staff makes the token and the agents of the desk.
func (r *running) staff(ctx context.Context, sp spec, hi *hello) error {
	token, _ := secret.NewToken(api.TokenPrefix)
	if _, err := r.store.AddToken(ctx, store.Token{Workspace: hi.Workspace, Name: "bench", Scopes: []string{"admin"}, Hash: api.TokenHash(token)}); err != nil {
		return err
	}
	hi.Token = token
	if sp.Desk == 0 {
		return nil
	}
	c := caller{r.handler, "Authorization: Bearer " + token}
	if err := c.call("PUT", "/v1/roles/own", `{"rights":["conversations.read","conversations.write"],"reach":"own"}`, nil); err != nil {
		return err
	}
	members := make([]string, sp.Desk)
	for i := range members {
		var err error
		proof := c.proof
		if members[i] = fmt.Sprint("agent", i); sp.Own {
			if members[i], proof, err = c.person(i); err != nil {
				return err
			}
		}
		hi.Agents = append(hi.Agents, proof)
		if err := c.call("PUT", "/v1/agents/"+members[i], `{"name":"Ann","capacity":0}`, nil); err != nil {
			return err
		}
		if err := c.call("POST", "/v1/agents/"+members[i]+"/state", `{"state":"active"}`, nil); err != nil {
			return err
		}
	}
	raw, _ := json.Marshal(members) // texts: cannot fail
	return c.call("PUT", "/v1/queues/support", `{"rule":"least_busy","members":`+string(raw)+`,"settings":{"accept_seconds":86400}}`, nil)
}

// caller speaks with a handler in this process.
type caller struct {
	handler http.Handler
	proof   string // a header
}

func (c caller) call(method, path, body string, out any) error {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	name, value, _ := strings.Cut(c.proof, ": ")
	r.Header.Set(name, value)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", "http://example.com")
	rec := httptest.NewRecorder()
	c.handler.ServeHTTP(rec, r)
	if rec.Code > 299 {
		return fmt.Errorf("%s %s: %d %s", method, path, rec.Code, rec.Body)
	}
	if out == nil {
		return nil
	}
	if s, ok := out.(*string); ok {
		*s, _, _ = strings.Cut(rec.Header().Get("Set-Cookie"), ";")
		return nil
	}
	return json.NewDecoder(bytes.NewReader(rec.Body.Bytes())).Decode(out)
}

// person makes a user who sees only what is the own, and signs in.
func (c caller) person(n int) (id, proof string, err error) {
	var made struct {
		ID   string `json:"id"`
		Link struct {
			Token string `json:"token"`
		} `json:"link"`
	}
	mail := fmt.Sprintf("ann%d@example.com", n)
	if err = c.call("POST", "/v1/users", fmt.Sprintf(`{"email":%q,"role":"own"}`, mail), &made); err != nil {
		return "", "", err
	}
	if err = c.call("POST", "/login/link", fmt.Sprintf(`{"token":%q,"password":"correct horse"}`, made.Link.Token), nil); err != nil {
		return "", "", err
	}
	var cookie string
	err = c.call("POST", "/login", fmt.Sprintf(`{"email":%q,"password":"correct horse"}`, mail), &cookie)
	return made.ID, "Cookie: " + cookie, err
}
