package llm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Hidden stands for a key that is there; as input it keeps the one that is stored.
const Hidden = "***"

// Config is an endpoint and a model under a name, as people may see it.
type Config struct {
	Name      string        `json:"name"`
	BaseURL   string        `json:"base_url"`
	Model     string        `json:"model"`
	Key       string        `json:"key,omitempty" doc:"*** if there is one."`
	Defaults  ModelDefaults `json:"defaults"`
	CreatedAt time.Time     `json:"created_at"`
	UpdatedAt time.Time     `json:"updated_at"`
}

// ConfigPatch changes what is not nil. A key is bound to the address that it was given for: another address needs it anew.
type ConfigPatch struct {
	BaseURL, Model, Key *string
	Defaults            *ModelDefaults
}

// Sealer keeps keys at rest; *secret.Keyring is one.
type Sealer interface {
	Seal(place string, plain []byte) string
	Open(place, sealed string) ([]byte, error)
}

// Book knows the language models of all workspaces by their names. It is safe for concurrent use.
type Book struct {
	store   *store.Store
	secrets Sealer
	http    *http.Client
	limits  Limits
}

// NewBook makes a book. The HTTP client is a guarded one of package outbound.
func NewBook(s *store.Store, secrets Sealer, client *http.Client, limits Limits) *Book {
	return &Book{s, secrets, client, limits}
}

// Client makes the client of a name.
func (b *Book) Client(ctx context.Context, ws chat.WorkspaceID, name string) (*Client, error) {
	row, err := b.store.LLMConfig(ctx, ws, name)
	if err != nil {
		return nil, err
	}
	d, err := readDefaults(row)
	if err != nil {
		return nil, err
	}
	key := ""
	if row.Key != "" {
		plain, err := b.secrets.Open(keyPlace(ws, name), row.Key)
		if err != nil {
			return nil, chat.Faultf(chat.CodeConflict, "the key of this language model cannot be unsealed: give it anew, or start with the right key file")
		}
		key = string(plain)
	}
	return New(Options{HTTP: b.http, BaseURL: row.BaseURL, Model: row.Model, Key: key, Defaults: d, Limits: b.limits})
}

// keyPlace is where a key is sealed for.
func keyPlace(ws chat.WorkspaceID, name string) string {
	return "llm/" + string(ws) + "/" + name + "/key"
}

func readDefaults(row store.LLMConfig) (d ModelDefaults, err error) {
	if err = json.Unmarshal(row.Defaults, &d); err != nil {
		err = fmt.Errorf("llm: defaults of %q: %w", row.Name, err)
	}
	return d, err
}

func show(row store.LLMConfig, err error) (Config, error) {
	if err != nil {
		return Config{}, err
	}
	d, err := readDefaults(row)
	c := Config{Name: row.Name, BaseURL: row.BaseURL, Model: row.Model, Defaults: d, CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt}
	if row.Key != "" {
		c.Key = Hidden
	}
	return c, err
}

// Config shows one.
func (b *Book) Config(ctx context.Context, ws chat.WorkspaceID, name string) (Config, error) {
	return show(b.store.LLMConfig(ctx, ws, name))
}

// Configs shows those whose names come after a name, by name, and the name to go on with.
func (b *Book) Configs(ctx context.Context, ws chat.WorkspaceID, after string, limit int) ([]Config, string, error) {
	rows, next, err := b.store.LLMConfigs(ctx, ws, after, limit)
	if err != nil {
		return nil, "", err
	}
	out := make([]Config, len(rows))
	for i, row := range rows {
		if out[i], err = show(row, nil); err != nil {
			return nil, "", err
		}
	}
	return out, next, nil
}

// Add stores a new one; of c the times do not count. It is not asked: see Check.
func (b *Book) Add(ctx context.Context, ws chat.WorkspaceID, c Config) (Config, error) {
	if c.Key == Hidden {
		return Config{}, chat.Faultf(chat.CodeInvalid, "key: "+Hidden+" stands for a key that is stored, and none is")
	}
	row := store.LLMConfig{Name: c.Name}
	if err := b.fill(ws, &row, c.BaseURL, c.Model, &c.Key, c.Defaults); err != nil {
		return Config{}, err
	}
	return show(b.store.AddLLMConfig(ctx, ws, row))
}

