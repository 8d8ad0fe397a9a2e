package secret_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/secret"
)

func key(b byte) []byte { return bytes.Repeat([]byte{b}, secret.KeySize) }

func ring(tb testing.TB, primary []byte, older ...[]byte) *secret.Keyring {
	tb.Helper()
	r, err := secret.NewKeyring(primary, older...)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestSealAndOpen(t *testing.T) {
	r := ring(t, key(1))
	rapid.Check(t, func(t *rapid.T) {
		place := rapid.String().Draw(t, "place")
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		sealed := r.Seal(place, plain)
		if got, err := r.Open(place, sealed); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("got %q, %v", got, err)
		}
		if sealed == r.Seal(place, plain) {
			t.Fatal("sealed twice the same: the nonce is not random")
		}
		if _, err := r.Open(place+"x", sealed); !errors.Is(err, secret.ErrSealed) {
			t.Fatalf("opened in another place: %v", err)
		}
	})
}

// TestAnyChangeIsNoticed changes one character of a sealed and of a signed text, or cuts them.
func TestAnyChangeIsNoticed(t *testing.T) {
	r := ring(t, key(1), key(2))
	now := time.Unix(1000, 0)
	sealed, signed := r.Seal("p", []byte("hunter2")), r.Sign("p", "payload", now.Add(time.Hour))
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{sealed, signed}).Draw(t, "text")
		i := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		c := rapid.ByteRange(32, 126).Draw(t, "with")
		changed := text[:i] + string(c) + text[i+1:]
		if rapid.Bool().Draw(t, "cut") {
			changed = text[:i]
		}
		if changed == text {
			return
		}
		if _, err := r.Open("p", changed); !errors.Is(err, secret.ErrSealed) {
			t.Errorf("%q opened, %v", changed, err)
		}
		if _, err := r.Verify("p", changed, now); !errors.Is(err, secret.ErrSignature) {
			t.Errorf("%q verified, %v", changed, err)
		}
	})
}

func TestRotation(t *testing.T) {
	before := ring(t, key(1))
	now := time.Unix(1000, 0)
	sealed, link := before.Seal("p", []byte("x")), before.Sign("p", "x", now.Add(time.Minute))

	after := ring(t, key(2), key(1))
	if got, err := after.Open("p", sealed); err != nil || string(got) != "x" {
		t.Fatalf("after the rotation: %q, %v", got, err)
	}
	if _, err := after.Verify("p", link, now); err != nil {
		t.Errorf("a link of the older key: %v", err)
	}
	if !after.Stale(sealed) || before.Stale(sealed) || after.Stale(after.Seal("p", nil)) || !after.Stale("junk") {
		t.Error("Stale does not tell what has to be sealed again")
	}
	if _, err := ring(t, key(2)).Open("p", sealed); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("opened without its key: %v", err)
	}
	if before.Primary() == after.Primary() {
		t.Error("two keys, one id")
	}
}

func TestBadRings(t *testing.T) {
	if _, err := secret.NewKeyring(key(1)[:31]); err == nil {
		t.Error("31 bytes were taken")
	}
	if _, err := secret.NewKeyring(key(1), key(2), key(1)); err == nil {
		t.Error("a key was taken twice")
	}
	for _, s := range []string{"", " ,", "short", base64.StdEncoding.EncodeToString(key(1)[:16])} {
		if _, err := secret.Parse(s); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
	long := strings.Repeat("hunter2", 9)
	if _, err := secret.Parse(long); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error shows the key: %v", err)
	}
}

func TestParse(t *testing.T) {
	one, two := make([]byte, secret.KeySize), key(0xfb)
	rand.Read(one)
	r, err := secret.Parse(base64.StdEncoding.EncodeToString(two) + ", " + base64.RawURLEncoding.EncodeToString(one) + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if r.Primary() != ring(t, two).Primary() {
		t.Error("the first key is not the primary")
	}
	if _, err := r.Open("p", ring(t, one).Seal("p", nil)); err != nil {
		t.Errorf("the second key does not open: %v", err)
	}
}

func TestKeyFileIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	sealed := make([]string, 8)
	var wg sync.WaitGroup
	for i := range sealed {
		wg.Go(func() {
			r, err := secret.Load(path)
			if err != nil {
				t.Error(err)
				return
			}
			sealed[i] = r.Seal("p", []byte("x"))
		})
	}
	wg.Wait()
	r, err := secret.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sealed {
		if _, err := r.Open("p", s); err != nil {
			t.Error(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestKeyFileThatOthersReadIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if _, err := secret.Load(path); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o644, 0o620} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.Load(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %v: %v", mode, err)
		}
	}
}

func TestBrokenKeyFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := secret.Load(dir); err == nil {
		t.Error("a folder was taken")
	}
	if _, err := secret.Load(filepath.Join(dir, "no", "key")); err == nil {
		t.Error("a folder that is not there was taken")
	}
	path := filepath.Join(dir, "key")
	for _, text := range []string{"", "# only a comment\n", "hunter2", strings.Repeat("#", 1<<17)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.Load(path); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%.20q: %v", text, err)
		}
		if raw, err := os.ReadFile(path); err != nil || string(raw) != text {
			t.Errorf("%.20q was changed", text)
		}
	}
}

func TestTokens(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		token, hash := secret.NewToken("drg")
		if len(token) != len("drg_")+43 || seen[token] {
			t.Fatalf("token of %d characters, seen before: %v", len(token), seen[token])
		}
		seen[token] = true
		if !hash.Matches(token) || hash.Matches(token+"x") || hash.Matches("") || hash != secret.HashToken(token) {
			t.Fatal("the hash does not tell the token from others")
		}
	}
	if !secret.Equal("a", "a") || secret.Equal("a", "b") || secret.Equal("a", "ab") {
		t.Error("Equal is wrong")
	}
}

func TestSignedLinks(t *testing.T) {
	r := ring(t, key(1))
	rapid.Check(t, func(t *rapid.T) {
		place, payload := rapid.String().Draw(t, "place"), rapid.StringN(0, 500, 1000).Draw(t, "payload")
		expiry := time.Unix(rapid.Int64Range(1, 1<<33).Draw(t, "expiry"), 0)
		link := r.Sign(place, payload, expiry)
		if got, err := r.Verify(place, link, expiry.Add(-time.Second)); err != nil || got != payload {
			t.Fatalf("got %q, %v", got, err)
		}
		if _, err := r.Verify(place, link, expiry); !errors.Is(err, secret.ErrExpired) {
			t.Fatalf("at its expiry: %v", err)
		}
		if _, err := r.Verify(place+"x", link, expiry.Add(-time.Second)); !errors.Is(err, secret.ErrSignature) {
			t.Fatalf("in another place: %v", err)
		}
		if _, err := r.Open(place, link); err == nil {
			t.Fatal("a signed text opened as a sealed one")
		}
	})
}

func FuzzOpen(f *testing.F) {
	r := ring(f, key(1))
	f.Add("p", r.Seal("p", []byte("x")))
	f.Add("p", r.Sign("p", "x", time.Unix(1<<40, 0)))
	f.Add("", "s1.")
	f.Fuzz(func(t *testing.T, place, text string) {
		if plain, err := r.Open(place, text); err == nil && string(plain) != "x" {
			t.Fatalf("forged: %q", plain)
		}
		if payload, err := r.Verify(place, text, time.Unix(0, 0)); err == nil && payload != "x" {
			t.Fatalf("forged: %q", payload)
		}
	})
}
