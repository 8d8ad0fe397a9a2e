package chat

import "errors"

// Code is a stable word for what went wrong; the API shows it and one table there turns it into an HTTP status.
type Code string

// The codes that rules of the hub give.
const (
	CodeInvalid     Code = "invalid"     // the input breaks a rule of form
	CodeNotFound    Code = "not_found"   // no such thing in this workspace
	CodeConflict    Code = "conflict"    // the state has moved on: read again
	CodeClosed      Code = "closed"      // the conversation is closed
	CodeBlocked     Code = "blocked"     // the contact has blocked us
	CodeTooLarge    Code = "too_large"   // a limit of size
	CodeUnavailable Code = "unavailable" // try again: the database or a peer is away
	CodeWindow      Code = "window_closed"
	CodeForbidden   Code = "forbidden"
	CodeUnsigned    Code = "unsigned"
)

// Fault is an error that a caller can act on.
type Fault struct {
	Code   Code
	Detail string
}

func (f *Fault) Error() string { return string(f.Code) + ": " + f.Detail }

// Faultf is a Fault with a plain detail.
func Faultf(code Code, detail string) error { return &Fault{Code: code, Detail: detail} }

// CodeOf finds the code in a chain of errors; empty if there is none.
func CodeOf(err error) Code {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f.Code
	}
	return ""
}
