package pages

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// table prints a result in the form of ../README.md, past testing's log, which cuts what benchmarks say.
func table(title string, heads string, rows ...string) {
	cut := strings.Repeat("| --- ", strings.Count(heads, "|")+1) + "|"
	load, _ := os.ReadFile("/proc/loadavg") // Linux; elsewhere nothing is said of it
	fmt.Printf("\n%s; load average now %s\n\n| %s |\n%s\n| %s |\n\n", title, firstWord(string(load)), heads, cut, strings.Join(rows, " |\n| "))
}

func firstWord(s string) string {
	word, _, _ := strings.Cut(s, " ")
	return word
}

// quantile of figures; q from 0 to 1. They are sorted.
func quantile(list []float64, q float64) float64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[min(int(q*float64(len(list))), len(list)-1)]
}

// quiet leaves out the time of one run, which says nothing here.
func quiet(b *testing.B) { b.ReportMetric(0, "ns/op") }
