package rpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// The types of frames.
const (
	typeDefine    = "fsm_def"
	typeRequest   = "rpc_request"
	typeResult    = "rpc_result"
	typeError     = "error"
	typeLLM       = "llm_request"
	typeLLMResult = "llm_request_result"
	typeRetrieve  = "retriever_request"
	typePrompt    = "prompt_request"
	typeParsers   = "register_parsers"
	typeParsed    = "parser_finished"
	typeItem      = "parser_result_ki" // a leftover of the protocol; ignored
)

// resultOf is the type of the answer to a request.
func resultOf(request string) string { return request + "_result" }

// statusFine and statusBad are the only statuses that occur.
const (
	statusFine = 200
	statusBad  = 400
)

// incoming is a frame of a worker.
type incoming struct {
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

// outgoing is a frame to a worker; the SDK wants both type and payload.
type outgoing struct {
	Type    string `json:"type"`
	Status  int    `json:"status"`
	Payload any    `json:"payload"`
}

// invalidError are what is wrong, by member, in the words that the protocol's own server uses.
type invalidError map[string]any

func (f invalidError) Error() string {
	raw, err := json.Marshal(map[string]any(f))
	if err != nil {
		return "invalid"
	}
	return string(raw)
}

// The words for members.
const (
	wordRequired = "This field is required."
	wordText     = "Not a valid string."
)

func required(names ...string) invalidError {
	f := invalidError{}
	for _, name := range names {
		f[name] = []string{wordRequired}
	}
	return f
}

func notAChoice(word string) invalidError {
	return invalidError{"type": []string{fmt.Sprintf("%q is not a valid choice.", word)}}
}

// errNoJSON is a frame that cannot be read at all.
var errNoJSON = errors.New("a frame is a JSON object with type and data")

// readFrame reads the envelope of a frame.
func readFrame(raw []byte) (incoming, error) {
	var in struct {
		Type json.RawMessage `json:"type"`
		Data json.RawMessage `json:"data"`
	}
	if !isObject(raw) || json.Unmarshal(raw, &in) != nil && json.Unmarshal(withoutOddNumbers(raw), &in) != nil {
		return incoming{}, errNoJSON
	}
	var kind string
	switch {
	case isNull(in.Type):
		return incoming{}, required("type")
	case json.Unmarshal(in.Type, &kind) != nil:
		return incoming{}, invalidError{"type": []string{wordText}}
	case !isObject(in.Data):
		return incoming{}, required("data")
	}
	return incoming{kind, in.Data}, nil
}

// oddNumbers are what Python writes for floats that JSON has no form for, and the protocol's own server reads.
var oddNumbers = [][]byte{[]byte("NaN"), []byte("-Infinity"), []byte("Infinity")}

// withoutOddNumbers puts null where such a number stands outside of texts.
func withoutOddNumbers(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	quoted := false
	for i := 0; i < len(raw); i++ {
		if !quoted {
			if n := oddNumber(raw[i:]); n > 0 {
				out, i = append(out, "null"...), i+n-1
				continue
			}
		}
		switch {
		case raw[i] == '"':
			quoted = !quoted
		case raw[i] == '\\' && quoted && i+1 < len(raw):
			out = append(out, raw[i])
			i++
		}
		out = append(out, raw[i])
	}
	return out
}

func oddNumber(raw []byte) int {
	for _, word := range oddNumbers {
		if bytes.HasPrefix(raw, word) {
			return len(word)
		}
	}
	return 0
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

func isObject(raw []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) }

// encode writes a frame without the escapes that only HTML needs: they would make it larger.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// errorFrame says what was wrong with a frame.
func errorFrame(err error) outgoing {
	var errs any = err.Error()
	if f, ok := errors.AsType[invalidError](err); ok {
		errs = f
	}
	return outgoing{typeError, statusBad, map[string]any{"errors": errs, "request_info": map[string]any{}}}
}

// resultError is errorFrame for a malformed rpc_result, where the payload is the validation itself.
func resultError(err error) outgoing {
	if f, ok := errors.AsType[invalidError](err); ok {
		return outgoing{typeError, statusBad, f}
	}
	return errorFrame(err)
}

// name is an id that may come as a text or as a number.
type name string

// UnmarshalJSON takes texts, numbers and null.
func (n *name) UnmarshalJSON(raw []byte) error {
	var text *string
	if json.Unmarshal(raw, &text) == nil {
		if text != nil {
			*n = name(*text)
		}
		return nil
	}
	var number json.Number
	if err := json.Unmarshal(raw, &number); err != nil {
		return errors.New("want a text or a number")
	}
	*n = name(number)
	return nil
}

func nameOf(number int64) name { return name(strconv.FormatInt(number, 10)) }

// request is the payload of a call.
type request struct {
	Name string      `json:"name"`
	Ctx  callContext `json:"ctx"`
}

// callContext is what a worker's function may know. The SDK sends it back with every result.
type callContext struct {
	TransitionData json.RawMessage   `json:"transition_data,omitempty"` // events only
	Conversation   int64             `json:"conversation_id"`
	User           string            `json:"user_id"`
	Metadata       json.RawMessage   `json:"initial_conversation_metadata"`
	Messages       []json.RawMessage `json:"conv_mml"`
	Channel        string            `json:"bot_channel_name"`
	State          json.RawMessage   `json:"state"`
	Status         json.RawMessage   `json:"status"`
	CallID         string            `json:"call_id"`
}

// result is the data of an answer to a call, or of a part of it.
type result struct {
	CallID       string
	Conversation name
	Status       json.RawMessage
	Condition    bool
	Group, Stack string // names of the event's answer, and of the bubble
	Layers       []json.RawMessage
	LastChunk    bool
	Last         bool
}

// maxNames bounds the ids of a result, in bytes.
const maxNames = 255

// readResult reads an answer. Who it is for is told also when it is malformed, as far as that can be read.
func readResult(data json.RawMessage) (result, error) {
	var in struct {
		Ctx struct {
			CallID       *string         `json:"call_id"`
			Conversation *name           `json:"conversation_id"`
			Status       json.RawMessage `json:"status"`
		} `json:"ctx"`
		Node      *string         `json:"node_type"`
		Group     *name           `json:"stack_group_id"`
		ID        *name           `json:"stack_id"`
		Stack     json.RawMessage `json:"stack"`
		LastChunk bool            `json:"last_chunk"`
		Last      bool            `json:"last"`
	}
	err := json.Unmarshal(data, &in)
	r := result{Condition: valueOf(in.Node) == "condition", Status: in.Ctx.Status, LastChunk: in.LastChunk, Last: in.Last}
	r.CallID, r.Conversation = valueOf(in.Ctx.CallID), valueOf(in.Ctx.Conversation)
	r.Group, r.Stack = string(valueOf(in.Group)), string(valueOf(in.ID))
	if err != nil {
		return r, invalidError{"data": []string{err.Error()}}
	}
	wrong := invalidError{}
	if r.Conversation == "" {
		wrong["ctx"] = required("conversation_id")
	}
	for member, missing := range map[string]bool{"node_type": in.Node == nil, "stack_group_id": in.Group == nil, "stack_id": in.ID == nil} {
		if missing {
			wrong[member] = []string{wordRequired}
		}
	}
	if node := valueOf(in.Node); in.Node != nil && node != "condition" && node != "action" {
		wrong["node_type"] = notAChoice(node)["type"]
	}
	if len(r.Group) > maxNames || len(r.Stack) > maxNames {
		wrong["stack_id"] = []string{"Ensure this field has no more than 255 characters."}
	}
	switch {
	case r.Condition && isObject(in.Stack): // as older clients send it
		r.Layers = []json.RawMessage{in.Stack}
	case isObject(in.Stack) || isNull(in.Stack): // as good as empty
	case json.Unmarshal(in.Stack, &r.Layers) != nil:
		wrong["stack"] = []string{`Expected a list of items.`}
	}
	if len(wrong) > 0 {
		return r, wrong
	}
	return r, nil
}

func valueOf[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// score is the answer of a condition.
type score struct {
	Score float64
	Data  json.RawMessage
}

func (r result) score() (score, error) {
	if !r.Condition {
		return score{}, invalidError{"node_type": []string{"The call is for a condition."}}
	}
	if len(r.Layers) == 0 {
		return score{}, required("stack")
	}
	var in struct {
		Score *float64        `json:"score"`
		Data  json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(r.Layers[0], &in); err != nil || in.Score == nil {
		return score{}, invalidError{"stack": invalidError{"0": invalidError{"score": []string{"A valid number is required."}}}}
	}
	if isNull(in.Data) {
		in.Data = nil
	}
	return score{*in.Score, in.Data}, nil
}
