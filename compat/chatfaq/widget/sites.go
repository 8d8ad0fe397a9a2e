package widget

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/door"
	"github.com/dragoman-hub/dragoman/connector/webchat"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
)

// site is a website channel with what clients of it may do.
type site struct {
	workspace chat.WorkspaceID
	channel   chat.ChannelID
	flow      string
	name      string
	active    bool
	workers   bool // the flow has functions of workers
	settings  webchat.Settings
}

// siteTime is how long what is known of channels is believed.
const siteTime = time.Second

// sites finds the channel of a flow, in the first workspace: the protocol has no word for others.
type sites struct {
	s     *Server
	group singleflight.Group

	mu    sync.Mutex
	known []site
	at    time.Time
	ws    chat.WorkspaceID
	flows map[string]knownFlow
}

// knownFlow is what was found out about a version of a flow.
type knownFlow struct {
	version int
	workers bool
}

// workspace is the first one.
func (d *sites) workspace(ctx context.Context) (chat.WorkspaceID, error) {
	d.mu.Lock()
	ws := d.ws
	d.mu.Unlock()
	if ws != "" {
		return ws, nil
	}
	all, err := d.s.Store.Workspaces(ctx)
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", chat.Faultf(chat.CodeNotFound, "there is no workspace yet")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ws = all[0].ID
	return d.ws, nil
}

// all lists the website channels, those made first first.
func (d *sites) all(ctx context.Context) ([]site, error) {
	d.mu.Lock()
	known, fresh := d.known, d.s.Now().Sub(d.at) < siteTime
	d.mu.Unlock()
	if fresh {
		return known, nil
	}
	found, err, _ := d.group.Do("all", func() (any, error) { return d.read(context.WithoutCancel(ctx)) })
	if err != nil {
		return nil, err
	}
	return found.([]site), nil
}

func (d *sites) read(ctx context.Context) ([]site, error) {
	ws, err := d.workspace(ctx)
	if err != nil {
		return nil, err
	}
	channels, err := d.s.Hub.Channels(ctx, ws)
	if err != nil {
		return nil, err
	}
	var out []site
	for _, ch := range channels {
		if ch.Connector != webchat.Name {
			continue
		}
		x := site{workspace: ws, channel: ch.ID, flow: ch.Flow, name: ch.Name, active: ch.Status == string(store.ChannelActive)}
		if json.Unmarshal(ch.Settings, &x.settings) != nil {
			x.active = false
		}
		if x.workers, err = d.needsWorkers(ctx, ws, ch.Flow); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known, d.at = out, d.s.Now()
	return out, nil
}

// needsWorkers tells whether the newest version of a flow has functions of workers.
func (d *sites) needsWorkers(ctx context.Context, ws chat.WorkspaceID, name string) (bool, error) {
	if name == "" {
		return false, nil
	}
	row, err := d.s.Store.Flow(ctx, ws, name, 0)
	if chat.CodeOf(err) == chat.CodeNotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	d.mu.Lock()
	k := d.flows[name]
	d.mu.Unlock()
	if k.version == row.Version {
		return k.workers, nil
	}
	flow, err := bot.Parse(row.Definition)
	k = knownFlow{version: row.Version, workers: err == nil && len(flow.Workers()) > 0}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.flows[name] = k
	return k.workers, nil
}

// of finds the channel of a flow. A flow without one gets one.
func (d *sites) of(ctx context.Context, flow string) (site, error) {
	found, err := d.find(ctx, flow)
	if chat.CodeOf(err) != chat.CodeNotFound {
		return found, err
	}
	ws, err := d.workspace(ctx)
	if err != nil {
		return site{}, err
	}
	if _, err := d.s.Store.Flow(ctx, ws, flow, 0); err != nil {
		return site{}, err
	}
	_, err, _ = d.group.Do("make "+flow, func() (any, error) { return nil, d.make(context.WithoutCancel(ctx), ws, flow) })
	if err != nil {
		return site{}, err
	}
	return d.find(ctx, flow)
}

// make looks once more, for what is known may be a second old.
func (d *sites) make(ctx context.Context, ws chat.WorkspaceID, flow string) error {
	d.forget()
	if _, err := d.find(ctx, flow); chat.CodeOf(err) != chat.CodeNotFound {
		return err
	}
	_, err := d.s.Hub.AddChannel(ctx, ws, hub.ChannelInput{Connector: webchat.Name, Name: flow, Flow: flow})
	d.forget()
	return err
}

func (d *sites) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = time.Time{}
}

func (d *sites) find(ctx context.Context, flow string) (site, error) {
	return d.pick(ctx, func(x site) bool { return x.flow == flow && x.active })
}

func (d *sites) channel(ctx context.Context, id chat.ChannelID) (site, error) {
	return d.pick(ctx, func(x site) bool { return x.channel == id })
}

func (d *sites) pick(ctx context.Context, wanted func(site) bool) (site, error) {
	all, err := d.all(ctx)
	if err != nil {
		return site{}, err
	}
	for _, x := range all {
		if wanted(x) {
			return x, nil
		}
	}
	return site{}, chat.Faultf(chat.CodeNotFound, "no such website channel")
}

// allows tells whether a page of this origin may open a chat. Programs that are no browsers name none.
func (x site) allows(origin string) bool {
	if origin == "" || len(x.settings.AllowedOrigins) == 0 {
		return true
	}
	for _, o := range x.settings.AllowedOrigins {
		if o == "*" || o == origin {
			return true
		}
	}
	return false
}

// maxToken bounds what is looked up, in bytes.
const maxToken = 200

// good tells whether a token is one of the workspace.
func (s *Server) good(ctx context.Context, ws chat.WorkspaceID, token string) (bool, error) {
	_, good, err := s.scopes(ctx, ws, token)
	return good, err
}

// scopes tells also what the token may do.
func (s *Server) scopes(ctx context.Context, ws chat.WorkspaceID, token string) (scopes []string, good bool, err error) {
	v := visitOf(ctx)
	if token == "" || len(token) > maxToken || v.wrong {
		return nil, false, nil
	}
	h := secret.HashToken(token)
	hash := hex.EncodeToString(h[:])
	var t store.Token
	err = s.Door.Look(v.address, hash, func() (err error) {
		if t, err = s.Store.TokenByHash(ctx, hash); chat.CodeOf(err) == chat.CodeNotFound {
			return door.ErrWrong
		}
		return err
	})
	switch {
	case errors.Is(err, door.ErrWrong):
		v.wrong = true // one call asks several times, and has guessed once
		return nil, false, nil
	case chat.CodeOf(err) == door.CodeThrottled:
		v.later = err
	}
	return t.Scopes, err == nil && t.Workspace == ws, err
}

// visit is a call or a connection: where it comes from, and whether its token was found wrong. It is not for several goroutines.
type visit struct {
	address string
	wrong   bool
	later   error // the token was not even looked at
}

// untrusted is what a caller without a good token is told.
func (v *visit) untrusted() error {
	if v.later != nil {
		return v.later
	}
	return errNoToken()
}

type visitKey struct{}

// visited notes where a request comes from.
func (s *Server) visited(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), visitKey{}, &visit{address: s.Door.Address(r)}))
}

func visitOf(ctx context.Context) *visit {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		return v
	}
	return &visit{}
}

// scopeWorker is the scope of workers' tokens.
const scopeWorker = "worker"

// may tells whether one of the scopes is wanted; admin is always good.
func may(scopes []string, wanted ...string) bool {
	return slices.ContainsFunc(scopes, func(s string) bool { return s == access.ScopeAdmin || slices.Contains(wanted, s) })
}
