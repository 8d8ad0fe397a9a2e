package webhook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/itchyny/gojq"

	"github.com/dragoman-hub/dragoman/chat"
)

const (
	maxKey     = 200 // bytes, by chat.Incoming
	maxAddress = 500 // bytes of an address or id
)

// errNoKey: storing once needs something that tells two events apart.
var errNoKey = errors.New("has no id and no time, so that it could not be told from its repetition: set receive.events.key")

// view is one event, read field by field. The first error stays.
type view struct {
	ctx  context.Context
	r    *receiver
	v    any
	vars map[string]any
	err  error
}

// value gives a field as jq gave it; false counts as absent only for null.
func (w *view) value(name string) any {
	if w.err != nil {
		return nil
	}
	v, err := w.r.fields[name].one(w.ctx, w.v, w.vars)
	if err != nil {
		w.err = err
	}
	return v
}

func (w *view) text(name string) string {
	s, err := scalar(w.value(name))
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("%s %w", w.r.fields[name].path, err)
	}
	return s
}

// address is a text that names something: short and without control characters.
func (w *view) address(name string) string {
	s := w.text(name)
	if len(s) > maxAddress || strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		if w.err == nil {
			w.err = fmt.Errorf("%s: too long or with control characters", w.r.fields[name].path)
		}
		return ""
	}
	return s
}

func (w *view) flag(name string) bool {
	v := w.value(name)
	return truthy(v) && v != "" && v != "false"
}

// event translates one event. It fails only for an event that has no key; one that cannot be read is
// kept as unsupported, so that a mistake in the settings loses nothing.
func (r *receiver) event(ctx context.Context, v any, vars map[string]any, call string) (chat.Incoming, error) {
	w := &view{ctx: ctx, r: r, v: v, vars: vars}
	e := chat.Incoming{At: moment(w.value("at"))}
	word := w.text("kind")
	kind, known := r.kinds[word]
	if !known && w.err == nil {
		w.err = fmt.Errorf("kind %q is not known", word)
	}
	e.Kind = kind
	w.common(&e)
	readable := w.err == nil && e.Thread.Address != ""
	w.particular(&e)
	if ctx.Err() != nil {
		return e, ctx.Err()
	}
	switch {
	case w.err != nil && readable && kind == chat.KindMessage:
		e.Message = w.unreadable()
	case w.err != nil || kind == chat.KindUnsupported:
		e = chat.Incoming{Kind: chat.KindUnsupported, At: e.At, Raw: raw(v)}
	}
	key, err := w.key(e, call)
	e.Key = key
	return e, err
}

// common reads what events of all kinds may have.
func (w *view) common(e *chat.Incoming) {
	e.Sender = chat.Person{
		Address: w.address("from"), Name: w.text("name"), FirstName: w.text("first_name"), LastName: w.text("last_name"),
		Username: w.text("username"), Language: w.text("language"), Phone: w.text("phone"), Email: w.text("email"),
	}
	e.Thread = chat.Thread{
		Address: w.address("thread"), Topic: w.address("topic"), Group: w.flag("group"), Title: w.text("group_title"),
	}
	if e.Thread.Address == "" {
		e.Thread.Address = e.Sender.Address
	}
	switch e.Kind {
	case chat.KindMessage, chat.KindBlocked, chat.KindUnblocked, chat.KindMoved, chat.KindTyping:
		if e.Sender.Address == "" && !e.Thread.Group { // a direct chat whose address is all that there is
			e.Sender.Address = e.Thread.Address
		}
	default: // a receipt or a deletion may well have no sender
	}
}

