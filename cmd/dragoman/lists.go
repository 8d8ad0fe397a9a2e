package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"text/tabwriter"
	"time"

	"github.com/dragoman-hub/dragoman/bot"
)

// table prints rows in columns, below a head unless that is empty.
func table(w io.Writer, head string, rows func(w io.Writer)) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	if head != "" {
		_, _ = fmt.Fprintln(t, head)
	}
	rows(t)
	return t.Flush()
}

// readJSON reads an argument that is JSON itself, @FILE, or - for the standard input.
func readJSON(arg string, in io.Reader) (json.RawMessage, error) {
	var raw []byte
	var err error
	switch {
	case arg == "":
		return nil, nil
	case arg == "-":
		raw, err = io.ReadAll(io.LimitReader(in, 4<<20))
	case arg[0] == '@':
		raw, err = os.ReadFile(arg[1:])
	default:
		raw = []byte(arg)
	}
	if err == nil && !json.Valid(raw) {
		err = fmt.Errorf("that is no JSON: %.60s", raw)
	}
	return raw, err
}

type channelCmd struct {
	List   channelListCmd   `cmd:"" help:"List channels."`
	Kinds  channelKindsCmd  `cmd:"" help:"List the platforms and their settings."`
	Add    channelAddCmd    `cmd:"" help:"Add a channel."`
	Set    channelSetCmd    `cmd:"" help:"Change a channel."`
	Check  channelCheckCmd  `cmd:"" help:"Ask the platform whether a channel works."`
	Hook   channelHookCmd   `cmd:"" help:"Tell the platform our webhook address."`
	Delete channelDeleteCmd `cmd:"" help:"Delete a channel that has no conversations."`
}

// channelView is a channel as the API shows it.
type channelView struct {
	ID         string          `json:"id"`
	Connector  string          `json:"connector"`
	Name       string          `json:"name"`
	Status     string          `json:"status"`
	Detail     string          `json:"detail"`
	WebhookURL string          `json:"webhook_url"`
	Flow       string          `json:"flow"`
	Queue      string          `json:"queue"`
	Settings   json.RawMessage `json:"settings"`
}

type channelListCmd struct{ remote }

// Run lists channels.
func (c channelListCmd) Run(ctx context.Context, t terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	list, err := listAll[channelView](ctx, api, "/v1/channels")
	if err != nil {
		return err
	}
	return table(t.out, "ID\tPLATFORM\tNAME\tSTATUS\tFLOW\tQUEUE\tDETAIL", func(w io.Writer) {
		for _, ch := range list {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", ch.ID, ch.Connector, ch.Name, ch.Status, ch.Flow, ch.Queue, ch.Detail)
		}
	})
}

type channelKindsCmd struct{ remote }

// Run lists platforms with their settings.
func (c channelKindsCmd) Run(ctx context.Context, t terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	type kind struct {
		Name     string `json:"name"`
		Title    string `json:"title"`
		Settings struct {
			Properties map[string]struct {
				Title, Type, Description string
				WriteOnly                bool `json:"writeOnly"`
			} `json:"properties"`
			Required []string `json:"required"`
		} `json:"settings"`
	}
	list, err := listAll[kind](ctx, api, "/v1/connectors")
	if err != nil {
		return err
	}
	return table(t.out, "PLATFORM\tSETTING\tTYPE\tWHAT IT IS", func(w io.Writer) {
		for _, k := range list {
			_, _ = fmt.Fprintf(w, "%s\t\t\t%s\n", k.Name, k.Title)
			for _, name := range sortedKeys(k.Settings.Properties) {
				s := k.Settings.Properties[name]
				_, _ = fmt.Fprintf(w, "\t%s\t%s\t%s\n", name, s.Type, s.Title)
			}
		}
	})
}

type channelAddCmd struct {
	remote
	Platform string `arg:"" help:"Platform, as listed by 'channel kinds'."`
	Settings string `arg:"" optional:"" help:"Settings: JSON, @FILE or - for the standard input."`
	Name     string `help:"Name for people."`
	Flow     string `help:"Flow that answers."`
	Queue    string `help:"Queue in which conversations wait."`
}

// Run adds a channel.
func (c channelAddCmd) Run(ctx context.Context, t terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	settings, err := readJSON(c.Settings, t.in)
	if err != nil {
		return err
	}
	body := map[string]any{"connector": c.Platform, "name": orText(c.Name, c.Platform)}
	for name, v := range map[string]string{"flow": c.Flow, "queue": c.Queue} {
		if v != "" {
			body[name] = v
		}
	}
	if settings != nil {
		body["settings"] = settings
	}
	var ch channelView
	if err := api.call(ctx, http.MethodPost, "/v1/channels", body, &ch); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(t.out, "added %s (%s)\n", ch.ID, ch.Name)
	if ch.WebhookURL != "" {
		_, _ = fmt.Fprintf(t.out, "webhook: %s\n", ch.WebhookURL)
	}
	return nil
}

type channelSetCmd struct {
	remote
	ID       string  `arg:"" help:"Channel."`
	Settings string  `help:"Changed settings: JSON, @FILE or -; null removes one."`
	Name     *string `help:"Name for people."`
	Flow     *string `help:"Flow that answers new conversations."`
	Queue    *string `help:"Queue in which conversations wait."`
	Status   *string `help:"active or off." enum:"active,off"`
}

