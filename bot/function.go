package bot

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr/vm/runtime"
)

// The functions that stand in for those of the expression package which could take any amount of memory or
// give their result in random order.

func plus(m *meter, args []any) (any, error) {
	v := runtime.Add(args[0], args[1])
	if s, ok := v.(string); ok {
		return v, m.pay(len(s))
	}
	return v, nil
}

func repeat(m *meter, args []any) (any, error) {
	text, err := texts("repeat", 1, 2, 2, args)
	if err != nil {
		return nil, err
	}
	n := runtime.ToInt(args[1])
	if n < 0 || n > evalBudget || len(text[0])*n > evalBudget {
		return nil, errBudget
	}
	return strings.Repeat(text[0], n), m.pay(len(text[0]) * n)
}

func replace(m *meter, args []any) (any, error) {
	text, err := texts("replace", 3, 3, 4, args)
	if err != nil {
		return nil, err
	}
	limit := -1
	if len(args) == 4 {
		limit = runtime.ToInt(args[3])
	}
	found := strings.Count(text[0], text[1])
	if found > 0 && len(text[2]) > evalBudget/found {
		return nil, errBudget
	}
	out := strings.Replace(text[0], text[1], text[2], limit)
	return out, m.pay(len(out))
}

func joinTexts(m *meter, args []any) (any, error) {
	if len(args) < 1 || len(args) > 2 {
		return nil, fmt.Errorf("join takes a list and a text, not %d arguments", len(args))
	}
	glue, err := texts("join", len(args)-1, 0, 1, args[1:])
	if err != nil {
		return nil, err
	}
	list := reflect.ValueOf(args[0])
	if list.Kind() != reflect.Slice {
		return nil, fmt.Errorf("join takes a list, not %T", args[0])
	}
	var out strings.Builder
	for i := range list.Len() {
		if i > 0 && len(glue) > 0 {
			out.WriteString(glue[0])
		}
		s, ok := list.Index(i).Interface().(string)
		if !ok {
			return nil, errors.New("join takes a list of texts")
		}
		out.WriteString(s)
		if out.Len() > evalBudget {
			return nil, errBudget
		}
	}
	return out.String(), m.pay(out.Len())
}

// texts checks the number of arguments and that the first of them are texts.
func texts(name string, count, least, most int, args []any) ([]string, error) {
	if len(args) < least || len(args) > most {
		return nil, fmt.Errorf("invalid number of arguments for %s: %d", name, len(args))
	}
	out := make([]string, count)
	for i := range count {
		s, ok := args[i].(string)
		if !ok {
			return nil, fmt.Errorf("%s takes a text, not %T", name, args[i])
		}
		out[i] = s
	}
	return out, nil
}

func sortedKeys(_ *meter, args []any) (any, error) {
	_, names, err := entriesOf(args)
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(names))
	for _, name := range names {
		out = append(out, name)
	}
	return out, nil
}

func sortedValues(_ *meter, args []any) (any, error) {
	m, names, err := entriesOf(args)
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(m))
	for _, name := range names {
		out = append(out, m[name])
	}
	return out, nil
}

func entriesOf(args []any) (map[string]any, []string, error) {
	if len(args) != 1 {
		return nil, nil, fmt.Errorf("takes one map, not %d arguments", len(args))
	}
	m, ok := args[0].(map[string]any)
	if !ok {
		return nil, nil, fmt.Errorf("takes a map, not %T", args[0])
	}
	return m, slices.Sorted(maps.Keys(m)), nil
}
