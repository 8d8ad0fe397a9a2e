package main

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"
)

// settings are what an operator may set. Every one is a flag, DRAGOMAN_<NAME> in the environment, and a member of the file.
type settings struct {
	Listen       string `help:"Address to listen on." default:"127.0.0.1:8080" env:"DRAGOMAN_LISTEN"`
	Data         string `help:"Folder for everything that is kept." default:"./data" type:"path" env:"DRAGOMAN_DATA"`
	Database     string `help:"PostgreSQL address (postgres://...); without it SQLite in the data folder." env:"DRAGOMAN_DATABASE"`
	NATS         string `help:"NATS address, for several nodes on one database." name:"nats" env:"DRAGOMAN_NATS"`
	PublicURL    string `help:"Base address under which platforms reach this hub (https://...)." env:"DRAGOMAN_PUBLIC_URL"`
	AllowPrivate bool   `help:"Let connectors call loopback and private addresses." env:"DRAGOMAN_ALLOW_PRIVATE"`

	AdminToken string   `help:"Fixes the first admin token." env:"DRAGOMAN_ADMIN_TOKEN"`
	Key        string   `help:"Key that seals secrets (32 bytes, Base64; older keys after commas); without it a file in the data folder." env:"DRAGOMAN_KEY"`
	TrustProxy bool     `help:"Believe X-Forwarded-* headers: only behind a proxy that sets them." env:"DRAGOMAN_TRUST_PROXY"`
	Origins    []string `help:"Web origins that may call the API." env:"DRAGOMAN_ORIGINS"`
	OIDCIssuer string   `help:"OpenID provider at which users may sign in (https://...)." name:"oidc-issuer" env:"DRAGOMAN_OIDC_ISSUER"`
	OIDCClient string   `help:"Our client id there; it sends back to /login/oidc/callback." name:"oidc-client" env:"DRAGOMAN_OIDC_CLIENT"`
	OIDCSecret string   `help:"And the client's secret." name:"oidc-secret" env:"DRAGOMAN_OIDC_SECRET"`
	OIDCRole   string   `help:"Role of users who are made when they come from there; without it only invited ones get in." name:"oidc-role" env:"DRAGOMAN_OIDC_ROLE"`
	Rate       float64  `help:"API requests per second and token." default:"500" env:"DRAGOMAN_RATE"`

	Fallback      string        `help:"Said when a flow has no answer and no fallback of its own." env:"DRAGOMAN_FALLBACK"`
	BotSilence    time.Duration `help:"Close a bot's conversation after so long without an event; 0 is never." default:"1h" env:"DRAGOMAN_BOT_SILENCE"`
	AwayAfter     time.Duration `help:"Make an agent inactive whose pages have had no line to the hub for so long; 0 is never." default:"1m" env:"DRAGOMAN_AWAY_AFTER"`
	MaxAttachment int64         `help:"Largest attachment in bytes." default:"52428800" env:"DRAGOMAN_MAX_ATTACHMENT"`

	S3Endpoint  string `help:"Keep attachments in an S3 bucket: address of the service (https://...)." name:"s3-endpoint" env:"DRAGOMAN_S3_ENDPOINT"`
	S3Bucket    string `help:"Bucket." name:"s3-bucket" env:"DRAGOMAN_S3_BUCKET"`
	S3Region    string `help:"Region." name:"s3-region" env:"DRAGOMAN_S3_REGION"`
	S3AccessKey string `help:"Access key." name:"s3-access-key" env:"DRAGOMAN_S3_ACCESS_KEY"`
	S3SecretKey string `help:"Secret key." name:"s3-secret-key" env:"DRAGOMAN_S3_SECRET_KEY"`
	S3PathStyle bool   `help:"Put the bucket into the path." name:"s3-path-style" env:"DRAGOMAN_S3_PATH_STYLE"`

	LogLevel     string `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info" env:"DRAGOMAN_LOG_LEVEL"`
	LogFormat    string `help:"text or json." enum:"text,json" default:"text" env:"DRAGOMAN_LOG_FORMAT"`
	LogDir       string `help:"Folder for log files, a new one each day; without it the standard error." type:"path" env:"DRAGOMAN_LOG_DIR"`
	LogDays      int    `help:"How many days log files are kept." default:"14" env:"DRAGOMAN_LOG_DAYS"`
	MetricsToken string `help:"Bearer token that /metrics wants; without it everybody may read the numbers." env:"DRAGOMAN_METRICS_TOKEN"`
	OTLP         string `help:"OTLP/HTTP endpoint for traces (http://host:4318)." name:"otlp" env:"DRAGOMAN_OTLP"`

	Lease time.Duration `help:"How long a silent node keeps its work." default:"15s" hidden:"" env:"DRAGOMAN_LEASE"`
}

// defaultData is the data folder when nothing is said.
func defaultData() string {
	path, err := filepath.Abs("./data")
	if err != nil {
		return "./data"
	}
	return path
}

// dsn is the database in the store's form.
func (s settings) dsn() string {
	if s.Database != "" {
		return s.Database
	}
	return filepath.Join(s.Data, databaseFile)
}

// databaseName names the database for people: without the password.
func (s settings) databaseName() string {
	if s.Database == "" {
		return s.dsn()
	}
	u, err := url.Parse(s.Database)
	if err != nil {
		return "PostgreSQL"
	}
	u.RawQuery = "" // may hold a password too
	return u.Redacted()
}

// noDatabase says what to do about a database that cannot be opened.
func (s settings) noDatabase(err error) error {
	hint := "is PostgreSQL running, and does --database name it rightly?"
	if s.Database == "" {
		hint = "is another hub running on " + s.Data + "? Stop it, or choose another folder with --data"
	}
	return fmt.Errorf("%w\n  %s", err, hint)
}

// minToken is how short an admin token may be, in bytes.
const minToken = 20

// check finds what cannot work before anything is opened.
func (s settings) check() error {
	if s.Database != "" && !strings.HasPrefix(s.Database, "postgres://") && !strings.HasPrefix(s.Database, "postgresql://") {
		return fmt.Errorf("--database wants postgres://user:password@host/name; leave it out for SQLite in %s", s.Data)
	}
	if s.PublicURL != "" {
		u, err := url.Parse(s.PublicURL)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return fmt.Errorf("--public-url wants an address such as https://hub.example.com")
		}
	}
	if s.AdminToken != "" && (len(s.AdminToken) < minToken || strings.ContainsAny(s.AdminToken, " \t\r\n")) {
		return fmt.Errorf("--admin-token wants at least %d characters without white space (`openssl rand -hex 20` makes such a one)", minToken)
	}
	if s.MetricsToken != "" && (len(s.MetricsToken) < minToken || strings.ContainsAny(s.MetricsToken, " \t\r\n")) {
		return fmt.Errorf("--metrics-token wants at least %d characters without white space", minToken)
	}
	if s.Rate <= 0 || s.MaxAttachment <= 0 || s.LogDays < 0 || s.Lease < 0 || s.BotSilence < 0 || s.AwayAfter < 0 || s.AwayAfter > 0 && s.AwayAfter < time.Second {
		return fmt.Errorf("--rate and --max-attachment want more than 0, --log-days and --bot-silence 0 or more, --away-after 0 or at least a second")
	}
	if s.OIDCIssuer != "" && s.OIDCClient == "" {
		return fmt.Errorf("--oidc-issuer needs --oidc-client too")
	}
	if s.S3Endpoint != "" && s.S3Bucket == "" {
		return fmt.Errorf("--s3-endpoint needs --s3-bucket too")
	}
	return nil
}
