package connectortest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/chat"
)

// keyLimit is the longest key of an event, in bytes (chat.Incoming).
const keyLimit = 200

// invalid tells what is wrong with the events of one delivery; empty if nothing is.
func invalid(events []chat.Incoming) string {
	keys := map[string]bool{}
	for i, e := range events {
		if keys[e.Key] {
			return fmt.Sprintf("event %d has the key %q of another one", i, e.Key)
		}
		keys[e.Key] = true
		if problem := invalidEvent(e); problem != "" {
			return fmt.Sprintf("event %d (%s, key %q): %s", i, e.Kind, e.Key, problem)
		}
	}
	return ""
}

func invalidEvent(e chat.Incoming) string {
	switch {
	case e.Key == "":
		return "no key"
	case len(e.Key) > keyLimit:
		return "the key is too long"
	case !utf8Everywhere(reflect.ValueOf(e)):
		return "text that is not UTF-8"
	case len(e.Raw) > 0 && !json.Valid(e.Raw):
		return "Raw is not JSON"
	}
	return invalidKind(e)
}

// invalidKind checks what each kind must have.
func invalidKind(e chat.Incoming) string {
	switch e.Kind {
	case chat.KindMessage:
		if e.Thread.Address == "" {
			return "a message without a thread"
		}
		return invalidMessage(e.Message)
	case chat.KindEdited:
		if e.Target == "" {
			return "no target"
		}
		return invalidMessage(e.Message)
	case chat.KindDeleted:
		return lacks(e.Target == "", "no target")
	case chat.KindReaction:
		return lacks(e.Target == "" || e.Reaction == nil, "no target or no reaction")
	case chat.KindReceipt:
		return invalidReceipt(e)
	case chat.KindMoved:
		return lacks(e.MovedTo == "", "no new address")
	case chat.KindJoined, chat.KindLeft:
		return lacks(len(e.People) == 0, "no people")
	case chat.KindBlocked, chat.KindUnblocked, chat.KindUnsupported, chat.KindTyping, chat.KindIgnored:
		return ""
	default:
		return "not a kind that comes in"
	}
}

func lacks(yes bool, what string) string {
	if yes {
		return what
	}
	return ""
}

func invalidReceipt(e chat.Incoming) string {
	switch e.Status {
	case chat.Sent, chat.Delivered, chat.Read, chat.Failed:
		return lacks(e.Target == "" && e.UpTo.IsZero(), "no target and no time")
	default:
		return fmt.Sprintf("a receipt of status %q", e.Status)
	}
}

func invalidMessage(m *chat.Message) string {
	if m == nil || len(m.Stack) == 0 {
		return "no element"
	}
	for i, el := range m.Stack {
		if el.Type == "" {
			return fmt.Sprintf("element %d has no type", i)
		}
		if !json.Valid(el.Payload) {
			return fmt.Sprintf("element %d has a payload that is not JSON", i)
		}
	}
	return ""
}

// utf8Everywhere looks at all texts and bytes below a value.
func utf8Everywhere(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		return utf8.ValidString(v.String())
	case reflect.Pointer:
		return v.IsNil() || utf8Everywhere(v.Elem())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return utf8.Valid(v.Bytes())
		}
		for i := range v.Len() {
			if !utf8Everywhere(v.Index(i)) {
				return false
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if !utf8Everywhere(k) || !utf8Everywhere(v.MapIndex(k)) {
				return false
			}
		}
	case reflect.Struct:
		if v.Type().PkgPath() == "time" {
			return true
		}
		for i := range v.NumField() {
			if !utf8Everywhere(v.Field(i)) {
				return false
			}
		}
	default: // holds no text
	}
	return true
}
