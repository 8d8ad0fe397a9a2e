package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/dragoman-hub/dragoman/chat"
)

// The files that the hub keeps in its data folder beside the database.
const (
	databaseFile   = "dragoman.db"
	keyFile        = "secret.key"
	adminTokenFile = "admin-token"
	noteFile       = "server.json"
	blobFolder     = "files"
)

// note tells the other commands, on the same machine, how to reach the hub and its simulated channel.
type note struct {
	URL     string         `json:"url"`
	Channel chat.ChannelID `json:"channel,omitempty"`
	Key     string         `json:"key,omitempty"`
	// Unfinished is a first start that did not come to its end.
	Unfinished bool `json:"unfinished,omitempty"`
}

// readNote reads what there is; a missing note is an empty one.
func readNote(data string) note {
	var n note
	raw, err := os.ReadFile(filepath.Join(data, noteFile))
	if err == nil && json.Unmarshal(raw, &n) != nil {
		n = note{}
	}
	return n
}

// write keeps the note, for the owner's eyes only.
func (n note) write(data string) error {
	raw, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return err
	}
	return writePrivate(filepath.Join(data, noteFile), append(raw, '\n'))
}

// writePrivate replaces a file as a whole, readable by its owner alone.
func writePrivate(path string, raw []byte) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, raw, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// makePrivate makes an empty file that its owner alone may read, unless there is one: SQLite, which gives its other files the same
// mode, would let everybody read it.
func makePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}
