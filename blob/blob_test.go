package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/chat"
)

// examine holds a Store to its promises; left counts everything that it keeps, half written things too.
func examine(t *testing.T, s Store, left func(t *testing.T) int) {
	t.Run("round trip", func(t *testing.T) { roundTrip(t, s) })
	t.Run("ranges", func(t *testing.T) { ranges(t, s) })
	t.Run("nothing left of a failed put", func(t *testing.T) { failures(t, s, left) })
	t.Run("replace and delete", func(t *testing.T) { replace(t, s, left) })
	t.Run("bad keys", func(t *testing.T) { badKeys(t, s) })
	t.Run("many at once", func(t *testing.T) { manyAtOnce(t, s) })
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n)}).Read(b) //nolint:errcheck // never fails
	return b
}

func read(t testing.TB, s Store, key string, offset, length int64) ([]byte, Info) {
	t.Helper()
	r, info, err := s.Open(t.Context(), key, offset, length)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return got, info
}

func remove(t testing.TB, s Store, key string) {
	t.Helper()
	if err := s.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
}

// roundTrip uses sizes around the bounds of single requests and of parts.
func roundTrip(t *testing.T, s Store) {
	for _, n := range []int{0, 1, 4096, small - 1, small, small + 1, partSize, partSize + 1, 2*partSize + 3} {
		want := random(n)
		sum := sha256.Sum256(want)
		var r io.Reader = bytes.NewReader(want)
		if n < small-1 {
			r = iotest.OneByteReader(r)
		}
		info, err := s.Put(t.Context(), "w/round-trip", r, int64(n))
		if err != nil || info.Size != int64(n) || info.SHA256 != hex.EncodeToString(sum[:]) {
			t.Fatalf("%d bytes: %+v, %v", n, info, err)
		}
		if got, info := read(t, s, "w/round-trip", 0, -1); !bytes.Equal(got, want) || info.Size != int64(n) {
			t.Fatalf("%d bytes: got %d, %+v", n, len(got), info)
		}
	}
	remove(t, s, "w/round-trip")
}

func ranges(t *testing.T, s Store) {
	want := random(1000)
	if _, err := s.Put(t.Context(), "ranges", bytes.NewReader(want), 1000); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(r *rapid.T) {
		offset := rapid.Int64Range(0, 1000).Draw(r, "offset")
		length := rapid.Int64Range(-1, 1100).Draw(r, "length")
		end := min(offset+length, 1000)
		if length == -1 {
			end = 1000
		}
		if got, info := read(t, s, "ranges", offset, length); !bytes.Equal(got, want[offset:end]) || info.Size != 1000 {
			r.Fatalf("[%d, +%d]: got %d bytes, %+v", offset, length, len(got), info)
		}
	})
	for _, x := range [][2]int64{{1001, -1}, {-1, 5}, {0, -2}} {
		if _, _, err := s.Open(t.Context(), "ranges", x[0], x[1]); chat.CodeOf(err) != chat.CodeInvalid {
			t.Errorf("%v: %v", x, err)
		}
	}
	remove(t, s, "ranges")
}

func failures(t *testing.T, s Store, left func(*testing.T) int) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	broken := errors.New("the line is dead")
	for _, n := range []int{10, small + 10, partSize + 10} {
		for name, put := range map[string]struct {
			ctx   context.Context
			r     io.Reader
			limit int64
			check func(error) bool
		}{
			"too large": {t.Context(), bytes.NewReader(random(n)), int64(n) - 1, func(err error) bool { return chat.CodeOf(err) == chat.CodeTooLarge }},
			"broken": {
				t.Context(), io.MultiReader(bytes.NewReader(random(n)), iotest.ErrReader(broken)), 1 << 40,
				func(err error) bool { return errors.Is(err, broken) },
			},
			"half a body": {
				t.Context(), io.MultiReader(bytes.NewReader(random(n)), iotest.ErrReader(io.ErrUnexpectedEOF)), 1 << 40,
				func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) },
			},
			"cancelled": {gone, bytes.NewReader(random(n)), 1 << 40, func(err error) bool { return errors.Is(err, context.Canceled) }},
		} {
			if info, err := s.Put(put.ctx, "failing", put.r, put.limit); !put.check(err) {
				t.Errorf("%s of %d bytes: %+v, %v", name, n, info, err)
			}
			if _, _, err := s.Open(t.Context(), "failing", 0, -1); chat.CodeOf(err) != chat.CodeNotFound {
				t.Errorf("%s of %d bytes: there is something: %v", name, n, err)
			}
		}
	}
	if n := left(t); n != 0 {
		t.Errorf("%d things are left", n)
	}
}

