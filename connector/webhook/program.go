package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/itchyny/gojq"

	"github.com/dragoman-hub/dragoman/connector"
)

// The limits of jq programs. A program comes from the settings, its input from outside; neither may hold up the hub.
const (
	maxProgram = 8 << 10         // bytes of source
	maxRun     = 5 * time.Second // of one run, by the clock: much longer than any honest one takes on a busy machine
	maxOutputs = 1000            // values of one run
	maxValue   = 4 << 20         // bytes of one value, roughly
	maxDepth   = 100             // of one value
)

// program is a compiled jq program. It sees neither environment nor files nor the clock.
type program struct {
	path string // of the setting, for messages
	vars []string
	code *gojq.Code
}

// compile reads a program; path names the setting in the error, vars the variables that a run gives it.
func compile(path, source string, vars []string) (*program, error) {
	if len(source) > maxProgram {
		return nil, connector.Malformedf("%s: program above %d bytes", path, maxProgram)
	}
	query, err := gojq.Parse(source)
	if err != nil {
		return nil, connector.Malformedf("%s: %s", path, err)
	}
	if err := guard(query); err != nil {
		return nil, connector.Malformedf("%s: %s", path, err)
	}
	options := append(boundedOperators(), gojq.WithVariables(vars))
	code, err := gojq.Compile(query, options...)
	if err != nil {
		return nil, connector.Malformedf("%s: %s", path, err)
	}
	return &program{path: path, vars: vars, code: code}, nil
}

// run gives all outputs. A variable that values has not got is null.
func (p *program) run(ctx context.Context, input any, values map[string]any) ([]any, error) {
	ctx, cancel := context.WithTimeout(ctx, maxRun)
	defer cancel()
	args := make([]any, len(p.vars))
	for i, name := range p.vars {
		args[i] = values[name]
	}
	var out []any
	iter := p.code.RunWithContext(ctx, input, args...)
	for {
		v, more := iter.Next()
		if !more {
			return out, nil
		}
		if err, failed := v.(error); failed {
			return nil, p.failed(err)
		}
		if len(out) == maxOutputs {
			return nil, p.failed(fmt.Errorf("more than %d values", maxOutputs))
		}
		if !fits(v) {
			return nil, p.failed(errors.New("value too large or too deep"))
		}
		out = append(out, v)
	}
}

// errSlow is a run that was cut off; the machine may be to blame.
var errSlow = errors.New("took longer")

// failed keeps jq's words short: they quote the input, which is somebody's message.
func (p *program) failed(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w than %s", p.path, errSlow, maxRun)
	}
	words, _, _ := strings.Cut(err.Error(), "\n")
	if len(words) > 200 {
		words = strings.ToValidUTF8(words[:200], "") + "..."
	}
	return fmt.Errorf("%s: %s", p.path, words)
}

// one gives the first output, nil if there is none. A nil program gives nil.
func (p *program) one(ctx context.Context, input any, values map[string]any) (any, error) {
	if p == nil {
		return nil, nil
	}
	out, err := p.run(ctx, input, values)
	if err != nil || len(out) == 0 {
		return nil, err
	}
	return out[0], nil
}

// fits tells whether a value is within maxValue and maxDepth.
func fits(v any) bool {
	return spend(v, maxValue, maxDepth) >= 0
}

// spend takes the size of v from what is left; below zero: it does not fit.
func spend(v any, left, depth int) int {
	if depth == 0 || left < 0 {
		return -1
	}
	left -= 8
	switch v := v.(type) {
	case string:
		left -= len(v)
	case json.Number:
		left -= len(v)
	case *big.Int:
		left -= v.BitLen() / 3
	case []any:
		for _, x := range v {
			if left = spend(x, left, depth-1); left < 0 {
				return -1
			}
		}
	case map[string]any:
		for k, x := range v {
			if left = spend(x, left-len(k), depth-1); left < 0 {
				return -1
			}
		}
	}
	return left
}

// words writes a value as text: strings as they are, numbers exactly, null as nothing, the rest as JSON.
func words(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case int:
		return strconv.Itoa(v)
	case *big.Int:
		return v.String()
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return strconv.FormatInt(int64(v), 10)
		}
	}
	raw, err := gojq.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

// scalar is words for a field that must be text, number or boolean.
func scalar(v any) (string, error) {
	switch v.(type) {
	case map[string]any, []any:
		return "", errors.New("is a list or an object where a text was expected")
	default:
		return words(v), nil
	}
}

// truthy is jq's idea of it: everything but null and false.
func truthy(v any) bool {
	return v != nil && v != false
}
