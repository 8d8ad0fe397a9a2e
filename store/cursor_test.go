package store

import (
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
)

// FuzzCursor: whatever a caller sends as a cursor, it is understood or refused as invalid.
func FuzzCursor(f *testing.F) {
	for _, text := range []string{"", "1.2", "1767323045000000.17", "5.out", "-1.-1", "1.", ".", "9223372036854775808.0", "1.2 ", "0x1.2"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := readCursor(text); err != nil && chat.CodeOf(err) != chat.CodeInvalid {
			t.Fatal(err)
		}
		if _, err := readLetterCursor(text); err != nil && chat.CodeOf(err) != chat.CodeInvalid {
			t.Fatal(err)
		}
	})
}
