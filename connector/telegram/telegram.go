package telegram

import (
	"context"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/dragoman-hub/dragoman/connector"
)

// The forms that Telegram prescribes for a bot's token and for the secret of its webhook. A generated secret is Base64 and may
// end in padding, which Telegram does not take: it is cut off.
const (
	tokenForm  = `^[0-9]{1,18}:[A-Za-z0-9_-]{1,100}$`
	secretForm = `^[A-Za-z0-9_-]{1,256}={0,2}$`
)

// The two ways in.
const (
	modeWebhook = "webhook"
	modePolling = "polling"
)

// publicAPI is Telegram's own server; organisations may run one themselves (api_base).
const publicAPI = "https://api.telegram.org"

var (
	tokenPattern  = regexp.MustCompile(tokenForm)
	secretPattern = regexp.MustCompile(secretForm)
)

// Platform describes Telegram to the hub.
func Platform() connector.Platform {
	return connector.Platform{
		Name:     "telegram",
		Title:    "Telegram",
		Settings: settings(),
		Traits:   traits(),
		Open:     open,
		Shapes:   []connector.Connector{(*webhook)(nil), (*poller)(nil)},
	}
}

func settings() []connector.Setting {
	return []connector.Setting{
		{
			Name: "token", Title: "Bot token", Type: connector.String, Secret: true, Required: true, Pattern: tokenForm,
			Help: "@BotFather gives it when the bot is made, and again on /token.",
		},
		{
			Name: "secret_token", Title: "Webhook secret", Type: connector.String, Secret: true, Generate: true, Pattern: secretForm,
			Help: "Telegram repeats it with every webhook call. Leave it empty and one is made.",
		},
		{
			Name: "mode", Title: "Way in", Type: connector.String, Default: modeWebhook, Enum: []string{modeWebhook, modePolling},
			Help: "webhook needs a public HTTPS address; polling works from anywhere, for one poller per bot.",
		},
		{
			Name: "api_base", Title: "Bot API server", Type: connector.String, Default: publicAPI, Pattern: `^https?://`,
			Help: "Only for a Bot API server of your own.",
		},
	}
}

// config is what settings decode into.
type config struct {
	Token   string `json:"token"`
	Secret  string `json:"secret_token"`
	Mode    string `json:"mode"`
	APIBase string `json:"api_base"`
}

// bot is what both ways in have in common: sending and the other acts.
type bot struct {
	env    connector.Env
	base   *url.URL
	token  string
	secret string
	self   int64 // the bot's own user id: the digits of its token
}

// webhook is a bot that Telegram calls.
type webhook struct{ *bot }

// poller is a bot that asks Telegram for updates.
type poller struct{ *bot }

// open answers a *webhook or a *poller, so that a channel has exactly the way in that its mode names.
func open(_ context.Context, env connector.Env) (connector.Connector, error) {
	cfg := config{Mode: modeWebhook, APIBase: publicAPI}
	if err := env.Decode(&cfg); err != nil {
		return nil, err
	}
	b, err := newBot(env, cfg)
	if err != nil {
		return nil, err
	}
	switch cfg.Mode {
	case modePolling:
		return &poller{b}, nil
	case modeWebhook:
		if !secretPattern.MatchString(cfg.Secret) {
			return nil, connector.Malformedf("settings: secret_token must be 1 to 256 of A-Z a-z 0-9 _ -")
		}
		return &webhook{b}, nil
	default:
		return nil, connector.Malformedf("settings: mode must be %s or %s", modeWebhook, modePolling)
	}
}

func newBot(env connector.Env, cfg config) (*bot, error) {
	if !tokenPattern.MatchString(cfg.Token) {
		return nil, connector.Malformedf("settings: token must have the form digits:letters")
	}
	base, err := url.Parse(strings.TrimRight(cfg.APIBase, "/"))
	if err != nil || base.Host == "" || base.RawQuery != "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, connector.Malformedf("settings: api_base must be an http or https address without query")
	}
	if base.Path == "" {
		base.Path = "/" // else JoinPath makes a path without the slash in front
	}
	digits, _, _ := strings.Cut(cfg.Token, ":")
	self, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return nil, connector.Malformedf("settings: token must begin with the bot's id")
	}
	return &bot{env: env, base: base, token: cfg.Token, secret: strings.TrimRight(cfg.Secret, "="), self: self}, nil
}

// The abilities, spelled out: the hub finds them by these interfaces.
var (
	_ connector.Receiver     = (*webhook)(nil)
	_ connector.Registrar    = (*webhook)(nil)
	_ connector.Listener     = (*poller)(nil)
	_ connector.Registrar    = (*poller)(nil)
	_ connector.Connector    = (*bot)(nil)
	_ connector.Typer        = (*bot)(nil)
	_ connector.Editor       = (*bot)(nil)
	_ connector.Deleter      = (*bot)(nil)
	_ connector.Reactor      = (*bot)(nil)
	_ connector.Profiler     = (*bot)(nil)
	_ connector.Downloader   = (*bot)(nil)
	_ connector.Checker      = (*bot)(nil)
	_ connector.Acknowledger = (*bot)(nil)
)
