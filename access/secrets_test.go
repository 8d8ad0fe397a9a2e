package access

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/dragoman-hub/dragoman/chat"
)

var quick = Hashing{Memory: 64, Passes: 1, AtOnce: 2, Waiting: 50}

func TestPasswords(t *testing.T) {
	h := newHasher(quick)
	stored, err := h.hash(t.Context(), "correct horse")
	if err != nil || !strings.HasPrefix(stored, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Fatal(stored, err)
	}
	again, _ := h.hash(t.Context(), "correct horse")
	if again == stored {
		t.Error("two hashes of one password are the same: no salt")
	}
	grown := newHasher(Hashing{Memory: 128, Passes: 2})
	for _, c := range []struct {
		h                *hasher
		password, stored string
		ok, stale        bool
	}{
		{h, "correct horse", stored, true, false},
		{h, "correct hors", stored, false, false},
		{h, "", stored, false, false},
		{h, strings.Repeat("x", 1000), stored, false, false},
		{h, "correct horse", "", false, false},
		{h, "correct horse", stored[:len(stored)-4], false, false},
		{grown, "correct horse", stored, true, true},
	} {
		ok, stale, err := c.h.matches(t.Context(), c.password, c.stored)
		if err != nil || ok != c.ok || ok && stale != c.stale {
			t.Errorf("%.20q against %.40q: %v %v %v", c.password, c.stored, ok, stale, err)
		}
	}
}

func TestPasswordRules(t *testing.T) {
	for password, fine := range map[string]bool{
		"correct horse": true, "äöüäöüäöüß": true, "123456789": false, "ada@example.com": false, " ADA@example.com": false, "ada-lovelace": true,
		"aaaaaaaaaaaaaa": false, "          ": false, strings.Repeat("ab", 129): false, "abcdefghi\xff": false, "ßßßßßßßßßßß": false,
	} {
		if err := checkPassword(password, "ada@example.com"); (err == nil) != fine || err != nil && chat.CodeOf(err) != chat.CodeInvalid {
			t.Errorf("%q: %v", password, err)
		}
	}
	if checkPassword("ada.lovelace", "ada.lovelace@example.com") == nil {
		t.Error("the address without its host was taken")
	}
}

// TestHashingIsBounded: however many sign in, two at once are hashed, and who comes when the queue is full is sent away.
func TestHashingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(Hashing{Memory: 64, Passes: 1, AtOnce: 2, Waiting: 3})
		var now, most, refused atomic.Int64
		release := make(chan struct{})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				err := h.work(context.Background(), func() {
					if n := now.Add(1); n > most.Load() {
						most.Store(n)
					}
					<-release
					now.Add(-1)
				})
				if chat.CodeOf(err) == chat.CodeUnavailable {
					refused.Add(1)
				}
			})
		}
		synctest.Wait()
		if refused.Load() != 15 {
			t.Errorf("%d were sent away, want 15", refused.Load())
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = h.work(ctx, func() { t.Error("it ran for somebody who had left") })
		close(release)
		wg.Wait()
		if most.Load() != 2 {
			t.Errorf("%d at once", most.Load())
		}
	})
}

func FuzzDigest(f *testing.F) {
	stored, _ := newHasher(quick).hash(f.Context(), "x")
	f.Add(stored)
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=64,t=1,p=0$$")
	f.Fuzz(func(t *testing.T, s string) {
		d, ok := parseDigest(s)
		if ok && (d.Memory > maxMemory || d.Passes > maxPasses || d.Lanes == 0 || d.String() != s) {
			t.Errorf("%q was believed: %+v", s, d)
		}
	})
}

func FuzzTokens(f *testing.F) {
	token, hash := newToken(sessionPrefix)
	f.Add(token)
	f.Add("drs_")
	f.Add("drl_" + token[4:])
	f.Fuzz(func(t *testing.T, s string) {
		got := hashOf(sessionPrefix, s)
		if got != "" && (len(s) != len(token) || !strings.HasPrefix(s, "drs_")) || s != token && got == hash {
			t.Errorf("%q was taken for a token", s)
		}
		if s == token && got != hash {
			t.Error("a token was not")
		}
		if kind, code := readCode(s); kind == appCode && len(code) != 6 || kind == recoveryCode && len(code) != 16 {
			t.Errorf("%q was taken for the code %q", s, code)
		}
		if mail, err := readEmail(s); err == nil && (mail != strings.ToLower(mail) || !strings.Contains(mail, "@") || len(mail) > maxEmail) {
			t.Errorf("%q was taken for the address %q", s, mail)
		}
	})
}