// particular reads what events of this kind have.
func (w *view) particular(e *chat.Incoming) {
	switch e.Kind {
	case chat.KindMessage:
		e.ID, e.Start, e.Echo = w.address("id"), w.text("start"), w.flag("echo")
		e.Message = w.message()
	case chat.KindEdited:
		e.Target, e.Message = w.target(), w.message()
	case chat.KindDeleted:
		e.Target = w.target()
	case chat.KindReaction:
		e.Target, e.Reaction = w.target(), w.reaction()
	case chat.KindReceipt:
		w.receipt(e)
		return // a receipt needs no thread
	case chat.KindJoined, chat.KindLeft:
		e.People = []chat.Person{e.Sender}
	case chat.KindMoved:
		if e.MovedTo = w.address("to"); e.MovedTo == "" {
			w.missing("to")
		}
	default: // blocked, unblocked, typing, ignored: nothing more
	}
	if e.Thread.Address == "" && e.Kind != chat.KindIgnored {
		w.missing("from")
	}
}

func (w *view) missing(field string) {
	if w.err == nil {
		w.err = fmt.Errorf("%s: gives nothing", w.r.fields[field].path)
	}
}

func (w *view) target() string {
	id := w.address("target")
	if id == "" {
		w.missing("target")
	}
	return id
}

func (w *view) reaction() *chat.ReactionData {
	emoji := w.text("reaction")
	if emoji == "" {
		return &chat.ReactionData{All: true} // the sender has none any more
	}
	if w.flag("removed") {
		return &chat.ReactionData{Removed: []string{emoji}}
	}
	return &chat.ReactionData{Added: []string{emoji}}
}

func (w *view) receipt(e *chat.Incoming) {
	word := strings.ToLower(w.text("status"))
	status, known := w.r.statuses[word]
	if !known {
		status, known = w.r.statuses[w.text("status")]
	}
	switch {
	case !known && w.err == nil:
		w.err = fmt.Errorf("status %q is not known", word)
		return
	case status == "":
		e.Kind = chat.KindIgnored
		return
	}
	e.Status, e.Target, e.UpTo = status, w.address("target"), moment(w.value("up_to"))
	if e.Target == "" && e.UpTo.IsZero() {
		w.missing("target")
	}
	if status == chat.Failed {
		e.Failure = &chat.Failure{Class: "rejected", Code: w.text("error_code"), Detail: w.text("error")}
	}
}

// unreadable stands for a message of which only the sender could be read, so that an agent sees that something came.
func (w *view) unreadable() *chat.Message {
	what := chat.UnsupportedPayload{What: w.err.Error(), Raw: raw(w.v)}
	return &chat.Message{Stack: []chat.Element{chat.NewElement(chat.Unsupported, what)}}
}

// key is what makes the event stored once: the program's answer, else the call's own id, else the message's id,
// else a digest of the event and its time.
func (w *view) key(e chat.Incoming, call string) (string, error) {
	own := &view{ctx: w.ctx, r: w.r, v: w.v, vars: w.vars}
	key := own.text("key")
	if own.err != nil {
		return "", own.err
	}
	id := own.text("id")
	switch {
	case key != "":
	case call != "":
		key = call
	case e.Kind == chat.KindMessage && id != "":
		key = "message:" + id
	case e.At.IsZero() && e.Kind == chat.KindMessage, e.At.IsZero() && id == "":
		return "", errNoKey
	default:
		return digest(string(raw(w.v))), nil
	}
	if len(key) > maxKey || strings.ContainsFunc(key, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		key = digest(key)
	}
	return key, nil
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// raw writes a value with its members in order, the same bytes for the same value.
func raw(v any) json.RawMessage {
	b, err := gojq.Marshal(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return b
}

// moment reads RFC 3339, or a number since 1970 whose size tells seconds, milliseconds, micro- and nanoseconds apart.
// Anything else is no time.
func moment(v any) time.Time {
	s := words(v)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC()
	}
	whole, fraction, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	switch {
	case err != nil || n <= 0:
		return time.Time{}
	case n >= 1e17:
		return time.Unix(0, n).UTC()
	case n >= 1e14:
		return time.UnixMicro(n).UTC()
	case n >= 1e11:
		return time.UnixMilli(n).UTC()
	}
	nano, err := strconv.Atoi((fraction + "000000000")[:9])
	if err != nil {
		nano = 0
	}
	return time.Unix(n, int64(nano)).UTC()
}
