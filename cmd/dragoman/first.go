package main

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/dragoman-hub/dragoman/api"
	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
)

//go:embed samples/welcome.json
var welcome []byte

// The names of what the first start makes.
const (
	firstWorkspace = "default"
	sampleFlow     = "welcome"
	sampleChannel  = "Terminal"
	sampleSite     = "Website"
)

// setUp makes, on an empty database, a workspace, a sample flow and a channel to talk to; and always sees that there is an
// admin token. What was made before stays as it is. fresh tells that this was the first start.
func setUp(ctx context.Context, p *program) (n note, fresh bool, err error) {
	list, err := p.store.Workspaces(ctx)
	if err != nil {
		return n, false, err
	}
	n = readNote(p.settings.Data)
	if len(list) == 0 || n.Unfinished {
		fresh = true
		if list, err = makeFirst(ctx, p, list, &n); err != nil {
			return n, fresh, fmt.Errorf("first start: %w", err)
		}
	}
	return n, fresh, adminToken(ctx, p, list[0].ID)
}

// makeFirst makes what the first start makes; one that was cut off is taken up again. Of several nodes that begin at once on one
// database, the one whose workspace is the oldest does it.
func makeFirst(ctx context.Context, p *program, list []store.Workspace, n *note) ([]store.Workspace, error) {
	if !n.Unfinished {
		key := make([]byte, 24)
		_, _ = rand.Read(key) // never fails
		*n = note{Channel: chat.ChannelID(chat.NewID()), Key: base64.RawURLEncoding.EncodeToString(key), Unfinished: true}
		if err := n.write(p.settings.Data); err != nil {
			return nil, err
		}
	}
	if len(list) == 0 {
		ours, err := p.store.AddWorkspace(ctx, "", firstWorkspace)
		if err != nil {
			return nil, err
		}
		if list, err = p.store.Workspaces(ctx); err != nil {
			return nil, err
		}
		if list[0].ID != ours.ID {
			*n = note{}
			return list, nil
		}
	}
	if err := addSample(ctx, p, list[0].ID, *n); err != nil {
		return nil, err
	}
	var err error
	if p.signIn, err = addFirstUser(ctx, p, list[0].ID); err != nil {
		return nil, err
	}
	n.Unfinished = false
	return list, nil
}

// addSample adds the sample flow and the channel that it answers on, unless they are there.
func addSample(ctx context.Context, p *program, ws chat.WorkspaceID, n note) error {
	flow, err := bot.Parse(welcome)
	if err != nil {
		return err
	}
	if _, err := p.store.PutFlow(ctx, ws, sampleFlow, flow.Definition()); err != nil {
		return err
	}
	settings, err := json.Marshal(map[string]string{"key": n.Key})
	if err != nil {
		return err
	}
	_, err = p.hub.AddChannel(ctx, ws, hub.ChannelInput{
		ID: n.Channel, Connector: "simulator", Name: sampleChannel, Settings: settings, Flow: sampleFlow,
	})
	if err != nil && chat.CodeOf(err) != chat.CodeConflict { // the first start that was cut off came that far
		return err
	}
	return addSampleSite(ctx, p, ws)
}

// adminToken sees that a token with all rights exists: the one that the settings fix, or one that is made once and kept in the data
// folder.
func adminToken(ctx context.Context, p *program, ws chat.WorkspaceID) error {
	path := filepath.Join(p.settings.Data, adminTokenFile)
	token := p.settings.AdminToken
	if token == "" {
		raw, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		token = strings.TrimSpace(string(raw))
	}
	made := token == ""
	if made {
		token, _ = secret.NewToken(api.TokenPrefix)
	}
	if len(token) < minToken {
		return chat.Faultf(chat.CodeInvalid, path+" has no token that one could believe: delete it and start again")
	}
	p.hidden.Add(token)
	if made || p.settings.AdminToken != "" {
		if err := writePrivate(path, []byte(token+"\n")); err != nil {
			return err
		}
	}
	p.admin, p.adminMade = token, made
	hash := api.TokenHash(token)
	_, err := p.store.TokenByHash(ctx, hash)
	if chat.CodeOf(err) != chat.CodeNotFound {
		return err
	}
	_, err = p.store.AddToken(ctx, store.Token{Workspace: ws, Name: "admin", Hash: hash, Scopes: []string{"admin"}})
	if chat.CodeOf(err) != chat.CodeConflict {
		return err
	}
	// it is revoked, or another node has added it since
	if _, err = p.store.TokenByHash(ctx, hash); chat.CodeOf(err) == chat.CodeNotFound {
		return chat.Faultf(chat.CodeInvalid, "the admin token was revoked: give another one in DRAGOMAN_ADMIN_TOKEN, or delete "+path)
	}
	return err
}

// greet says how to go on.
func greet(w io.Writer, p *program, n note, fresh bool) {
	_, _ = fmt.Fprintf(w, "Dragoman %s listens on %s, database %s\n", version, p.url, p.settings.databaseName())
	if p.signIn != "" {
		p.hidden.Add(p.signIn)
		_, _ = fmt.Fprintf(w, "\nBegin here (the link sets your password; good once and for 48 hours):\n\n  %s/sign-in#%s\n\n", p.url, p.signIn)
	}
	if p.adminMade {
		_, _ = fmt.Fprintf(w, "Admin token (shown once, kept in %s):\n\n  %s\n", filepath.Join(p.settings.Data, adminTokenFile), p.admin)
	}
	if n.Channel == "" {
		return
	}
	dir := ""
	if p.settings.Data != defaultData() {
		dir = " --data " + shellWord(p.settings.Data)
	}
	_, _ = fmt.Fprintf(w, "\nTalk to the sample flow:\n\n  %s say%s \"hello\"\n", shellWord(os.Args[0]), dir)
	if fresh {
		_, _ = fmt.Fprintf(w, "  curl -H 'Authorization: Bearer %s' -d '{\"from\":\"me\",\"text\":\"hello\"}' %s/in/%s\n", n.Key, p.url, n.Channel)
	}
	_, _ = fmt.Fprintf(w, "\nSee what happened:\n\n  curl -H \"Authorization: Bearer $(cat %s)\" %s/v1/conversations\n",
		shellWord(filepath.Join(p.settings.Data, adminTokenFile)), p.url)
	_, _ = fmt.Fprintf(w, "\nAll calls: %s/docs\n", p.url)
}

// shellWord quotes a word where a shell would take it apart.
func shellWord(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%=,") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
