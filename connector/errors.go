package connector

import (
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Policy says what the hub does about an error.
type Policy string

// The policies.
const (
	Rejected     Policy = "rejected"      // the platform will never take it: failed
	Retry        Policy = "retry"         // surely not done: again with back-off
	IsUnsure     Policy = "unsure"        // the request left, no answer was read: again only with an idempotency key
	Throttled    Policy = "throttled"     // surely not done: again after Error.After
	Unauthorized Policy = "unauthorized"  // the credentials do not work: renew once, else stop the channel's queue and alert
	Suspended    Policy = "suspended"     // the account may not send (billing, quality): as Unauthorized, no renewal
	Gone         Policy = "gone"          // the contact has blocked us or left
	WindowClosed Policy = "window_closed" // a free answer is too late: offer a template
	Forbidden    Policy = "forbidden"     // this act is not allowed here: failed
	Unsigned     Policy = "unsigned"      // a webhook call without our secret: 401 or 403, nothing stored
	Malformed    Policy = "malformed"     // a webhook call that cannot be read, or settings that cannot work: 400
)

// Error is what a platform, or the way to it, said.
type Error struct {
	Policy  Policy
	Code    string        // the platform's code, as text
	Detail  string        // the platform's words; no secrets
	After   time.Duration // Throttled: wait at least that long; 0: the hub decides
	Thread  bool          // Throttled: only this thread has to wait, not the whole channel
	MovedTo string        // the contact's new address: the hub stores it and repeats the call once
	Err     error
}

func (e *Error) Error() string {
	s := string(e.Policy)
	if e.Code != "" {
		s += " (" + e.Code + ")"
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Failure is the error as the log keeps it.
func (e *Error) Failure() *chat.Failure {
	detail := e.Detail
	if detail == "" && e.Err != nil {
		detail = e.Err.Error()
	}
	return &chat.Failure{Class: string(e.Policy), Code: e.Code, Detail: detail}
}

// AsError finds the *Error in a chain; an error without one is unsure, for nothing says that nothing was done.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Policy: IsUnsure, Err: err}
}

// Malformedf makes the error for a body or settings that cannot be read.
func Malformedf(format string, args ...any) error {
	return &Error{Policy: Malformed, Detail: fmt.Sprintf(format, args...)}
}

// ErrUnsigned is the answer to a webhook call that does not prove where it comes from.
var ErrUnsigned = &Error{Policy: Unsigned, Code: "unsigned", Detail: "signature or secret is missing or wrong"}