// Run changes a channel.
func (c channelSetCmd) Run(ctx context.Context, t terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	body := map[string]any{}
	for name, v := range map[string]*string{"name": c.Name, "flow": c.Flow, "queue": c.Queue, "status": c.Status} {
		if v != nil {
			body[name] = *v
		}
	}
	settings, err := readJSON(c.Settings, t.in)
	if err != nil {
		return err
	}
	if settings != nil {
		body["settings"] = settings
	}
	var ch channelView
	if err := api.call(ctx, http.MethodPatch, "/v1/channels/"+url.PathEscape(c.ID), body, &ch); err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "%s is %s\n", ch.ID, ch.Status)
	return err
}

type channelCheckCmd struct {
	remote
	ID string `arg:"" help:"Channel."`
}

// Run asks the platform.
func (c channelCheckCmd) Run(ctx context.Context, t terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	var answer struct {
		Answer string `json:"answer"`
	}
	if err := api.call(ctx, http.MethodPost, "/v1/channels/"+url.PathEscape(c.ID)+"/check", nil, &answer); err != nil {
		return err
	}
	_, err = fmt.Fprintln(t.out, answer.Answer)
	return err
}

type channelHookCmd struct {
	remote
	ID string `arg:"" help:"Channel."`
}

// Run registers the webhook.
func (c channelHookCmd) Run(ctx context.Context) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	return api.call(ctx, http.MethodPost, "/v1/channels/"+url.PathEscape(c.ID)+"/register", nil, nil)
}

type channelDeleteCmd struct {
	remote
	ID string `arg:"" help:"Channel."`
}

// Run deletes a channel.
func (c channelDeleteCmd) Run(ctx context.Context) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	return api.call(ctx, http.MethodDelete, "/v1/channels/"+url.PathEscape(c.ID), nil, nil)
}

type flowCmd struct {
	List  flowListCmd  `cmd:"" help:"List flows."`
	Show  flowShowCmd  `cmd:"" help:"Print a flow's definition."`
	Check flowCheckCmd `cmd:"" help:"Check a definition without storing it; needs no hub."`
	Put   flowPutCmd   `cmd:"" help:"Store a definition as the newest version."`
	Draw  flowDrawCmd  `cmd:"" help:"Draw a flow as SVG, with counts of its traffic."`
}

type flowView struct {
	Name       string          `json:"name"`
	Version    int             `json:"version"`
	Definition json.RawMessage `json:"definition"`
	CreatedAt  time.Time       `json:"created_at"`
}

type flowListCmd struct{ remote }

// Run lists flows.
func (c flowListCmd) Run(ctx context.Context, t terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	list, err := listAll[flowView](ctx, api, "/v1/flows")
	if err != nil {
		return err
	}
	return table(t.out, "NAME\tVERSION\tSTORED", func(w io.Writer) {
		for _, f := range list {
			_, _ = fmt.Fprintf(w, "%s\t%d\t%s\n", f.Name, f.Version, f.CreatedAt.Format(time.RFC3339))
		}
	})
}

type flowShowCmd struct {
	remote
	Name    string `arg:"" help:"Flow."`
	Version int    `help:"Version; the newest by default."`
}

// Run prints a definition.
func (c flowShowCmd) Run(ctx context.Context, t terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	f, err := api.flow(ctx, c.Name, c.Version)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(t.out)
	enc.SetIndent("", "  ")
	return enc.Encode(f.Definition)
}

func (c *client) flow(ctx context.Context, name string, version int) (f flowView, err error) {
	path := "/v1/flows/" + url.PathEscape(name)
	if version > 0 {
		path += fmt.Sprintf("?version=%d", version)
	}
	err = c.call(ctx, http.MethodGet, path, nil, &f)
	return f, err
}

type flowCheckCmd struct {
	File string `arg:"" help:"Definition: JSON file, or - for the standard input."`
}

// Run checks a definition.
func (c flowCheckCmd) Run(t terminal) error {
	raw, err := readDefinition(c.File, t.in)
	if err != nil {
		return err
	}
	f, err := bot.Parse(raw)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "good: %d states, %d transitions, worker functions: %v\n", len(f.States()), len(f.Transitions()), f.Workers())
	return err
}

// readDefinition reads a file, or the standard input.
func readDefinition(file string, in io.Reader) (json.RawMessage, error) {
	if file == "-" {
		return readJSON(file, in)
	}
	return readJSON("@"+file, in)
}

type flowPutCmd struct {
	remote
	Name string `arg:"" help:"Flow."`
	File string `arg:"" help:"Definition: JSON file, or - for the standard input."`
}

// Run stores a definition.
func (c flowPutCmd) Run(ctx context.Context, t terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	raw, err := readDefinition(c.File, t.in)
	if err != nil {
		return err
	}
	var f flowView
	if err := api.call(ctx, http.MethodPut, "/v1/flows/"+url.PathEscape(c.Name), raw, &f); err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "%s has version %d now\n", f.Name, f.Version)
	return err
}
