package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
)

// One-time codes as all authenticator apps make them (RFC 6238): 6 digits, SHA-1, 30 seconds; the codes before and after count too.
const (
	codeStep   = 30 // seconds
	codeDigits = otp.DigitsSix
	codeSkew   = 1
)

// recoveryCodes is how many are given out; each has 80 random bits.
const (
	recoveryCodes = 10
	recoveryBytes = 10
)

// TOTPOffer is a secret that is to be confirmed with a code.
type TOTPOffer struct {
	Secret string `json:"secret" doc:"In Base32, to be typed into an authenticator app."`
	URI    string `json:"uri" doc:"The same as a link or a QR code." example:"otpauth://totp/..."`
}

func totpPlace(user string) string { return "user/" + user + "/totp" }

// OfferTOTP makes a secret for somebody who is signed in and knows the password.
func (g *Gate) OfferTOTP(ctx context.Context, in SignedIn, password string) (TOTPOffer, error) {
	if in.User.TOTP {
		return TOTPOffer{}, chat.Faultf(chat.CodeConflict, "codes of an authenticator app are wanted already: switch that off first")
	}
	if err := g.prove(ctx, in.User, password, ""); err != nil {
		return TOTPOffer{}, err
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: "Dragoman", AccountName: in.User.Email, Period: codeStep, Digits: codeDigits, Rand: rand.Reader})
	if err != nil {
		return TOTPOffer{}, err
	}
	sealed := g.o.Secrets.Seal(totpPlace(in.User.ID), []byte(key.Secret()))
	return TOTPOffer{key.Secret(), key.URL()}, g.o.Store.OfferTOTP(ctx, in.User.ID, sealed)
}

// ConfirmTOTP makes the offered secret count, proved by a code of it. The recovery codes are shown this once.
func (g *Gate) ConfirmTOTP(ctx context.Context, in SignedIn, code string) ([]string, error) {
	if in.User.TOTPSecret == "" || in.User.TOTP {
		return nil, chat.Faultf(chat.CodeConflict, "no secret waits to be confirmed")
	}
	try, wait := g.throttle.begin(string(in.User.Workspace)+"/"+in.User.Email, "session/"+in.User.ID, true, g.o.Now())
	if wait > 0 {
		return nil, &ThrottledError{wait}
	}
	step, ok, err := g.stepOf(in.User, code)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, chat.Faultf(chat.CodeForbidden, "the code is wrong: is the phone's clock right?")
	}
	try.forgive()
	codes, hashes := make([]string, recoveryCodes), make([]string, recoveryCodes)
	for i := range codes {
		codes[i] = newRecovery()
		hashes[i] = recoveryHash(in.User.ID, codes[i])
	}
	return codes, g.o.Store.ConfirmTOTP(ctx, in.User, step, hashes)
}

// StopTOTP switches codes off for somebody who knows the password and has a code.
func (g *Gate) StopTOTP(ctx context.Context, in SignedIn, password, code string) error {
	if err := g.prove(ctx, in.User, password, code); err != nil {
		return err
	}
	return g.o.Store.DropTOTP(ctx, in.User)
}

// stepOf finds the step that a code belongs to.
func (g *Gate) stepOf(u store.User, code string) (int64, bool, error) {
	plain, err := g.o.Secrets.Open(totpPlace(u.ID), u.TOTPSecret)
	if err != nil {
		return 0, false, err
	}
	step, ok := findStep(string(plain), code, g.o.Now())
	return step, ok, nil
}

func findStep(key, code string, now time.Time) (int64, bool) {
	at := now.Unix() / codeStep
	for step := at - codeSkew; step <= at+codeSkew; step++ {
		want, err := hotp.GenerateCodeCustom(key, uint64(max(step, 0)), hotp.ValidateOpts{Digits: codeDigits, Algorithm: otp.AlgorithmSHA1}) //nolint:gosec // not negative
		if err == nil && secret.Equal(want, code) {
			return step, true
		}
	}
	return 0, false
}

// useCode takes a code of the app or a recovery code, each once.
func (g *Gate) useCode(ctx context.Context, u store.User, code string) error {
	kind, code := readCode(code)
	var err error
	switch kind {
	case appCode:
		step, ok, bad := g.stepOf(u, code)
		if bad != nil || !ok {
			return orWrong(bad)
		}
		err = g.o.Store.UseStep(ctx, u.ID, step)
	case recoveryCode:
		err = g.o.Store.UseCode(ctx, u.ID, recoveryHash(u.ID, code))
	default:
		return errWrong
	}
	if chat.CodeOf(err) == chat.CodeForbidden {
		return errWrong
	}
	return err
}

func orWrong(err error) error {
	if err == nil {
		return errWrong
	}
	return err
}

type codeKind int

const (
	noCode codeKind = iota
	appCode
	recoveryCode
)

// readCode tells the two kinds of codes apart, however people type them.
func readCode(s string) (codeKind, string) {
	if len(s) > 100 {
		return noCode, ""
	}
	s = strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(s))
	switch {
	case len(s) == codeDigits.Length() && strings.Trim(s, "0123456789") == "":
		return appCode, s
	case len(s) == base32.StdEncoding.EncodedLen(recoveryBytes) && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == "":
		return recoveryCode, s
	default:
		return noCode, ""
	}
}

func newRecovery() string {
	s := strings.ToLower(base32.StdEncoding.EncodeToString(random(recoveryBytes)))
	return s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:]
}

// recoveryHash is how a recovery code is stored; it is random enough for a fast hash.
func recoveryHash(user, code string) string {
	_, code = readCode(code)
	h := sha256.Sum256([]byte("recovery/" + user + "/" + code))
	return hex.EncodeToString(h[:])
}
