package api

import (
	"context"
	"net/http"

	"github.com/dragoman-hub/dragoman/access"
)

type totpOffer struct {
	Body struct {
		Password string `json:"password" minLength:"1" maxLength:"256"`
	}
}

type totpConfirm struct {
	Body struct {
		Code string `json:"code" minLength:"6" maxLength:"20"`
	}
}

type totpStop struct {
	Keyed
	Body struct {
		Password string `json:"password" minLength:"1" maxLength:"256"`
		Code     string `json:"code" minLength:"6" maxLength:"100" doc:"Of the authenticator app, or a recovery code."`
	}
}

// RecoveryCodes let somebody in without the authenticator app, each once.
type RecoveryCodes struct {
	Codes []string `json:"recovery_codes" nullable:"false" doc:"Keep them: they are never shown again."`
}

func (a *API) registerTOTP() {
	person := func(path, id, summary, more string, status int) act {
		return act{method: http.MethodPost, path: path, id: id, tag: "sessions", person: true, summary: summary, more: more, status: status}
	}
	add(a, person("/v1/me/totp", "offerTOTP", "Get a secret for an authenticator app", "It counts once it is confirmed.", 0), a.offerTOTP)
	add(a, person("/v1/me/totp/confirm", "confirmTOTP", "Confirm the secret with a code", "From now on signing in wants a code.", 0), a.confirmTOTP)
	add(a, person("/v1/me/totp/stop", "stopTOTP", "Sign in without codes again", "", http.StatusNoContent), a.stopTOTP)
}

func (a *API) offerTOTP(ctx context.Context, in *totpOffer) (*reply[access.TOTPOffer], error) {
	offer, err := a.gate.OfferTOTP(ctx, *whole(ctx).person, in.Body.Password)
	return &reply[access.TOTPOffer]{offer}, signInProblem(err)
}

func (a *API) confirmTOTP(ctx context.Context, in *totpConfirm) (*reply[RecoveryCodes], error) {
	codes, err := a.gate.ConfirmTOTP(ctx, *whole(ctx).person, in.Body.Code)
	return &reply[RecoveryCodes]{RecoveryCodes{codes}}, signInProblem(err)
}

func (a *API) stopTOTP(ctx context.Context, in *totpStop) (*empty, error) {
	return nil, signInProblem(a.gate.StopTOTP(ctx, *whole(ctx).person, in.Body.Password, in.Body.Code))
}
