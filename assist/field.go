package assist

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/store"
)

// The types of fields and whose they are.
const (
	TypeText   = "text"
	TypeNumber = "number"
	TypeChoice = "choice"
	TypeDate   = "date"
	TypeYesNo  = "yes_no"

	OfConversation = "conversation"
	OfContact      = "contact"
)

// maxFieldText bounds a text in a field, in characters; maxDigits a number.
const (
	maxFieldText = 2000
	maxDigits    = 30
)

// CheckValue says what is wrong with a value for a field. A null takes the value away and is always right.
func CheckValue(f store.Field, raw json.RawMessage) error {
	return checkValue(f.Type, f.Choices, raw)
}

func checkValue(kind string, choices []string, raw json.RawMessage) error {
	if IsNull(raw) {
		return nil
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if dec.Decode(&v) != nil {
		return fmt.Errorf("is no JSON")
	}
	switch kind {
	case TypeNumber:
		if n, ok := v.(json.Number); !ok || len(n) > maxDigits {
			return fmt.Errorf("a number of at most %d digits is wanted", maxDigits)
		}
		return nil
	case TypeYesNo:
		if _, ok := v.(bool); !ok {
			return fmt.Errorf("true or false is wanted")
		}
		return nil
	}
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("a text is wanted")
	}
	return checkText(kind, choices, s)
}

func checkText(kind string, choices []string, s string) error {
	switch kind {
	case TypeChoice:
		if !slices.Contains(choices, s) {
			return fmt.Errorf("is none of %s", strings.Join(choices, ", "))
		}
	case TypeDate:
		if _, err := time.Parse(time.DateOnly, s); err != nil {
			return fmt.Errorf("a date such as 2026-12-31 is wanted")
		}
	default:
		if utf8.RuneCountInString(s) > maxFieldText || strings.ContainsRune(s, 0) {
			return fmt.Errorf("a text of at most %d characters is wanted", maxFieldText)
		}
	}
	return nil
}

// IsNull tells a value that takes a field away.
func IsNull(raw json.RawMessage) bool {
	return len(bytes.TrimSpace(raw)) == 0 || string(bytes.TrimSpace(raw)) == "null"
}
