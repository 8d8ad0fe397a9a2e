//go:build unix

package store_test

import (
	"testing"

	"github.com/dragoman-hub/dragoman/store/storetest"
)

// FuzzIncoming puts texts into every place that a platform can fill, on both databases.
func FuzzIncoming(f *testing.F) {
	for _, text := range []string{"", "a\x00b", "\xff", "{\"a\":1}", "%_", "1.2", "out.7"} {
		f.Add(text, "b", text)
	}
	lite, pg := storetest.StrangeIncoming(f, sqlite()), storetest.StrangeIncoming(f, postgres())
	f.Fuzz(func(t *testing.T, a, b, c string) {
		lite(t, a, b, c)
		pg(t, a, b, c)
	})
}
