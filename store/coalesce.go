package store

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// PostgreSQL takes a statement of its own for every row badly: most of its time goes into starting statements. coalesce turns
// statements of one text into one statement over arrays. SQLite, which is in this process, runs them as they are.

// bundle is a statement that does the work of several.
type bundle struct {
	sql   string
	args  []any
	parts []stmt // whose work it is, in order; a row of a query begins with the index of its part
}

// mergeable tells whether a statement's text can be merged: plain reads and writes by key. What locks or returns is left alone.
func mergeable(q stmt) bool {
	if len(q.args) == 0 || strings.Contains(q.sql, "FOR UPDATE") || slices.ContainsFunc(q.args, strange) {
		return false
	}
	switch verb, _, _ := strings.Cut(q.sql, " "); verb {
	case "SELECT":
		return q.scan != nil
	case "INSERT":
		return q.scan == nil && strings.Contains(q.sql, valuesOf(len(q.args)))
	case "UPDATE":
		return q.scan == nil && strings.Count(q.sql, " WHERE ") == 1
	case "DELETE":
		return q.scan == nil && strings.Count(q.sql, " WHERE ") == 1 && !strings.Contains(q.sql, "SELECT")
	default:
		return false
	}
}

// strange tells whether an argument is of a type that column does not know.
func strange(arg any) bool {
	switch arg.(type) {
	case nil, int, int64, string:
		return false
	default:
		return true
	}
}

// coalesce groups statements of one text, in the order of their first ones. The caller's writes must not depend on the order of
// statements of different texts beyond that. texts remembers what merging makes of a text.
func coalesce(list []stmt, texts *sync.Map) []bundle {
	out := make([]bundle, 0, 16)
	at := map[string]int{}
	for _, q := range list {
		if !mergeable(q) {
			out = append(out, bundle{sql: q.sql, args: plain(q.args), parts: []stmt{q}})
			continue
		}
		i, ok := at[q.sql]
		if !ok {
			i = len(out)
			at[q.sql] = i
			out = append(out, bundle{sql: q.sql, args: plain(q.args)})
		}
		out[i].parts = append(out[i].parts, q)
	}
	for i := range out {
		if len(out[i].parts) > 1 {
			out[i].merge(texts)
		}
	}
	return out
}

// merge makes the arrays and the text over them.
func (b *bundle) merge(texts *sync.Map) {
	first := b.parts[0]
	b.args = make([]any, len(first.args))
	types := make([]string, len(first.args))
	for i := range first.args {
		b.args[i], types[i] = column(b.parts, i)
	}
	text, ok := texts.Load(first.sql)
	if !ok {
		text, _ = texts.LoadOrStore(first.sql, mergedText(first.sql, types))
	}
	b.sql = text.(string)
}

// column collects the i-th argument of all parts as one array, with its PostgreSQL type.
func column(parts []stmt, i int) (any, string) {
	switch parts[0].args[i].(type) {
	case int, int64:
		out := make([]int64, len(parts))
		for n, q := range parts {
			switch v := q.args[i].(type) {
			case int:
				out[n] = int64(v)
			case int64:
				out[n] = v
			}
		}
		return out, "bigint[]"
	default:
		out := make([]*string, len(parts))
		for n, q := range parts {
			if s, ok := q.args[i].(string); ok {
				s = cleanText(s)
				out[n] = &s
			}
		}
		return out, "text[]"
	}
}

// valuesOf is the list of values of an INSERT with n columns.
func valuesOf(n int) string {
	var b strings.Builder
	b.WriteString("VALUES (")
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", i+1)
	}
	return b.String() + ")"
}

var placeholder = regexp.MustCompile(`\$(\d+)`)

// mergedText rewrites a text for arrays of these types: v has a row for each part, its columns p1, p2, ... are the arguments.
func mergedText(sql string, types []string) string {
	names := make([]string, len(types))
	arrays := make([]string, len(types))
	for i, t := range types {
		names[i], arrays[i] = fmt.Sprintf("p%d", i+1), fmt.Sprintf("$%d::%s", i+1, t)
	}
	from := "unnest(" + strings.Join(arrays, ", ") + ") WITH ORDINALITY AS v(" + strings.Join(names, ", ") + ", i)"
	verb, _, _ := strings.Cut(sql, " ")
	switch verb {
	case "SELECT": // OFFSET keeps the planner from mixing the joins inside with v: it would begin with whole tables
		return "SELECT v.i, q.* FROM " + from + " CROSS JOIN LATERAL (" + placeholder.ReplaceAllString(sql, "v.p$1") + " OFFSET 0) AS q"
	case "INSERT":
		selected := "SELECT v." + strings.Join(names, ", v.") + " FROM " + from + " ORDER BY v.i"
		return strings.Replace(sql, valuesOf(len(types)), selected, 1)
	case "UPDATE":
		head, where, _ := strings.Cut(placeholder.ReplaceAllString(sql, "v.p$1"), " WHERE ")
		return head + " FROM " + from + " WHERE " + where
	default: // DELETE
		head, where, _ := strings.Cut(placeholder.ReplaceAllString(sql, "v.p$1"), " WHERE ")
		return head + " USING " + from + " WHERE " + where
	}
}
