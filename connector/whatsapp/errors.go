package whatsapp

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/connector"
)

// pairPause is how long a pair of numbers has to wait after code 131056: one message in six seconds is allowed.
const pairPause = 6 * time.Second

// pairRate is the code for too many messages to one person.
const pairRate = 131056

// maxDetail bounds what is kept of the platform's words, in bytes.
const maxDetail = 1000

// platformError is an error of the Graph API or of the Cloud API; the same shape in answers, statuses and webhooks.
type platformError struct {
	Code      *int   `json:"code"`
	Title     string `json:"title"`
	Message   string `json:"message"`
	Transient bool   `json:"is_transient"`
	Data      *struct {
		Details string `json:"details"`
	} `json:"error_data"`
}

// detail prefers the most exact of the platform's words.
func (e platformError) detail() string {
	words := e.Message
	if words == "" {
		words = e.Title
	}
	if e.Data != nil && e.Data.Details != "" && e.Data.Details != words {
		if words != "" {
			words += ": "
		}
		words += e.Data.Details
	}
	return words
}

// cut shortens s to at most n bytes without breaking a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// policies maps the platform's codes; ranges are in policyOf.
var policies = map[int]connector.Policy{
	131047: connector.WindowClosed,

	131021: connector.Rejected, // sender and recipient are the same
	131026: connector.Rejected, // undeliverable: no WhatsApp, an old client, blocked
	131030: connector.Rejected, // a test number writes to listed recipients only
	131049: connector.Rejected, // held back to keep the ecosystem healthy
	131050: connector.Rejected, // the person wants no marketing messages
	131051: connector.Rejected, // message type
	131052: connector.Rejected, // media download
	131053: connector.Rejected, // media upload
	130472: connector.Rejected, // the person is part of an experiment
	100:    connector.Rejected, // parameter
	131008: connector.Rejected, // parameter missing
	131009: connector.Rejected, // parameter's value
	135000: connector.Rejected, // generic, by the parameters

	4:        connector.Throttled,
	80007:    connector.Throttled,
	130429:   connector.Throttled,
	131048:   connector.Throttled, // too many were marked as spam
	133016:   connector.Throttled, // registering too often
	pairRate: connector.Throttled,

	1:      connector.Retry,
	2:      connector.Retry,
	131000: connector.Retry,
	131016: connector.Retry,
	131057: connector.Retry, // account in maintenance
	133004: connector.Retry,

	0:      connector.Unauthorized,
	3:      connector.Unauthorized,
	10:     connector.Unauthorized,
	190:    connector.Unauthorized,
	131005: connector.Unauthorized,

	368:    connector.Suspended,
	130497: connector.Suspended, // may not write to this country
	131031: connector.Suspended, // locked
	131037: connector.Suspended, // display name not approved
	131042: connector.Suspended, // payment
	131045: connector.Suspended, // certificate
	133010: connector.Suspended, // number not registered
}

// policyOf is the policy of a code, if the code is known.
func policyOf(code int) (connector.Policy, bool) {
	if p, known := policies[code]; known {
		return p, true
	}
	switch {
	case code >= 132000 && code <= 132016: // templates
		return connector.Rejected, true
	case code >= 200 && code <= 299: // permissions
		return connector.Unauthorized, true
	case code >= 500 && code <= 503:
		return connector.Retry, true
	default:
		return "", false
	}
}

// policyOfStatus is the policy of an HTTP status, for answers without a code that we know.
func policyOfStatus(status int) connector.Policy {
	switch {
	case status == http.StatusUnauthorized:
		return connector.Unauthorized
	case status == http.StatusForbidden:
		return connector.Forbidden
	case status == http.StatusTooManyRequests:
		return connector.Throttled
	case status >= 500, status == http.StatusRequestTimeout:
		return connector.Retry
	default:
		return connector.Rejected
	}
}

// refusal turns an answer that is not a success into an error. The code decides, then the HTTP status.
func (n *number) refusal(a connector.Answer) *connector.Error {
	var body struct {
		Error platformError `json:"error"`
	}
	e := &connector.Error{Policy: policyOfStatus(a.Status), Code: "http_" + strconv.Itoa(a.Status)}
	if json.Unmarshal(a.Body, &body) == nil && body.Error.Code != nil {
		code := *body.Error.Code
		e.Code, e.Detail = strconv.Itoa(code), cut(n.hide.Replace(body.Error.detail()), maxDetail)
		if policy, known := policyOf(code); known {
			e.Policy = policy
		} else if body.Error.Transient {
			e.Policy = connector.Retry
		}
		e.Thread = code == pairRate
	}
	if e.Policy == connector.Throttled {
		e.After = a.RetryAfter(n.now())
		if e.Thread && e.After == 0 {
			e.After = pairPause
		}
	}
	return e
}
