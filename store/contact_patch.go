package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/dragoman-hub/dragoman/chat"
)

// The limits of what people write about a contact, in bytes.
const (
	maxContactName       = 200
	maxContactLanguage   = 35 // BCP 47 recommends to expect so much
	maxContactProperties = 64 << 10
)

// PatchContact changes what is known of a contact. A nil member stays as it is; Properties are merged by name, and one whose
// value is null is taken away. It appends no event: what is known of a contact belongs to no conversation.
type PatchContact struct {
	Workspace  chat.WorkspaceID
	Contact    chat.ContactID
	Name       *string
	Language   *string
	Properties map[string]json.RawMessage

	ws     int64
	row    *contactRow
	erased int64
}

func (c *PatchContact) resolve(ctx context.Context, s *Store) (err error) {
	if c.Name != nil && len(*c.Name) > maxContactName {
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("name: at most %d bytes", maxContactName))
	}
	if c.Language != nil && len(*c.Language) > maxContactLanguage {
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("language: at most %d bytes", maxContactLanguage))
	}
	for name := range c.Properties {
		if name == "" || len(name) > maxContactName {
			return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("properties: names have 1 to %d bytes", maxContactName))
		}
	}
	c.ws, err = s.workspaceNo(ctx, c.Workspace)
	return err
}

func (c *PatchContact) workspace() int64 { return c.ws }

// want reads the row under the workspace's lock; its key is the command itself, for each one needs an answer of its own.
func (c *PatchContact) want(u *unit) {
	if u.asked[c] {
		return
	}
	c.row, c.erased = nil, 0 // it may have been tried in another transaction
	u.ask(c, stmt{
		sql:  "SELECT " + contactColumns + ", ct.erased_at FROM contacts ct WHERE ct.workspace = $1 AND ct.uid = $2",
		args: []any{c.ws, string(c.Contact)},
		scan: func(r scanner) error {
			row := &contactRow{}
			if err := r.Scan(append(row.dest(), &c.erased)...); err != nil {
				return err
			}
			c.row = u.keepContact(row)
			return nil
		},
	})
}

func (c *PatchContact) apply(_ context.Context, _ *unit) (Result, error) {
	if c.row == nil {
		return Result{}, chat.Faultf(chat.CodeNotFound, "no such contact")
	}
	if c.erased != 0 {
		return Result{}, chat.Faultf(chat.CodeConflict, "the contact was erased")
	}
	merged, err := mergeProperties(c.row.properties, c.Properties)
	if err != nil {
		return Result{}, err
	}
	if c.Name != nil {
		c.row.name = cleanText(*c.Name)
	}
	if c.Language != nil {
		c.row.language = cleanText(*c.Language)
	}
	c.row.properties, c.row.dirty = merged, true
	return Result{}, nil
}

func mergeProperties(old string, patch map[string]json.RawMessage) (string, error) {
	if len(patch) == 0 {
		return old, nil
	}
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(old), &all); err != nil {
		return "", fmt.Errorf("store: stored properties: %w", err)
	}
	for name, value := range patch {
		if name = cleanText(name); len(value) == 0 || string(value) == "null" {
			delete(all, name)
			continue
		}
		all[name] = value
	}
	raw, err := json.Marshal(all)
	if err != nil {
		return "", chat.Faultf(chat.CodeInvalid, "properties: a value is not JSON")
	}
	if len(raw) > maxContactProperties {
		return "", chat.Faultf(chat.CodeInvalid, fmt.Sprintf("properties: at most %d bytes together", maxContactProperties))
	}
	return string(raw), nil
}
