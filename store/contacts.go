package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Contact is a person with the addresses that they use.
type Contact struct {
	ID         chat.ContactID  `json:"id"`
	Name       string          `json:"name"`
	Language   string          `json:"language,omitempty"`
	Properties json.RawMessage `json:"properties"`
	Identities []Identity      `json:"identities"`
	CreatedAt  time.Time       `json:"created_at"`
	UpdatedAt  time.Time       `json:"updated_at"`
	ErasedAt   time.Time       `json:"erased_at,omitzero"`

	no int64
}

// Identity is a contact's address on one channel.
type Identity struct {
	Channel   chat.ChannelID `json:"channel"`
	Address   string         `json:"address"`
	Person    chat.Person    `json:"person"`
	Blocked   bool           `json:"blocked,omitempty"`
	ProfileAt time.Time      `json:"profile_at,omitzero"`
}

const contactRead = `SELECT ct.no, ct.uid, ct.name, ct.language, ct.properties, ct.created_at, ct.updated_at, ct.erased_at
 FROM contacts ct JOIN workspaces w ON w.id = ct.workspace `

func scanContact(r scanner) (c Contact, err error) {
	var properties []byte
	var created, updated, erased int64
	err = r.Scan(&c.no, &c.ID, &c.Name, &c.Language, &properties, &created, &updated, &erased)
	c.Properties, c.Identities = properties, []Identity{}
	c.CreatedAt, c.UpdatedAt, c.ErasedAt = moment(created), moment(updated), moment(erased)
	return c, err
}

// Contact reads one, identities included.
func (s *Store) Contact(ctx context.Context, ws chat.WorkspaceID, id chat.ContactID) (Contact, error) {
	c, err := one(ctx, s, "contact", scanContact, contactRead+"WHERE w.uid = $1 AND ct.uid = $2", string(ws), string(id))
	if err != nil {
		return c, err
	}
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return c, err
	}
	found, err := list(ctx, s, func(r scanner) (i Identity, err error) {
		row := identityRow{}
		err = row.scan(withMore(r, []any{&i.Channel}))
		i.Address, i.Person, i.Blocked, i.ProfileAt = row.address, row.person, row.blocked, moment(row.profileAt)
		return i, err
	}, "SELECT "+identityColumns+`, ch.uid FROM identities i JOIN channels ch ON ch.workspace = i.workspace AND ch.no = i.channel
 WHERE i.workspace = $1 AND i.contact = $2 ORDER BY i.channel, i.address`, no, c.no)
	if found != nil {
		c.Identities = found
	}
	return c, err
}

// Contacts lists contacts, newest first, without their identities; text narrows it to names that have it.
func (s *Store) Contacts(ctx context.Context, ws chat.WorkspaceID, text, cursor string, limit int) ([]Contact, string, error) {
	limit = max(limit, 1)
	at, err := readCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	found, err := list(ctx, s, scanContact, contactRead+`WHERE w.uid = $1 AND ct.no < $2 AND ($3 = '' OR LOWER(ct.name) LIKE $4 ESCAPE '\')
 ORDER BY ct.no DESC LIMIT $5`, string(ws), at.first, text, likeText(text), limit+1)
	if err != nil || len(found) <= limit {
		return found, "", err
	}
	found = found[:limit]
	return found, fmt.Sprintf("%d.0", found[limit-1].no), nil
}
