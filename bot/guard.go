package bot

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
)

// The expression package counts the memory of some operations only, and no time. The guard rewrites an
// expression so that a budget holds for all of it: each round of a loop has a price, whatever can grow is
// weighed. It also takes out what would give different answers for the same input: the clock, the time zone of
// the machine, the order of a map's keys.

var errBudget = errors.New("memory budget exceeded")

// Prices, in about bytes.
const (
	evalBudget = 250_000   // of one evaluation
	stepBudget = 5_000_000 // of all evaluations of a step
	evalCost   = 50        // of an evaluation
	loopCost   = 200       // of one round of a loop
)

// meter counts what evaluations cost. Every guarded function is handed it as its first argument.
type meter struct {
	eval int
	step int
}

// begin starts an evaluation.
func (m *meter) begin() error {
	m.eval = 0
	return m.pay(evalCost)
}

func (m *meter) pay(n int) error {
	m.eval, m.step = m.eval+n, m.step+n
	if m.eval > evalBudget || m.step > stepBudget {
		return errBudget
	}
	return nil
}

// Names that the guard puts in; an author who writes them is told that they are unknown.
const (
	guardMeter = "$meter"
	guardLoop  = "$loop"
	guardWeigh = "$weigh"
	guardPlus  = "$plus"

	unavailable = "(not available) " // before a name, makes it unknown
)

// flat are built-in functions whose result is no larger than their arguments.
var flat = map[string]bool{
	"len": true, "lower": true, "upper": true, "trim": true, "trimPrefix": true, "trimSuffix": true,
	"int": true, "float": true, "abs": true, "ceil": true, "floor": true, "round": true, "type": true,
	"all": true, "any": true, "one": true, "none": true, "count": true, "find": true, "findIndex": true,
	"findLast": true, "findLastIndex": true, "indexOf": true, "lastIndexOf": true, "hasPrefix": true,
	"hasSuffix": true, "sum": true, "first": true, "last": true, "get": true, "bitand": true, "bitor": true,
}

// disabled are built-in functions that read the clock, give random order or take quadratic time.
var disabled = []string{"now", "toPairs", "uniq"}

// guard is the visitor that rewrites.
type guard struct{}

// Visit is called for every node that the author wrote, children first.
func (guard) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if strings.HasPrefix(n.Value, "$") {
			n.Value = unavailable + n.Value
		}
	case *ast.MemberNode:
		if name, ok := n.Property.(*ast.StringNode); ok && name.Value == "Local" {
			ast.Patch(node, &ast.IdentifierNode{Value: unavailable + name.Value})
		}
	case *ast.PredicateNode:
		n.Node = guarded(guardLoop, n.Node)
	case *ast.BinaryNode:
		switch n.Operator {
		case "+":
			ast.Patch(node, guarded(guardPlus, n.Left, n.Right))
		case "..":
			ast.Patch(node, guarded(guardWeigh, n))
		}
	case *ast.ArrayNode, *ast.MapNode:
		ast.Patch(node, guarded(guardWeigh, n))
	case *ast.BuiltinNode:
		if !flat[n.Name] {
			ast.Patch(node, guarded(guardWeigh, n))
		}
	case *ast.CallNode:
		name, named := n.Callee.(*ast.IdentifierNode)
		switch {
		case named && strings.HasPrefix(name.Value, unavailable):
			ast.Patch(node, name) // the checker does not look at a callee again
			return
		case named && guardedFunctions[name.Value] != nil:
			n.Arguments = append([]ast.Node{&ast.IdentifierNode{Value: guardMeter}}, n.Arguments...)
		}
		ast.Patch(node, guarded(guardWeigh, n))
	}
}

func guarded(name string, args ...ast.Node) ast.Node {
	args = append([]ast.Node{&ast.IdentifierNode{Value: guardMeter}}, args...)
	return &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: args}
}

// guardOptions puts the guard into a compilation.
func guardOptions() []expr.Option {
	options := []expr.Option{expr.Patch(guard{})}
	for _, name := range disabled {
		options = append(options, expr.DisableBuiltin(name))
	}
	for name, call := range guardedFunctions {
		options = append(options, expr.Function(name, func(args ...any) (any, error) {
			m, ok := args[0].(*meter)
			if !ok {
				return nil, errBudget
			}
			return call(m, args[1:])
		}))
	}
	return options
}

// guardedFunctions replace built-in ones, or are the guard's own.
var guardedFunctions = map[string]func(m *meter, args []any) (any, error){
	guardLoop:  func(m *meter, args []any) (any, error) { return args[0], m.pay(loopCost) },
	guardWeigh: weighed,
	guardPlus:  plus,
	"repeat":   repeat,
	"replace":  replace,
	"join":     joinTexts,
	"keys":     sortedKeys,
	"values":   sortedValues,
}

func weighed(m *meter, args []any) (any, error) {
	n, err := weigh(reflect.ValueOf(args[0]), maxValueDepth)
	if err != nil {
		return nil, err
	}
	return args[0], m.pay(n)
}

// weigh estimates the bytes of a value and stops at the budget, so that it is fast on values that contain
// the same large part many times.
func weigh(v reflect.Value, depth int) (int, error) {
	for v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	total := 16
	switch v.Kind() {
	case reflect.String:
		return total + v.Len(), nil
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if err := addWeight(&total, v.Index(i), depth); err != nil {
				return 0, err
			}
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			total += 16
			if err := addWeight(&total, entries.Value(), depth); err != nil {
				return 0, err
			}
		}
	default: // of fixed size
	}
	return total, nil
}

func addWeight(total *int, v reflect.Value, depth int) error {
	if depth == 0 {
		return fmt.Errorf("nested deeper than %d", maxValueDepth)
	}
	n, err := weigh(v, depth-1)
	if err != nil {
		return err
	}
	if *total += n; *total > evalBudget {
		return errBudget
	}
	return nil
}
