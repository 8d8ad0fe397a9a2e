package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
)

type doctorCmd struct{ remote }

// finding is one thing that was looked at.
type finding struct {
	what, words string
	bad         bool
}

// Run looks at the data folder, the running hub and its channels, and says what to do about what is wrong.
func (c doctorCmd) Run(ctx context.Context, t terminal) error {
	found := c.folder()
	api, err := c.client()
	if err != nil {
		found = append(found, finding{"hub", err.Error(), true})
	} else {
		found = append(found, c.hub(ctx, api)...)
	}
	bad := 0
	err = table(t.out, "", func(w io.Writer) {
		for _, f := range found {
			mark := "ok"
			if f.bad {
				mark = "BAD"
				bad++
			}
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", mark, f.what, f.words)
		}
	})
	if err == nil && bad > 0 {
		err = fmt.Errorf("%d of %d findings are bad", bad, len(found))
	}
	return err
}

// folder looks at what is kept, and whether others may read it.
func (c doctorCmd) folder() []finding {
	info, err := os.Stat(c.Data)
	if err != nil {
		return []finding{{"data folder", err.Error(), true}}
	}
	found := []finding{{"data folder", c.Data, false}}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		found[0] = finding{"data folder", fmt.Sprintf("others may look into it: chmod 700 %s", c.Data), true}
	}
	for _, name := range []string{keyFile, adminTokenFile} {
		info, err := os.Stat(filepath.Join(c.Data, name))
		switch {
		case os.IsNotExist(err):
			continue
		case err != nil:
			found = append(found, finding{name, err.Error(), true})
		case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
			found = append(found, finding{name, "others may read it: chmod 600 it", true})
		default:
			found = append(found, finding{name, "readable by its owner only", false})
		}
	}
	return found
}

// hub looks at the running hub.
func (c doctorCmd) hub(ctx context.Context, api *client) []finding {
	if err := api.call(ctx, http.MethodGet, "/readyz", nil, nil); err != nil {
		return []finding{{"hub", err.Error(), true}}
	}
	found := []finding{{"hub", "answers at " + api.base, false}}
	channels, err := listAll[channelView](ctx, api, "/v1/channels")
	if err != nil {
		return append(found, finding{"channels", err.Error(), true})
	}
	for _, ch := range channels {
		f := finding{"channel " + ch.Name, ch.Connector + " is " + ch.Status, false}
		if ch.Status == "error" {
			f.words, f.bad = ch.Detail, true
		}
		if ch.Status == "active" {
			if err := api.call(ctx, http.MethodPost, "/v1/channels/"+ch.ID+"/check", nil, nil); err != nil {
				f.words, f.bad = err.Error(), true
			}
		}
		found = append(found, f)
	}
	found = append(found, c.conversations(ctx, api))
	dead, err := listAll[struct{}](ctx, api, "/v1/dead-letters")
	if err != nil {
		return append(found, finding{"dead letters", err.Error(), true})
	}
	return append(found, finding{"dead letters", fmt.Sprintf("%d (GET /v1/dead-letters tells why)", len(dead)), len(dead) > 0})
}

// conversations tells whether each is in one place, as the log says.
func (c doctorCmd) conversations(ctx context.Context, api *client) finding {
	var all page[struct {
		Conversation string `json:"conversation"`
		What         string `json:"what"`
	}]
	err := api.call(ctx, http.MethodGet, "/v1/check", nil, &all)
	flaws := all.Items
	switch {
	case err != nil:
		return finding{"conversations", err.Error(), true}
	case len(flaws) == 0:
		return finding{"conversations", "each is in one place, as the log says", false}
	default:
		return finding{"conversations", fmt.Sprintf("%d are not as the log says; %s: %s", len(flaws), flaws[0].Conversation, flaws[0].What), true}
	}
}

// reachable is the address under which this machine reaches a listener.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return "http://" + a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}