func replace(t *testing.T, s Store, left func(*testing.T) int) {
	for _, text := range []string{"first", "the second"} {
		if _, err := s.Put(t.Context(), "a/b", strings.NewReader(text), 100); err != nil {
			t.Fatal(err)
		}
		if got, _ := read(t, s, "a/b", 0, -1); string(got) != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
	if _, err := s.Put(t.Context(), "a/b", strings.NewReader("too large"), 3); err == nil {
		t.Error("too large, and taken")
	}
	if got, _ := read(t, s, "a/b", 0, -1); string(got) != "the second" {
		t.Errorf("a failed put left %q", got)
	}
	remove(t, s, "a") // the folder of a blob is no blob
	read(t, s, "a/b", 0, -1)
	remove(t, s, "a/b")
	remove(t, s, "a/b")
	if _, _, err := s.Open(t.Context(), "a/b", 0, -1); chat.CodeOf(err) != chat.CodeNotFound {
		t.Errorf("after deletion: %v", err)
	}
	if _, _, err := s.Open(t.Context(), "a", 0, -1); chat.CodeOf(err) != chat.CodeNotFound {
		t.Errorf("a folder: %v", err)
	}
	if n := left(t); n != 0 {
		t.Errorf("%d things are left", n)
	}
}

func badKeys(t *testing.T, s Store) {
	for _, key := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", ".hidden", "a/.b", partial + "/x", "a\\b", "a\x00", "a b", "é", "a:b",
		strings.Repeat("a", 201), strings.Repeat("a/", 300) + "a",
	} {
		_, err := s.Put(t.Context(), key, strings.NewReader("x"), 10)
		_, _, err2 := s.Open(t.Context(), key, 0, -1)
		err3 := s.Delete(t.Context(), key)
		for _, err := range []error{err, err2, err3} {
			if chat.CodeOf(err) != chat.CodeInvalid {
				t.Errorf("%.30q: %v", key, err)
			}
		}
	}
}

// manyAtOnce lets writers of one key race: a reader sees one of them whole.
func manyAtOnce(t *testing.T, s Store) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if _, err := s.Put(t.Context(), "shared", bytes.NewReader(bytes.Repeat([]byte{byte(i)}, 5000)), 5000); err != nil {
				t.Error(err)
			}
			key := fmt.Sprintf("own/%d", i)
			if _, err := s.Put(t.Context(), key, bytes.NewReader(random(i)), 100); err != nil {
				t.Error(err)
			}
			if got, _ := read(t, s, key, 0, -1); !bytes.Equal(got, random(i)) {
				t.Errorf("%s holds %d bytes", key, len(got))
			}
			remove(t, s, key)
		})
	}
	wg.Wait()
	got, _ := read(t, s, "shared", 0, -1)
	if len(got) != 5000 || bytes.Count(got, got[:1]) != 5000 {
		t.Errorf("a mixture of %d bytes", len(got))
	}
	remove(t, s, "shared")
}

func FuzzKey(f *testing.F) {
	for _, key := range []string{"a", "a/b", "../a", ".partial/x", "a//b", "\x00"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if checkKey(key) != nil {
			return
		}
		if strings.Contains(key, "..") && strings.Contains("/"+key+"/", "/../") || strings.HasPrefix(key, "/") || strings.ContainsAny(key, "\\\x00:") {
			t.Fatalf("%q was taken", key)
		}
	})
}
