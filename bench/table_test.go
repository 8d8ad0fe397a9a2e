//go:build unix

package bench

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// table is a result in the form of README.md.
type table struct{ lines []string }

func newTable(heads ...string) *table {
	t := &table{}
	t.lines = append(t.lines, "| "+strings.Join(heads, " | ")+" |", strings.Repeat("| --- ", len(heads))+"|")
	return t
}

func (t *table) row(cells ...any) {
	words := make([]string, len(cells))
	for i, c := range cells {
		words[i] = fmt.Sprint(c)
	}
	t.lines = append(t.lines, "| "+strings.Join(words, " | ")+" |")
}

// print goes past testing's log, which cuts what benchmarks say.
func (t *table) print(title string) {
	fmt.Printf("\n%s\n\n%s\n\n", title, strings.Join(t.lines, "\n"))
}

func whole(v float64) string         { return fmt.Sprintf("%.0f", v) }
func tenth(v float64) string         { return fmt.Sprintf("%.1f", v) }
func millis(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// metric names a figure in the form that benchstat reads: no spaces.
func metric(name, unit string) string { return strings.ReplaceAll(name, " ", "-") + "-" + unit }

// quiet leaves out the time of one run, which says nothing here.
func quiet(b *testing.B) { b.ReportMetric(0, "ns/op") }

// median of what f sees in a list that is not empty.
func median[T any](list []T, f func(T) float64) float64 {
	values := make([]float64, len(list))
	for i, v := range list {
		values[i] = f(v)
	}
	slices.Sort(values)
	if n := len(values); n%2 == 0 {
		return (values[n/2-1] + values[n/2]) / 2
	}
	return values[len(values)/2]
}