// Patch changes one.
func (b *Book) Patch(ctx context.Context, ws chat.WorkspaceID, name string, p ConfigPatch) (Config, error) {
	row, err := b.store.LLMConfig(ctx, ws, name)
	if err != nil {
		return Config{}, err
	}
	d, err := readDefaults(row)
	if err != nil {
		return Config{}, err
	}
	if p.Defaults != nil {
		d = *p.Defaults
	}
	was := row.BaseURL
	if p.Key != nil && *p.Key == Hidden {
		p.Key = nil
	}
	if err := b.fill(ws, &row, *either(p.BaseURL, &row.BaseURL), *either(p.Model, &row.Model), p.Key, d); err != nil {
		return Config{}, err
	}
	if row.BaseURL != was && row.Key != "" && p.Key == nil {
		return Config{}, chat.Faultf(chat.CodeInvalid, "key: another base_url needs the key anew, so that nobody can send it elsewhere")
	}
	return show(b.store.SetLLMConfig(ctx, ws, row))
}

// fill checks what people say and writes it into a row; a nil key stays as it is.
func (b *Book) fill(ws chat.WorkspaceID, row *store.LLMConfig, base, model string, key *string, d ModelDefaults) error {
	base, err := cleanURL(base)
	if err != nil {
		return err
	}
	if !fits(row.Name, 100) || !fits(model, 200) || len(base) > 1000 {
		return chat.Faultf(chat.CodeInvalid, "name, model and base_url: at most 100, 200 and 1000 characters, none of them empty")
	}
	if err := checkDefaults(d); err != nil {
		return err
	}
	if row.Defaults, err = json.Marshal(d); err != nil {
		return chat.Faultf(chat.CodeInvalid, "defaults: "+err.Error())
	}
	row.BaseURL, row.Model = base, model
	switch {
	case key == nil:
	case *key == "":
		row.Key = ""
	case len(*key) > 4000 || strings.ContainsFunc(*key, func(r rune) bool { return r <= ' ' || r > '~' }):
		return chat.Faultf(chat.CodeInvalid, "key: printable ASCII without blanks")
	default:
		row.Key = b.secrets.Seal(keyPlace(ws, row.Name), []byte(*key))
	}
	return nil
}

func fits(s string, limit int) bool {
	return utf8.ValidString(s) && strings.TrimSpace(s) == s && s != "" && utf8.RuneCountInString(s) <= limit && !strings.ContainsFunc(s, unicode.IsControl)
}

func checkDefaults(d ModelDefaults) error {
	switch {
	case d.Temperature != nil && (*d.Temperature < 0 || *d.Temperature > 2):
		return chat.Faultf(chat.CodeInvalid, "defaults.temperature: 0 to 2")
	case d.MaxTokens < 0:
		return chat.Faultf(chat.CodeInvalid, "defaults.max_tokens: more than 0")
	case len(d.Extra) > 8<<10:
		return chat.Faultf(chat.CodeTooLarge, "defaults.extra: 8192 bytes at the most")
	case len(d.Extra) > 0 && !isObject(d.Extra):
		return chat.Faultf(chat.CodeInvalid, "defaults.extra: an object is wanted")
	}
	return nil
}

// Drop deletes one.
func (b *Book) Drop(ctx context.Context, ws chat.WorkspaceID, name string) error {
	return b.store.DropLLMConfig(ctx, ws, name)
}

// checkTokens is enough for a word, and for some thoughts before it.
const checkTokens = 64

// Check asks the model for a word and says what it answered.
func (b *Book) Check(ctx context.Context, ws chat.WorkspaceID, name string) (string, error) {
	c, err := b.Client(ctx, ws, name)
	if err != nil {
		return "", err
	}
	a, err := c.Complete(ctx, Request{Messages: []Message{Say(User, "Answer with the word OK.")}, MaxTokens: checkTokens})
	if err != nil {
		return "", err
	}
	model := a.Model
	if model == "" {
		model = c.model
	}
	return fmt.Sprintf("%s answers: %.100q", c.tame(model), c.tame(a.Text())), nil
}
