package webhook

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strings"

	"github.com/itchyny/gojq"
)

// refused are functions that a program may not call, with the reason. Everything that builds a path by number may
// ask for gigabytes in one step, which no time limit stops.
var refused = map[string]string{
	"now":           "the same body must always give the same events",
	"localtime":     "depends on the machine",
	"strflocaltime": "depends on the machine",
	"setpath":       "may build lists of any length",
	"pick":          "may build lists of any length",
	"fromstream":    "may build lists of any length",
	"halt":          "use empty or error",
	"halt_error":    "use empty or error",
	"modulemeta":    "there are no modules",
	"env":           "there is no environment",
	"$ENV":          "there is no environment",
}

// The operators that can multiply the size of a value in one step, as bounded functions.
const (
	boundedTimes = "_times"
	boundedPlus  = "_plus"
	boundedText  = "_short"
)

// guard refuses what could read the world or eat all memory, and puts bounded functions in place of + and *.
func guard(query *gojq.Query) error {
	if query.Meta != nil || len(query.Imports) > 0 {
		return errors.New("modules are not available")
	}
	return inspect(reflect.ValueOf(query))
}

// inspect walks the whole syntax tree; it is far smaller than a switch over each of its node types.
func inspect(v reflect.Value) error {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		if err := inspect(v.Elem()); err != nil {
			return err
		}
		return inspectNode(v.Interface())
	case reflect.Slice:
		for i := range v.Len() {
			if err := inspect(v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if err := inspect(v.Field(i)); err != nil {
				return err
			}
		}
	default: // names, numbers and kinds of nodes: nothing below them
	}
	return nil
}

func inspectNode(node any) error {
	switch n := node.(type) {
	case *gojq.Func:
		return allowed(n.Name)
	case *gojq.FuncDef:
		return allowed(n.Name)
	case *gojq.Query:
		return bound(n)
	case *gojq.Term:
		shorten(n)
	}
	return nil
}

// slow are functions whose time grows with the square of their input, or has no end that a time limit could stop: between two
// steps of a program it is looked at, never inside of one. Each has the fewest arguments for which that is so.
var slow = map[string]int{
	"test": 0, "match": 0, "capture": 0, "scan": 0, "split": 2, "splits": 0, "sub": 0, "gsub": 0, "tonumber": 0,
}

// maxSlow is the longest text that they take, in bytes.
const maxSlow = 16 << 10

// shorten puts the check of its input before a slow function.
func shorten(t *gojq.Term) {
	if t.Type != gojq.TermTypeFunc {
		return
	}
	least, is := slow[t.Func.Name]
	if !is || len(t.Func.Args) < least {
		return
	}
	call := func(f *gojq.Func) *gojq.Query {
		return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: f}}
	}
	checked := &gojq.Query{Left: call(&gojq.Func{Name: boundedText}), Op: gojq.OpPipe, Right: call(t.Func)}
	t.Type, t.Func, t.Query = gojq.TermTypeQuery, nil, checked
}

func bearable(v any, _ []any) any {
	if s, ok := v.(string); ok && len(s) > maxSlow {
		return fmt.Errorf("text above %d bytes for a pattern or a number", maxSlow)
	}
	return v
}

func allowed(name string) error {
	if why, no := refused[name]; no {
		return fmt.Errorf("%s is not available: %s", name, why)
	}
	if strings.HasPrefix(name, "_") {
		return fmt.Errorf("%s is not available: internal to jq", name)
	}
	return nil
}

// bound changes one operator node.
func bound(q *gojq.Query) error {
	switch q.Op {
	case gojq.OpAssign, gojq.OpModify, gojq.OpUpdateAdd, gojq.OpUpdateSub, gojq.OpUpdateMul,
		gojq.OpUpdateDiv, gojq.OpUpdateMod, gojq.OpUpdateAlt:
		return fmt.Errorf("%s is not available: build the new value instead", q.Op)
	case gojq.OpMul:
		replace(q, boundedTimes)
	case gojq.OpAdd:
		replace(q, boundedPlus)
	default: // makes nothing larger than what goes in
	}
	return nil
}

func replace(q *gojq.Query, name string) {
	call := &gojq.Func{Name: name, Args: []*gojq.Query{q.Left, q.Right}}
	q.Term = &gojq.Term{Type: gojq.TermTypeFunc, Func: call}
	q.Op, q.Left, q.Right = 0, nil, nil
}

// boundedOperators are + and * that refuse results above maxValue.
func boundedOperators() []gojq.CompilerOption {
	return []gojq.CompilerOption{
		gojq.WithFunction(boundedTimes, 2, 2, operator("$a * $b", timesFits)),
		gojq.WithFunction(boundedPlus, 2, 2, operator("$a + $b", plusFits)),
		gojq.WithFunction(boundedText, 0, 0, bearable),
	}
}

// operator leaves the sum itself to jq.
func operator(source string, fits func(a, b any) bool) func(any, []any) any {
	query, err := gojq.Parse(source)
	if err != nil {
		panic("webhook: " + source + ": " + err.Error()) // a constant above
	}
	code, err := gojq.Compile(query, gojq.WithVariables([]string{"$a", "$b"}))
	if err != nil {
		panic("webhook: " + source + ": " + err.Error())
	}
	return func(_ any, args []any) any {
		if !fits(args[0], args[1]) {
			return errors.New("value too large")
		}
		v, _ := code.Run(nil, args...).Next()
		return v
	}
}

func timesFits(a, b any) bool {
	if s, ok := b.(string); ok {
		a, b = s, a
	}
	if s, ok := a.(string); ok {
		n, _ := gojq.ToFloat64(b)
		return float64(len(s))*n <= maxValue
	}
	return bits(a)+bits(b) <= 4096
}

func bits(v any) int {
	if n, ok := v.(*big.Int); ok {
		return n.BitLen()
	}
	return 64
}

func plusFits(a, b any) bool {
	return length(a)+length(b) <= maxValue
}

func length(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case []any:
		return 16 * len(v)
	default:
		return 0
	}
}