// TestCodes holds our codes against the table of RFC 6238 (its last six digits) and their window.
func TestCodes(t *testing.T) {
	const key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // 12345678901234567890
	for at, code := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		now := time.Unix(at, 0)
		if want, _ := totp.GenerateCode(key, now); want != code {
			t.Fatalf("the table: %s at %d", want, at)
		}
		for skew, fine := range map[time.Duration]bool{0: true, 30 * time.Second: true, -30 * time.Second: true, 90 * time.Second: false, -90 * time.Second: false} {
			if step, ok := findStep(key, code, now.Add(skew)); ok != fine || ok && step != at/30 {
				t.Errorf("%s at %d%+v: %v, step %d", code, at, skew, ok, step)
			}
		}
	}
	seen := map[string]bool{}
	for range 100 {
		code := newRecovery()
		kind, plain := readCode(strings.ToUpper(" " + code + " "))
		if kind != recoveryCode || seen[plain] || recoveryHash("u", code) != recoveryHash("u", plain) || recoveryHash("u", code) == recoveryHash("v", code) {
			t.Fatalf("%s: %v %s", code, kind, plain)
		}
		seen[plain] = true
	}
}

func TestThrottle(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	th := newThrottle()
	admitted := func(name, address string, known bool, tries int) (n int) {
		for range tries {
			if _, wait := th.begin(name, address, known, now); wait == 0 {
				n++
			}
		}
		return n
	}
	if n := admitted("ada", "1", false, 100); n != pacePair.free {
		t.Errorf("%d guesses at once", n)
	}
	if n := admitted("bob", "1", false, 1); n != 1 {
		t.Error("another name at the same address has to wait")
	}
	waits := []time.Duration{}
	for range 9 { // the waits grow
		_, wait := th.begin("ada", "1", false, now)
		waits = append(waits, wait)
		now = now.Add(wait)
		if n := admitted("ada", "1", false, 10); n != 1 {
			t.Fatalf("%d guesses after %v", n, wait)
		}
	}
	if fmt.Sprint(waits) != "[1s 2s 4s 8s 16s 32s 1m0s 1m0s 1m0s]" {
		t.Errorf("waits: %v", waits)
	}
	for i := range 200 { // strangers from everywhere
		admitted("ada", fmt.Sprint("stranger", i), false, 1)
	}
	if n := admitted("ada", "another stranger", false, 1); n != 0 {
		t.Error("a name can be guessed at from everywhere at once")
	}
	if n := admitted("ada", "home", true, 1); n != 1 {
		t.Error("strangers lock a user out who comes from where she signed in before")
	}
	now = now.Add(time.Minute)
	if n := admitted("ada", "another stranger", false, 1); n != 1 {
		t.Error("a lockout lasts longer than its bound")
	}
	for i := range 300 { // one address tries many names
		admitted(fmt.Sprint("name ", i), "2", false, 1)
	}
	if n := admitted("fresh", "2", false, 1); n != 0 {
		t.Error("one address can try any number of names")
	}
	now = now.Add(2 * time.Hour)
	if n := admitted("ada", "1", false, 100); n != pacePair.free {
		t.Errorf("%d guesses after a long silence", n)
	}
}

// TestForgiven: a good sign-in takes its own count back, so that a working day never runs into the limits.
func TestForgiven(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	th := newThrottle()
	for i := range 1000 {
		x, wait := th.begin("ada", "1", false, now)
		if wait > 0 {
			t.Fatalf("sign-in %d has to wait %v", i, wait)
		}
		x.forgive()
	}
	for i := range maxCounted + 10 {
		th.begin(fmt.Sprint(i), fmt.Sprint(i), false, now)
	}
	if len(th.all) > maxCounted+3 {
		t.Errorf("%d counts are kept", len(th.all))
	}
}
