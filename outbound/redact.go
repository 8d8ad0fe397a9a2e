package outbound

import (
	"errors"
	"net/http"
	"net/url"
)

// Do is client.Do whose errors show no more of the address than scheme and host: paths and queries hold tokens.
func Do(client *http.Client, req *http.Request) (*http.Response, error) {
	res, err := client.Do(req)
	return res, Redact(err)
}

// Redact takes user, path and query out of a *url.Error. Other errors and nil come back as they are.
func Redact(err error) error {
	u, ok := errors.AsType[*url.Error](err)
	if !ok {
		return err
	}
	shown := "(address)"
	if parsed, bad := url.Parse(u.URL); bad == nil {
		shown = Host(parsed)
	}
	return &url.Error{Op: u.Op, URL: shown, Err: u.Err}
}

// Host is what may be shown of an address: "https://api.example.org".
func Host(u *url.URL) string { return u.Scheme + "://" + u.Host }
