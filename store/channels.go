package store

import (
	"context"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// ChannelStatus says whether a channel works.
type ChannelStatus string

// The statuses. A channel that is off takes and sends nothing; one in error (credentials, account) keeps its outgoing messages
// queued until it works again.
const (
	ChannelActive ChannelStatus = "active"
	ChannelOff    ChannelStatus = "off"
	ChannelError  ChannelStatus = "error"
)

// Channel is one configured account. Settings are sealed by whoever writes them: the store never sees inside.
type Channel struct {
	ID        chat.ChannelID
	Workspace chat.WorkspaceID
	Connector string
	Name      string
	Settings  string
	Status    ChannelStatus
	Detail    string // why it is in error
	Flow      string
	Queue     string
	Revision  int64 // grows with every change of settings or name
	CreatedAt time.Time
	UpdatedAt time.Time
}

const channelRead = `SELECT ch.uid, w.uid, ch.connector, ch.name, ch.settings, ch.status, ch.detail, ch.flow, ch.queue, ch.revision,
 ch.created_at, ch.updated_at FROM channels ch JOIN workspaces w ON w.id = ch.workspace `

func scanChannel(r scanner) (c Channel, err error) {
	var created, updated int64
	err = r.Scan(&c.ID, &c.Workspace, &c.Connector, &c.Name, &c.Settings, &c.Status, &c.Detail, &c.Flow, &c.Queue, &c.Revision,
		&created, &updated)
	c.CreatedAt, c.UpdatedAt = moment(created), moment(updated)
	return c, err
}

// AddChannel stores a new channel; ID and times are made here when empty.
func (s *Store) AddChannel(ctx context.Context, c Channel) (Channel, error) {
	ws, err := s.workspaceNo(ctx, c.Workspace)
	if err != nil {
		return c, err
	}
	if c.ID == "" {
		c.ID = chat.ChannelID(s.id())
	}
	if c.Status == "" {
		c.Status = ChannelActive
	}
	now := s.now()
	c.CreatedAt, c.UpdatedAt, c.Revision = now, now, 1
	err = s.engine.exec(ctx,
		stmt{sql: "UPDATE workspaces SET last_channel = last_channel + 1 WHERE id = $1", args: []any{ws}},
		stmt{
			sql: `INSERT INTO channels (workspace, no, uid, connector, name, settings, status, flow, queue, created_at, updated_at)
 SELECT w.id, w.last_channel, $2, $3, $4, $5, $6, $7, $8, $9, $9 FROM workspaces w WHERE w.id = $1`,
			args: []any{ws, string(c.ID), c.Connector, c.Name, c.Settings, string(c.Status), c.Flow, c.Queue, micros(now)},
		})
	if err != nil {
		return c, s.refused(err)
	}
	return c, nil
}

// SetChannel writes name, settings, status, detail, flow and queue of a channel that is still at c.Revision.
func (s *Store) SetChannel(ctx context.Context, c Channel) (Channel, error) {
	at, err := s.channelNo(ctx, c.ID)
	if err != nil {
		return c, err
	}
	now := s.now()
	hit := false
	err = s.engine.exec(ctx, stmt{
		sql: `UPDATE channels SET name = $1, settings = $2, status = $3, detail = $4, flow = $5, queue = $6, updated_at = $7, revision = revision + 1
 WHERE workspace = $8 AND no = $9 AND revision = $10 RETURNING revision`,
		args: []any{c.Name, c.Settings, string(c.Status), c.Detail, c.Flow, c.Queue, micros(now), at.ws, at.no, c.Revision},
		scan: func(r scanner) error { hit = true; return r.Scan(&c.Revision) },
	})
	if err != nil {
		return c, s.refused(err)
	}
	if !hit {
		return c, chat.Faultf(chat.CodeConflict, "the channel was changed meanwhile: read it again")
	}
	c.UpdatedAt = now
	return c, nil
}

// MarkChannel sets what the hub found out about a channel, but for one that was switched off by hand.
func (s *Store) MarkChannel(ctx context.Context, id chat.ChannelID, status ChannelStatus, detail string) error {
	at, err := s.channelNo(ctx, id)
	if err != nil {
		return err
	}
	return unavailable(s.engine.exec(ctx, stmt{
		sql:  `UPDATE channels SET status = $1, detail = $2 WHERE workspace = $3 AND no = $4 AND status <> 'off' AND (status <> $1 OR detail <> $2)`,
		args: []any{string(status), detail, at.ws, at.no},
	}))
}

// DropChannel deletes a channel that never had a conversation; one that had is refused.
func (s *Store) DropChannel(ctx context.Context, id chat.ChannelID) error {
	at, err := s.channelNo(ctx, id)
	if err != nil {
		return err
	}
	hit := false
	// the workspace is locked first, so that no conversation begins meanwhile
	err = s.engine.exec(ctx, stmt{sql: "UPDATE workspaces SET last_channel = last_channel WHERE id = $1", args: []any{at.ws}}, stmt{
		sql: `DELETE FROM channels WHERE workspace = $1 AND no = $2 AND NOT EXISTS
 (SELECT 1 FROM conversations c WHERE c.workspace = $1 AND c.channel = $2) RETURNING no`,
		args: []any{at.ws, at.no},
		scan: func(scanner) error { hit = true; return nil },
	}, stmt{
		sql:  "DELETE FROM channel_notes WHERE channel = $1 AND NOT EXISTS (SELECT 1 FROM channels WHERE uid = $1)",
		args: []any{string(id)},
	})
	if err != nil {
		return unavailable(err)
	}
	if !hit {
		return chat.Faultf(chat.CodeConflict, "the channel has conversations: switch it off instead")
	}
	s.channels.Delete(id)
	return nil
}

// Channel reads one channel, of any workspace.
func (s *Store) Channel(ctx context.Context, id chat.ChannelID) (Channel, error) {
	return one(ctx, s, "channel", scanChannel, channelRead+"WHERE ch.uid = $1", string(id))
}

// Channels lists the channels of a workspace, or of all when ws is empty, in the order of their making.
func (s *Store) Channels(ctx context.Context, ws chat.WorkspaceID) ([]Channel, error) {
	return list(ctx, s, scanChannel, channelRead+"WHERE ($1 = '' OR w.uid = $1) ORDER BY ch.workspace, ch.no", string(ws))
}

// Note reads a connector's durable fact; "" if it was never saved.
func (s *Store) Note(ctx context.Context, id chat.ChannelID, name string) (string, error) {
	found, err := list(ctx, s, scanText, "SELECT value FROM channel_notes WHERE channel = $1 AND name = $2", string(id), name)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0], nil
}

// SetNote writes it.
func (s *Store) SetNote(ctx context.Context, id chat.ChannelID, name, value string) error {
	return unavailable(s.engine.exec(ctx, stmt{
		sql: `INSERT INTO channel_notes (channel, name, value) VALUES ($1, $2, $3)
 ON CONFLICT (channel, name) DO UPDATE SET value = excluded.value`,
		args: []any{string(id), name, value},
	}))
}

func scanText(r scanner) (s string, err error) {
	err = r.Scan(&s)
	return s, err
}
