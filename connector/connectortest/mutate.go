package connectortest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// How many changed bodies of each sort a call gives; the places are spread evenly, the same every time, and those of one call lie between
// those of the call before it, for most calls of a platform are alike.
const (
	manyCuts    = 32
	manyFlips   = 24
	manyMembers = 32
)

// mutation is a changed body.
type mutation struct {
	what string
	body []byte
}

// mutations are bodies cut, overwritten and, if they are JSON, with members of other types, for the turn-th call.
func mutations(body []byte, turn int) []mutation {
	if len(body) == 0 {
		return nil
	}
	list := []mutation{
		{"an empty body", nil},
		{"something after the body", append(slices.Clone(body), " x"...)},
		{"deeply nested", []byte(repeat("[", 20000))},
	}
	for _, i := range spread(len(body), manyCuts, turn) {
		list = append(list, mutation{fmt.Sprintf("cut at %d", i), slices.Clone(body[:i])})
	}
	for _, i := range spread(len(body), manyFlips, turn) {
		for _, c := range []byte{'"', '}', 0, 0xff, body[i] ^ 0x10} {
			changed := slices.Clone(body)
			changed[i] = c
			list = append(list, mutation{fmt.Sprintf("byte %d overwritten with %q", i, c), changed})
		}
	}
	return append(list, memberMutations(body, turn)...)
}

func repeat(s string, n int) string { return string(slices.Repeat([]byte(s), n)) }

// spread is at most many numbers below n, evenly; an odd turn's lie between an even one's.
func spread(n, many, turn int) []int {
	if n <= many {
		many = n
	}
	list := make([]int, many)
	for i := range list {
		list[i] = (2*i + turn%2) * n / (2 * many)
	}
	return list
}

// memberMutations puts values of other types in the place of members of a JSON body, and takes members away.
func memberMutations(body []byte, turn int) []mutation {
	root, err := decode(body)
	if err != nil {
		return nil
	}
	var paths [][]any
	collect(root, nil, &paths)
	others := []any{nil, true, json.Number("-1"), json.Number("1e400"), "", "x\u0000y", []any{}, []any{nil}, map[string]any{}}
	var list []mutation
	for _, i := range spread(len(paths), manyMembers, turn) {
		for _, other := range others {
			list = append(list, changed(body, paths[i], func(map[string]any, string) any { return other }, show(other)))
		}
		list = append(list, changed(body, paths[i], func(m map[string]any, name string) any {
			delete(m, name)
			return nil
		}, "nothing"))
	}
	return list
}

// collect lists the paths of all values: names and indexes.
func collect(v any, path []any, out *[][]any) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			p := append(slices.Clone(path), name)
			*out = append(*out, p)
			collect(v[name], p, out)
		}
	case []any:
		for i := range v {
			p := append(slices.Clone(path), i)
			*out = append(*out, p)
			collect(v[i], p, out)
		}
	}
}

// changed is the body with another value at the path. put may delete from the object instead.
func changed(body []byte, path []any, put func(map[string]any, string) any, what string) mutation {
	root, _ := decode(body) // it was decoded before
	at := root
	for _, step := range path[:len(path)-1] {
		switch step := step.(type) {
		case string:
			at = at.(map[string]any)[step]
		case int:
			at = at.([]any)[step]
		}
	}
	switch last := path[len(path)-1].(type) {
	case string:
		m := at.(map[string]any)
		if v := put(m, last); v != nil || what != "nothing" {
			m[last] = v
		}
	case int:
		at.([]any)[last] = put(map[string]any{}, "")
	}
	raw, err := json.Marshal(root)
	if err != nil { // 1e400 is a number that Marshal takes as it is
		raw = body
	}
	return mutation{fmt.Sprintf("%v replaced by %s", path, what), raw}
}
