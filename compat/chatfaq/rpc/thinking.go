package rpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
)

// Efforts, as chat completions spell them in reasoning_effort. Endpoints know more words, and models fewer.
const (
	noEffort     = "none"
	lowEffort    = "low"
	mediumEffort = "medium"
	highEffort   = "high"
)

// Budgets up to which an effort goes, in tokens: those that Gemini's OpenAI compatibility stands for.
const (
	lowBudget    = 1024
	mediumBudget = 8192
)

var (
	effortWord = regexp.MustCompile(`^[a-z]{1,20}$`)

	errThinking = errors.New(`want an effort such as "low", null, or an object with type (enabled, adaptive or disabled), and either effort or budget_tokens`)
	errCache    = errors.New("want null, or an object with a name and a ttl in seconds")
)

// thinking is the object's form: an effort, or how many tokens the thoughts may take.
type thinking struct {
	Type   string  `json:"type"`
	Effort *string `json:"effort"`
	Budget *int64  `json:"budget_tokens"`
}

// effort is how much a model should think; "": its own way. Chat completions have one member for it, a word, so that budgets in tokens
// become the nearest one.
func effort(raw json.RawMessage) (string, error) {
	if isNull(raw) {
		return "", nil
	}
	var word string
	if json.Unmarshal(raw, &word) == nil {
		return checkedEffort(word)
	}
	var t thinking
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if !isObject(raw) || dec.Decode(&t) != nil || t.Effort != nil && t.Budget != nil {
		return "", errThinking
	}
	switch {
	case t.Type == "disabled" && t.Effort == nil && t.Budget == nil:
		return noEffort, nil
	case t.Type != "" && t.Type != "enabled" && t.Type != "adaptive":
		return "", errThinking
	case t.Effort != nil:
		return checkedEffort(*t.Effort)
	case t.Budget != nil:
		return budgetEffort(*t.Budget)
	case t.Type == "enabled":
		return mediumEffort, nil
	case t.Type == "adaptive":
		return "", nil
	default:
		return "", errThinking
	}
}

func checkedEffort(word string) (string, error) {
	if word != "" && !effortWord.MatchString(word) {
		return "", errThinking
	}
	return word, nil
}

func budgetEffort(tokens int64) (string, error) {
	switch {
	case tokens < 0:
		return "", errThinking
	case tokens == 0:
		return noEffort, nil
	case tokens <= lowBudget:
		return lowEffort, nil
	case tokens <= mediumBudget:
		return mediumEffort, nil
	default:
		return highEffort, nil
	}
}

// checkCache looks at the name of a prompt cache. Nothing is done with it: endpoints of chat completions find out by themselves what they
// have seen before.
func checkCache(raw json.RawMessage) error {
	if isNull(raw) {
		return nil
	}
	var c struct {
		Name *string  `json:"name"`
		TTL  *float64 `json:"ttl"`
	}
	if !isObject(raw) || json.Unmarshal(raw, &c) != nil || c.Name == nil || c.TTL != nil && *c.TTL < 0 {
		return errCache
	}
	return nil
}
