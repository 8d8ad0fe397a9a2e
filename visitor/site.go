package visitor

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector/webchat"
	"github.com/dragoman-hub/dragoman/store"
)

// site is a website channel with what its visitors may do.
type site struct {
	webchat.Settings
	workspace chat.WorkspaceID
	channel   chat.ChannelID
	revision  int64
}

// sites reads the settings of channels once for each of their revisions.
type sites struct {
	s *Server

	mu    sync.Mutex
	known map[chat.ChannelID]*site
}

// find is the channel of a call. One that is off, or of another kind, is as unknown as any.
func (d *sites) find(ctx context.Context, id chat.ChannelID) (*site, error) {
	row, raw, err := d.s.Hub.PlainSettings(ctx, id)
	if err != nil {
		return nil, err
	}
	if row.Connector != webchat.Name || row.Status == store.ChannelOff {
		return nil, chat.Faultf(chat.CodeNotFound, "no such channel")
	}
	d.mu.Lock()
	x := d.known[id]
	d.mu.Unlock()
	if x != nil && x.revision == row.Revision {
		return x, nil
	}
	x = &site{workspace: row.Workspace, channel: id, revision: row.Revision}
	if err := json.Unmarshal(raw, &x.Settings); err != nil {
		return nil, err
	}
	if x.Title == "" {
		x.Title = row.Name
	}
	if x.MaxFile == 0 {
		x.MaxFile = webchat.DefaultMaxFile
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known[id] = x
	return x, nil
}

// on reads a setting that is on unless it was switched off.
func on(v *bool) bool { return v == nil || *v }

// allows tells whether a page of this origin may call. Programs that are no browsers name none; our own pages always may.
func (x *site) allows(r *http.Request, public string) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || len(x.AllowedOrigins) == 0 || slices.Contains(x.AllowedOrigins, "*") || slices.Contains(x.AllowedOrigins, origin) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && (u.Host == r.Host || public != "" && origin == originOf(public))
}

func originOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// cors refuses foreign pages and answers pre-flights; true: the request is answered.
func (s *Server) cors(c *call) (bool, error) {
	h := c.w.Header()
	h.Add("Vary", "Origin")
	if !c.site.allows(c.r, s.Public) {
		return false, refusal{http.StatusForbidden, "forbidden", "this page may not open a chat"}
	}
	if origin := c.r.Header.Get("Origin"); origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", "Retry-After, X-Action-Id")
	}
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if c.r.Method != http.MethodOptions {
		return false, nil
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID")
	h.Set("Access-Control-Max-Age", "7200")
	return true, c.done()
}

// base is the address under which the visitor reached us.
func (s *Server) base(r *http.Request) string {
	if s.Public != "" {
		return s.Public
	}
	scheme := "http"
	if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}
