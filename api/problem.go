package api

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/assist"
	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// Problem is the body of every error (RFC 9457). Code is stable; Detail is for people.
type Problem struct { //nolint:errname // the word of RFC 9457
	Type   string          `json:"type" doc:"Always about:blank: the code says it all." example:"about:blank"`
	Title  string          `json:"title" doc:"The status in words." example:"Unprocessable Entity"`
	Status int             `json:"status" doc:"The HTTP status." example:"422"`
	Code   string          `json:"code" doc:"A stable word for what went wrong." example:"invalid"`
	Detail string          `json:"detail,omitempty" doc:"What went wrong, for people."`
	Action chat.ActionID   `json:"action,omitempty" doc:"The id under which our log tells of this request."`
	Errors []ProblemDetail `json:"errors,omitempty" nullable:"false" doc:"Each thing that is wrong with the request."`

	header http.Header
}

// ProblemDetail is one thing that is wrong with a request.
type ProblemDetail struct {
	Path   string `json:"path" doc:"Where: body, query or path, then the member." example:"body.stack[0].payload.content"`
	Detail string `json:"detail" doc:"What is wrong."`
}

// Error is for the error interface.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus and GetHeaders tell huma how to answer; ContentType makes it problem+json.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders is huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType is huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// The codes that are not of package chat.
const (
	codeInternal     = "internal"
	codeUnauthorized = "unauthorized"
	codeThrottled    = "throttled"
	codeMethod       = "method_not_allowed"
	codeMedia        = "unsupported_media_type"
	codeMismatch     = "idempotency_mismatch"
	codeMalformed    = "malformed"
)

// statusOf is the one table from codes to HTTP. The second half are the connectors' policies, for calls that ask a platform.
var statusOf = map[string]int{
	string(chat.CodeInvalid):     http.StatusUnprocessableEntity,
	string(chat.CodeNotFound):    http.StatusNotFound,
	string(chat.CodeConflict):    http.StatusConflict,
	string(chat.CodeClosed):      http.StatusConflict,
	string(chat.CodeBlocked):     http.StatusConflict,
	string(chat.CodeTooLarge):    http.StatusRequestEntityTooLarge,
	string(chat.CodeUnavailable): http.StatusServiceUnavailable,
	string(chat.CodeWindow):      http.StatusConflict,
	string(chat.CodeForbidden):   http.StatusForbidden,
	string(chat.CodeUnsigned):    http.StatusUnauthorized,
	codeInternal:                 http.StatusInternalServerError,
	codeUnauthorized:             http.StatusUnauthorized,
	codeThrottled:                http.StatusTooManyRequests,
	codeMethod:                   http.StatusMethodNotAllowed,
	codeMedia:                    http.StatusUnsupportedMediaType,
	codeMismatch:                 http.StatusUnprocessableEntity,
	codeMalformed:                http.StatusBadRequest,
	codeCSRF:                     http.StatusForbidden,
	string(access.CodeWanted):    http.StatusUnauthorized,
	string(assist.CodeHook):      http.StatusBadGateway,

	"platform_" + string(connector.Rejected):     http.StatusUnprocessableEntity,
	"platform_" + string(connector.Retry):        http.StatusBadGateway,
	"platform_" + string(connector.IsUnsure):     http.StatusBadGateway,
	"platform_" + string(connector.Throttled):    http.StatusServiceUnavailable,
	"platform_" + string(connector.Unauthorized): http.StatusUnprocessableEntity,
	"platform_" + string(connector.Suspended):    http.StatusConflict,
	"platform_" + string(connector.Gone):         http.StatusConflict,
	"platform_" + string(connector.WindowClosed): http.StatusConflict,
	"platform_" + string(connector.Forbidden):    http.StatusUnprocessableEntity,
}

