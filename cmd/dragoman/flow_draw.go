package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/bot/drawing"
)

type flowDrawCmd struct {
	remote
	Flow    string    `arg:"" help:"Flow, or a definition: JSON file, or - for the standard input. A definition needs no hub and has no counts."`
	Out     string    `short:"o" help:"File for the picture (default: standard output)." type:"path"`
	Version int       `help:"Version; the newest by default."`
	Since   time.Time `help:"Count only what happened since then (2026-01-31T08:00:00Z)."`
	Theme   string    `help:"light or dark (default: as the reader has set)." enum:"light,dark," default:""`
}

// maxPicture bounds what a hub may answer, in bytes.
const maxPicture = 64 << 20

// Run draws a flow.
func (c flowDrawCmd) Run(ctx context.Context, t terminal) error {
	svg, err := c.picture(ctx, t)
	if err != nil {
		return err
	}
	if c.Out == "" {
		_, err = t.out.Write(svg)
		return err
	}
	if err := os.WriteFile(c.Out, svg, 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "drawn: %s\n", c.Out)
	return err
}

func (c flowDrawCmd) picture(ctx context.Context, t terminal) ([]byte, error) {
	if c.isFile() {
		return c.offline(t)
	}
	api, err := c.client()
	if err != nil {
		return nil, err
	}
	body, err := api.open(ctx, "GET", c.path(), nil)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(io.LimitReader(body, maxPicture))
}

// isFile tells a file from a flow's name, which has neither slashes nor, as a rule, an ending.
func (c flowDrawCmd) isFile() bool {
	if c.Flow == "-" || strings.ContainsAny(c.Flow, `/\`) || strings.HasSuffix(c.Flow, ".json") {
		return true
	}
	_, err := os.Stat(c.Flow)
	return !errors.Is(err, fs.ErrNotExist)
}

func (c flowDrawCmd) offline(t terminal) ([]byte, error) {
	if c.Version != 0 || !c.Since.IsZero() {
		return nil, errors.New("--version and --since are for flows of a hub, not for files")
	}
	raw, err := readDefinition(c.Flow, t.in)
	if err != nil {
		return nil, err
	}
	f, err := bot.Parse(raw)
	if err != nil {
		return nil, err
	}
	name := ""
	if c.Flow != "-" {
		name = strings.TrimSuffix(filepath.Base(c.Flow), ".json")
	}
	return drawing.Draw(f, drawing.Options{Name: name, Theme: drawing.Theme(c.Theme)})
}

func (c flowDrawCmd) path() string {
	q := url.Values{}
	if c.Version > 0 {
		q.Set("version", fmt.Sprint(c.Version))
	}
	if !c.Since.IsZero() {
		q.Set("since", c.Since.Format(time.RFC3339Nano))
	}
	if c.Theme != "" {
		q.Set("theme", c.Theme)
	}
	path := "/v1/flows/" + url.PathEscape(c.Flow) + "/graph.svg"
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return path
}
