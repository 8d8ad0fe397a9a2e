package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/desk"
	"github.com/dragoman-hub/dragoman/store"
)

type auditQuery struct {
	Paging
	Actor  string    `query:"actor" maxLength:"100" doc:"The id of a user or token."`
	Act    string    `query:"act" maxLength:"100" doc:"The operation's id." example:"changeChannel"`
	Kind   string    `query:"kind" maxLength:"100" example:"channel"`
	Object string    `query:"object" maxLength:"200" doc:"The id or name of what it was done to."`
	From   time.Time `query:"from" doc:"At this time or later."`
	To     time.Time `query:"to" doc:"Before this time."`
}

func (a *API) registerAudit() {
	add(a, act{
		method: http.MethodGet, path: "/v1/audit", id: "listAudit", tag: "audit", scope: ScopeAdmin,
		summary: "List administrative acts, newest first", more: "Who did what to which thing, when, from where, and how the thing was before and afterwards, without secrets. Acts are never changed or deleted.",
	}, a.auditLog)
}

func (a *API) auditLog(ctx context.Context, in *auditQuery) (*reply[list[store.Audit]], error) {
	all, next, err := a.Store.AuditLog(ctx, here(ctx), store.AuditFilter{
		Actor: in.Actor, Act: in.Act, Kind: in.Kind, Object: in.Object, From: in.From, To: in.To, Before: in.Cursor, Limit: in.Limit,
	})
	return listOf(all, next), err
}

// exhibits says how things of a kind are shown in the audit log: as the API shows them, which is without secrets. Kinds that are not
// here are told of by id only.
var exhibits = map[string]func(*API, context.Context, string) (any, error){
	"channel": func(a *API, ctx context.Context, id string) (any, error) {
		return a.Hub.Channel(ctx, here(ctx), chat.ChannelID(id))
	},
	"flow": func(a *API, ctx context.Context, name string) (any, error) {
		f, err := a.Store.Flow(ctx, here(ctx), name, 0)
		return versionOf(f), err
	},
	"token": func(a *API, ctx context.Context, id string) (any, error) {
		all, err := a.Store.Tokens(ctx, here(ctx))
		if i := slices.IndexFunc(all, func(t store.Token) bool { return t.ID == id }); i >= 0 {
			return all[i], nil
		}
		return nil, orNotFound(err)
	},
	"user": func(a *API, ctx context.Context, id string) (any, error) { return a.Store.User(ctx, here(ctx), id) },
	"role": func(a *API, ctx context.Context, name string) (any, error) { return a.gate.Role(ctx, here(ctx), name) },
	"queue": func(a *API, ctx context.Context, name string) (any, error) {
		return bodyOf(a.queue(ctx, &QueuePath{name}))
	},
	"team": func(a *API, ctx context.Context, name string) (any, error) {
		return bodyOf(a.team(ctx, &TeamPath{name}))
	},
	"business hours": func(a *API, ctx context.Context, name string) (any, error) {
		found, err := a.hours(ctx, &HoursPath{name})
		if err != nil {
			return nil, err
		}
		return struct {
			Name string `json:"name"`
			desk.Hours
		}{found.Body.Name, found.Body.Hours}, nil
	},
	"agent state": func(a *API, ctx context.Context, name string) (any, error) {
		all, err := a.Store.AgentStates(ctx, here(ctx))
		if i := slices.IndexFunc(all, func(st store.AgentState) bool { return st.Name == name }); i >= 0 {
			return all[i], nil
		}
		return nil, orNotFound(err)
	},
	"agent": func(a *API, ctx context.Context, id string) (any, error) { return a.Store.Agent(ctx, here(ctx), id) },
	"reply": func(a *API, ctx context.Context, name string) (any, error) {
		return a.Store.CannedReply(ctx, here(ctx), name)
	},
	"field": func(a *API, ctx context.Context, name string) (any, error) {
		return a.Store.Field(ctx, here(ctx), name)
	},
	"action": func(a *API, ctx context.Context, name string) (any, error) {
		return bodyOf(a.action(ctx, &ActionPath{name}))
	},
	"dead letter": func(a *API, ctx context.Context, id string) (any, error) {
		l, err := a.Store.DeadLetter(ctx, here(ctx), id)
		return traceOf(l), err
	},
	"language models": func(a *API, ctx context.Context, name string) (any, error) { return a.LLM.Config(ctx, here(ctx), name) },
	"prompt": func(a *API, ctx context.Context, name string) (any, error) {
		return a.Store.Prompt(ctx, here(ctx), name)
	},
	"workspace": func(a *API, ctx context.Context, id string) (any, error) {
		return a.Store.Workspace(ctx, chat.WorkspaceID(id))
	},
}

