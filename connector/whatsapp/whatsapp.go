// Package whatsapp is the connector for WhatsApp by Meta's Cloud API (Graph API).
//
// A channel is one business phone number, named by its phone_number_id. The package translates webhook calls into
// events and parts into requests; it must not store, retry, split or throttle. What it relies on about the platform
// is written down in docs/protocols/whatsapp.md.
package whatsapp

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/connector"
)

const (
	defaultBase    = "https://graph.facebook.com"
	defaultVersion = "v23.0"
	defaultLabel   = "Options"
	byUserID       = "user_id"
	byPhone        = "phone"
)

// The forms of settings: Platform shows them, Open checks them again.
var (
	graphID = regexp.MustCompile(`^[0-9]{1,40}$`)
	version = regexp.MustCompile(`^v[0-9]{1,3}\.[0-9]{1,2}$`)
)

// Platform describes the WhatsApp Cloud API.
func Platform() connector.Platform {
	return connector.Platform{
		Name:     "whatsapp",
		Title:    "WhatsApp",
		Settings: settingsForm(),
		Traits:   traits(),
		Open:     open,
		Shapes:   []connector.Connector{(*number)(nil)},
	}
}

func settingsForm() []connector.Setting {
	return []connector.Setting{
		{
			Name: "phone_number_id", Title: "Phone number ID", Type: connector.String, Required: true, Pattern: graphID.String(),
			Help: "App dashboard, WhatsApp, API Setup: the ID below the number, not the number itself.",
		},
		{
			Name: "waba_id", Title: "WhatsApp Business Account ID", Type: connector.String, Pattern: graphID.String(),
			Help: "App dashboard, WhatsApp, API Setup. With it, registering also subscribes the app to the account.",
		},
		{
			Name: "access_token", Title: "Access token", Type: connector.String, Secret: true, Required: true,
			Help: "Token of a system user with whatsapp_business_messaging and whatsapp_business_management.",
		},
		{
			Name: "app_secret", Title: "App secret", Type: connector.String, Secret: true, Required: true,
			Help: "App dashboard, App settings, Basic. It signs the webhook calls.",
		},
		{
			Name: "verify_token", Title: "Verify token", Type: connector.String, Secret: true, Generate: true,
			Help: "Any secret text; enter the same in the app dashboard under WhatsApp, Configuration, Webhook.",
		},
		{
			Name: "address_by", Title: "Address people by", Type: connector.String, Default: byUserID, Enum: []string{byUserID, byPhone},
			Help: "user_id: by the business-scoped user id where WhatsApp gives one. phone: by the number where it gives one.",
		},
		{
			Name: "list_label", Title: "Label that opens a list", Type: connector.String, Default: defaultLabel,
			Help: "More than three buttons become a list; this is the text of its button, at most 20 characters.",
		},
		{
			Name: "api_base", Title: "Graph API address", Type: connector.String, Default: defaultBase,
			Help: "Change it only for a proxy or a test server.",
		},
		{
			Name: "api_version", Title: "Graph API version", Type: connector.String, Default: defaultVersion, Pattern: version.String(),
			Help: "The version in the path of every request, such as v23.0.",
		},
	}
}

// settings is what a channel is configured with; the names are those of settingsForm.
type settings struct {
	PhoneNumberID string `json:"phone_number_id"`
	WABAID        string `json:"waba_id"`
	AccessToken   string `json:"access_token"`
	AppSecret     string `json:"app_secret"`
	VerifyToken   string `json:"verify_token"`
	AddressBy     string `json:"address_by"`
	ListLabel     string `json:"list_label"`
	APIBase       string `json:"api_base"`
	APIVersion    string `json:"api_version"`
}

// number is an open channel: one business phone number.
type number struct {
	set     settings
	http    *http.Client // for attachments
	api     *http.Client // for the Graph API: the same without redirects, which would repeat a call
	now     func() time.Time
	webhook string
	base    *url.URL          // api_base
	hide    *strings.Replacer // takes the channel's secrets out of texts that the platform wrote
}

func open(_ context.Context, env connector.Env) (connector.Connector, error) {
	s := settings{APIBase: defaultBase, APIVersion: defaultVersion, ListLabel: defaultLabel, AddressBy: byUserID}
	if err := env.Decode(&s); err != nil {
		return nil, err
	}
	base, err := s.check()
	if err != nil {
		return nil, err
	}
	return &number{
		set: s, http: env.HTTP, api: withoutRedirects(env.HTTP), now: env.Now,
		webhook: env.WebhookURL, base: base, hide: hider(s),
	}, nil
}

// withoutRedirects is the client that gives a redirect back as an answer.
func withoutRedirects(c *http.Client) *http.Client {
	one := *c
	one.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &one
}

// check refuses settings that cannot work and gives the parsed base address.
func (s settings) check() (*url.URL, error) {
	switch {
	case !graphID.MatchString(s.PhoneNumberID):
		return nil, connector.Malformedf("settings: phone_number_id must be digits")
	case s.WABAID != "" && !graphID.MatchString(s.WABAID):
		return nil, connector.Malformedf("settings: waba_id must be digits")
	case s.AccessToken == "" || strings.ContainsAny(s.AccessToken, " \r\n\t"):
		return nil, connector.Malformedf("settings: access_token is missing or has white space")
	case s.AppSecret == "":
		return nil, connector.Malformedf("settings: app_secret is missing")
	case !version.MatchString(s.APIVersion):
		return nil, connector.Malformedf("settings: api_version must look like v23.0")
	case s.AddressBy != byUserID && s.AddressBy != byPhone:
		return nil, connector.Malformedf("settings: address_by must be user_id or phone")
	case s.ListLabel == "" || runes(s.ListLabel) > maxButtonTitle:
		return nil, connector.Malformedf("settings: list_label must have 1 to %d characters", maxButtonTitle)
	}
	base, err := url.Parse(s.APIBase)
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" ||
		(base.Scheme != "https" && base.Scheme != "http") {
		return nil, connector.Malformedf("settings: api_base must be an http or https address without user, query or fragment")
	}
	return base, nil
}

// hider takes secrets out of the platform's words: Graph repeats a malformed token in its error message.
func hider(s settings) *strings.Replacer {
	var pairs []string
	for _, secret := range []string{s.AccessToken, s.AppSecret, s.VerifyToken} {
		if secret != "" {
			pairs = append(pairs, secret, "***")
		}
	}
	return strings.NewReplacer(pairs...)
}

// The abilities that the hub shall find.
var (
	_ connector.Receiver   = (*number)(nil)
	_ connector.Typer      = (*number)(nil)
	_ connector.Reader     = (*number)(nil)
	_ connector.Reactor    = (*number)(nil)
	_ connector.Downloader = (*number)(nil)
	_ connector.Registrar  = (*number)(nil)
	_ connector.Checker    = (*number)(nil)
)
