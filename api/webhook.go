package api

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

func (a *API) registerWebhooks() {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		op := act{
			method: method, path: "/in/{channel}", id: "webhook" + method, tag: "channels", summary: "A platform's webhook",
			more: "What is sent and how it is signed is the platform's matter. Any method is taken.",
		}.operation()
		op.Security = nil
		op.Parameters = []*huma.Param{{Name: "channel", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}}
		op.Responses = map[string]*huma.Response{"200": {Description: "Everything is stored for good."}, "default": problemResponse()}
		a.huma.OpenAPI().AddOperation(&op)
	}
	a.handle("/in/{channel}", route{open: true}, a.webhook)
}

// webhook is the fast path: read, hand over, answer.
func (a *API) webhook(w http.ResponseWriter, r *http.Request) error {
	id := chat.ChannelID(r.PathValue("channel"))
	limit, err := a.Hub.MaxBody(r.Context(), id)
	if err != nil {
		return webhookProblem(err)
	}
	body, err := readBody(w, r, limit)
	if err != nil {
		return err
	}
	reply, err := a.Hub.Receive(r.Context(), id, connector.Request{
		Method: r.Method, URL: a.calledURL(r), Header: r.Header, Body: body, Remote: a.remoteIP(r),
	})
	if err != nil {
		return webhookProblem(err)
	}
	return writeReply(w, reply)
}

// webhookProblem words what a platform may know: a channel that is off is gone, what is unsure comes again.
func webhookProblem(err error) error {
	if chat.CodeOf(err) == chat.CodeForbidden {
		p := problemOf(err)
		p.Status, p.Title = http.StatusGone, http.StatusText(http.StatusGone)
		return p
	}
	if e, ok := errors.AsType[*connector.Error](err); ok {
		switch e.Policy {
		case connector.Unsigned, connector.Malformed:
		default:
			return problem(string(chat.CodeUnavailable), "not stored: send it again").retryAfter(max(e.After, time.Second))
		}
	}
	return err
}

func writeReply(w http.ResponseWriter, reply connector.Reply) error {
	if reply.ContentType != "" {
		w.Header().Set("Content-Type", reply.ContentType)
	} else if len(reply.Body) > 0 {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	status := reply.Status
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	_, err := w.Write(reply.Body)
	return ignoreGone(err)
}

// calledURL is the address as the platform called it, for signatures that cover it: the configured public one, or what a trusted
// proxy saw, or what this server was asked for.
func (a *API) calledURL(r *http.Request) *url.URL {
	u := *r.URL
	u.Scheme, u.Host = "http", r.Host
	if r.TLS != nil {
		u.Scheme = "https"
	}
	if public, err := url.Parse(a.Public); err == nil && public.Host != "" {
		u.Scheme, u.Host = public.Scheme, public.Host
		u.Path = public.Path + u.Path
		if u.RawPath != "" {
			u.RawPath = public.EscapedPath() + u.RawPath
		}
	}
	if a.TrustProxy {
		if s := r.Header.Get("X-Forwarded-Proto"); s == "http" || s == "https" {
			u.Scheme = s
		}
		if h := r.Header.Get("X-Forwarded-Host"); h != "" {
			u.Host = h
		}
	}
	return &u
}