// bodyOf is what an answer says.
func bodyOf[T any](r *reply[T], err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return r.Body, nil
}

func orNotFound(err error) error {
	if err == nil {
		return chat.Faultf(chat.CodeNotFound, "no such thing")
	}
	return err
}

// show gives a thing as it is now; nothing if it is not there.
func (a *API) show(ctx context.Context, kind, id string) json.RawMessage {
	f := exhibits[kind]
	if f == nil || id == "" {
		return nil
	}
	v, err := f(a, ctx, id)
	if err != nil {
		return nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return raw
}

// audited runs the handler of an administrative act and adds the act to the audit log, unless the store has done so with the deed.
// The answer waits for that: who is told yes can rely on it.
func (a *API) audited(w http.ResponseWriter, r *http.Request, rt route, h http.HandlerFunc) {
	ctx, c := r.Context(), whole(r.Context())
	d := &store.Audit{
		Workspace: c.Workspace, Actor: actor(c), Act: rt.id, Kind: rt.audits, Object: objectOf(r),
		Address: a.remoteIP(r), Action: actionOf(ctx),
	}
	if d.Object == "" && rt.person {
		d.Object = c.ID
	}
	d.Was = a.show(ctx, d.Kind, d.Object)
	if rt.stream { // the answer may be long
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		h(rec, r.WithContext(store.WithAudit(ctx, d)))
		a.tell(context.WithoutCancel(ctx), d, rec.status, rec.body)
		return
	}
	out := &held{ResponseWriter: w, status: http.StatusOK}
	h(out, r.WithContext(store.WithAudit(ctx, d)))
	a.tell(context.WithoutCancel(ctx), d, out.status, out.body.Bytes())
	out.release()
}

// objectOf names a thing by the path of the request.
func objectOf(r *http.Request) string {
	return strings.Trim(r.PathValue("name")+"/"+orElse(r.PathValue("id"), r.PathValue("document")), "/")
}

// tell adds an act after its deed, if that was done. The deed stays done if telling fails: then our log has the act.
func (a *API) tell(ctx context.Context, d *store.Audit, status int, answer []byte) {
	if d.Written || status < 200 || status > 299 {
		return
	}
	if d.Object == "" {
		var named struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		}
		_ = json.Unmarshal(answer, &named) // an answer without a name names nothing
		d.Object = orElse(named.ID, named.Name)
	}
	if d.Became == nil {
		d.Became = a.show(ctx, d.Kind, d.Object)
	}
	if err := a.Store.AddAudit(ctx, d); err != nil {
		a.Log.ErrorContext(ctx, "api: an act is missing from the audit log", "act", d.Act, "object", d.Object, "actor", d.Actor.ID, "address", d.Address, "err", err)
	}
}

func actor(c caller) store.Actor {
	kind := "token"
	if c.person != nil {
		kind = "user"
	}
	return store.Actor{Type: kind, ID: c.ID, Name: c.Name}
}

// held keeps an answer back.
type held struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader is http.ResponseWriter.
func (h *held) WriteHeader(status int) { h.status = status }

// Write is http.ResponseWriter.
func (h *held) Write(b []byte) (int, error) { return h.body.Write(b) }

func (h *held) release() {
	h.ResponseWriter.WriteHeader(h.status)
	_, _ = h.ResponseWriter.Write(h.body.Bytes()) // the client may be gone
}
