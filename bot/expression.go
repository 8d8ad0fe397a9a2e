package bot

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

// Limits of one expression; see guard.go for what its evaluation may cost.
const (
	maxExpression = 4 << 10 // bytes of source
	maxNodes      = 500
)

// expression is a compiled expression; source is kept for the trace.
type expression struct {
	source  string
	program *vm.Program
}

// compileExpression checks names and static types against the environment. Variables are dynamic.
func compileExpression(source string) (*expression, error) {
	switch {
	case strings.TrimSpace(source) == "":
		return nil, errors.New("empty expression")
	case len(source) > maxExpression:
		return nil, fmt.Errorf("expression longer than %d bytes", maxExpression)
	}
	options := append(guardOptions(), expr.Env(&environment{}), expr.MaxNodes(maxNodes))
	program, err := expr.Compile(source, options...)
	if err != nil {
		return nil, errors.New(oneLine(err.Error()))
	}
	return &expression{source: source, program: program}, nil
}

// eval runs the expression; machine is reused between evaluations of one step.
func (e *expression) eval(machine *vm.VM, env *environment) (any, error) {
	if err := env.Meter.begin(); err != nil {
		return nil, err
	}
	machine.MemoryBudget = evalBudget
	v, err := machine.Run(e.program, env)
	if err != nil {
		return nil, errors.New(oneLine(err.Error()))
	}
	return v, nil
}

// score reads a value as a condition's score: true is 1, false and nil are 0, a number is itself.
func score(v any) (float64, error) {
	switch x := v.(type) {
	case nil:
		return 0, nil
	case bool:
		if x {
			return 1, nil
		}
		return 0, nil
	}
	clean, _, err := tidy(v, 0)
	if err != nil {
		return 0, err
	}
	switch n := clean.(type) {
	case int:
		return float64(n), nil
	case float64:
		return n, nil
	default:
		return 0, fmt.Errorf("a condition gives true, false or a number, not %T", clean)
	}
}

// truth reads a value as yes or no: a number above 0 is yes.
func truth(v any) (bool, error) {
	n, err := score(v)
	return n > 0 && !math.IsNaN(n), err
}

// oneLine cuts the drawing of the place off an error of the expression package, which is made for terminals.
func oneLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}