// problem makes one by its code.
func problem(code, detail string) *Problem {
	status := statusOf[code]
	if status == 0 {
		code, status = codeInternal, http.StatusInternalServerError
	}
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
	if status == http.StatusServiceUnavailable {
		return p.retryAfter(time.Second)
	}
	return p
}

// with adds a header.
func (p *Problem) with(name, value string) *Problem {
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Set(name, value)
	return p
}

// retryAfter tells when to come again, in whole seconds, at least one.
func (p *Problem) retryAfter(d time.Duration) *Problem {
	return p.with("Retry-After", strconv.Itoa(max(1, int(math.Ceil(d.Seconds())))))
}

// invalid is a problem with its list.
func invalid(list ...ProblemDetail) *Problem {
	p := problem(string(chat.CodeInvalid), "the request breaks a rule of form")
	if len(list) == 1 {
		p.Detail = list[0].Path + ": " + list[0].Detail
	}
	p.Errors = list
	return p
}

// problemOf turns any error into what the caller may see: faults and platforms' answers in their own words, flows with
// their list, everything else as "internal" without its text.
func problemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if f, ok := errors.AsType[*bot.InvalidError](err); ok {
		list := make([]ProblemDetail, len(f.Problems))
		for i, p := range f.Problems {
			list[i] = ProblemDetail{Path: strings.TrimSuffix("body."+p.Path, "."), Detail: p.Detail}
		}
		return invalid(list...)
	}
	if f, ok := errors.AsType[*chat.Fault](err); ok {
		return problem(string(f.Code), f.Detail)
	}
	if e, ok := errors.AsType[*connector.Error](err); ok {
		return platformProblem(e)
	}
	return problem(codeInternal, "something went wrong on our side; the action id finds it in our log")
}

// platformProblem is for calls that ask a platform: its words help, for the settings are the caller's.
func platformProblem(e *connector.Error) *Problem {
	switch e.Policy {
	case connector.Unsigned:
		return problem(string(chat.CodeUnsigned), e.Detail)
	case connector.Malformed:
		return problem(codeMalformed, e.Detail)
	default:
		f := e.Failure()
		detail := f.Detail
		if f.Code != "" {
			detail = strings.TrimSpace(f.Code + " " + detail)
		}
		p := problem("platform_"+string(e.Policy), detail)
		if e.Policy == connector.Throttled {
			return p.retryAfter(e.After)
		}
		return p
	}
}

// write answers with the problem, outside huma.
func (p *Problem) write(w http.ResponseWriter) {
	h := w.Header()
	for name, values := range p.header {
		h[name] = values
	}
	p.Action = chat.ActionID(h.Get(actionHeader))
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Del("Content-Length")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client may be gone
}

// ours turns huma's own errors into problems. Values are left out: they may be secrets.
func ours(ctx huma.Context, _ string, v any) (any, error) {
	if p, ok := v.(*Problem); ok {
		return withAction(ctx, p), nil
	}
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	code := codeOfStatus(m.Status)
	p := problem(code, m.Detail)
	p.Status, p.Title = m.Status, http.StatusText(m.Status)
	for _, e := range m.Errors {
		if e != nil {
			p.Errors = append(p.Errors, ProblemDetail{Path: e.Location, Detail: e.Message})
		}
	}
	if len(p.Errors) == 1 {
		p.Detail = strings.TrimPrefix(p.Errors[0].Path+": "+p.Errors[0].Detail, ": ")
	}
	return withAction(ctx, p), nil
}

func withAction(ctx huma.Context, p *Problem) *Problem {
	q := *p
	q.Action = actionOf(ctx.Context())
	return &q
}

func codeOfStatus(status int) string {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return string(chat.CodeInvalid)
	case http.StatusRequestEntityTooLarge:
		return string(chat.CodeTooLarge)
	case http.StatusUnsupportedMediaType, http.StatusNotAcceptable:
		return codeMedia
	case http.StatusRequestTimeout:
		return string(chat.CodeUnavailable)
	default:
		return codeInternal
	}
}
