package bot

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Limits of a value that a session keeps.
const (
	maxVars       = 64 << 10 // bytes of all variables together, as JSON
	maxValueDepth = 32
)

// Values are a flow's variables, or other JSON data that expressions read. Numbers without a fraction are int,
// others float64, so that a value is the same before and after it was stored.
type Values map[string]any

// UnmarshalJSON reads an object; see Values for its numbers.
func (v *Values) UnmarshalJSON(raw []byte) error {
	var plain map[string]any
	if err := json.Unmarshal(raw, &plain); err != nil {
		return err
	}
	for name, value := range plain {
		clean, _, err := tidy(value, maxValueDepth)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		plain[name] = clean
	}
	*v = plain
	return nil
}

// tidy copies a value into the few types that JSON knows and estimates its size as JSON.
func tidy(v any, depth int) (any, int, error) {
	switch x := v.(type) {
	case nil:
		return nil, 4, nil
	case bool:
		return x, 5, nil
	case string:
		// an expression can cut a character in two, and JSON would not keep the halves
		x = strings.ToValidUTF8(x, "\uFFFD")
		return x, len(x) + 2, nil
	case int:
		return x, 8, nil
	case float64:
		return tidyNumber(x)
	case json.Number:
		n, err := x.Float64()
		if err != nil {
			return nil, 0, err
		}
		return tidyNumber(n)
	case time.Time:
		return x.Format(time.RFC3339Nano), 32, nil
	case time.Duration:
		return tidyNumber(x.Seconds())
	}
	if depth == 0 {
		return nil, 0, fmt.Errorf("nested deeper than %d", maxValueDepth)
	}
	return tidyNested(reflect.ValueOf(v), depth)
}

// tidyNumber makes whole numbers int as long as float64 counts them exactly.
func tidyNumber(x float64) (any, int, error) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil, 0, fmt.Errorf("%v is not a number", x)
	}
	if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
		return int(x), 8, nil
	}
	return x, 16, nil
}

func tidyNested(v reflect.Value, depth int) (any, int, error) {
	switch {
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		return tidyMap(v, depth)
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
		return tidyList(v, depth)
	case v.CanInt():
		return tidyNumber(float64(v.Int()))
	case v.CanUint():
		return tidyNumber(float64(v.Uint()))
	case v.CanFloat():
		return tidyNumber(v.Float())
	case v.Kind() == reflect.Struct && v.Type().PkgPath() == reflect.TypeFor[environment]().PkgPath():
		return tidyStruct(v, depth)
	default:
		return nil, 0, fmt.Errorf("a %s cannot be kept", v.Type())
	}
}

func tidyMap(v reflect.Value, depth int) (any, int, error) {
	out, size := make(map[string]any, v.Len()), 2
	for entries := v.MapRange(); entries.Next(); {
		clean, n, err := tidy(entries.Value().Interface(), depth-1)
		if err != nil {
			return nil, 0, err
		}
		out[strings.ToValidUTF8(entries.Key().String(), "\uFFFD")] = clean
		size += n + entries.Key().Len() + 4
	}
	return out, size, nil
}

func tidyList(v reflect.Value, depth int) (any, int, error) {
	out, size := make([]any, 0, v.Len()), 2
	for i := range v.Len() {
		clean, n, err := tidy(v.Index(i).Interface(), depth-1)
		if err != nil {
			return nil, 0, err
		}
		out = append(out, clean)
		size += n + 1
	}
	return out, size, nil
}

// tidyStruct turns a part of the environment (message, contact ...) into the map that an author sees.
func tidyStruct(v reflect.Value, depth int) (any, int, error) {
	out, size := make(map[string]any, v.NumField()), 2
	for i := range v.NumField() {
		clean, n, err := tidy(v.Field(i).Interface(), depth-1)
		if err != nil {
			return nil, 0, err
		}
		name := v.Type().Field(i).Tag.Get("expr")
		out[name] = clean
		size += n + len(name) + 4
	}
	return out, size, nil
}

// sizeOf estimates the bytes of variables as JSON; they are tidy already.
func sizeOf(vars Values) int {
	size := 2
	for name, value := range vars {
		_, n, err := tidy(value, maxValueDepth+1)
		if err != nil {
			return maxVars + 1
		}
		size += n + len(name) + 4
	}
	return size
}

// textOf writes a value as a reader expects it in a message: nothing for nil, lists and objects as JSON.
func textOf(v any) (string, error) {
	switch x := v.(type) {
	case nil:
		return "", nil
	case string:
		return strings.ToValidUTF8(x, "\uFFFD"), nil
	case time.Time:
		return x.Format(time.RFC3339), nil
	case time.Duration:
		return x.String(), nil
	}
	clean, _, err := tidy(v, maxValueDepth)
	if err != nil {
		return "", err
	}
	if n, ok := clean.(float64); ok {
		return strconv.FormatFloat(n, 'f', -1, 64), nil
	}
	raw, err := json.Marshal(clean)
	return string(raw), err
}
