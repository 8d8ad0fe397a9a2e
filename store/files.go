package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// FileStatus says where an attachment is.
type FileStatus string

// The statuses of a file.
const (
	FilePending FileStatus = "pending" // still at its platform
	FileStored  FileStatus = "stored"  // in the blob store, under its id
	FileFailed  FileStatus = "failed"  // the platform did not give it; Detail says why
)

// File is an attachment, of a message or uploaded for one.
type File struct {
	ID           chat.FileID         `json:"id"`
	Workspace    chat.WorkspaceID    `json:"-"`
	Channel      chat.ChannelID      `json:"-"`
	Conversation chat.ConversationID `json:"conversation,omitempty"`
	Status       FileStatus          `json:"status"`
	Name         string              `json:"name,omitempty"`
	MIME         string              `json:"mime,omitempty"`
	Size         int64               `json:"size"` // bytes
	SHA256       string              `json:"sha256,omitempty"`
	Source       *chat.Source        `json:"-"`
	Detail       string              `json:"detail,omitempty"`
	CreatedAt    time.Time           `json:"created_at"`
}

const fileRead = `SELECT f.uid, w.uid, f.channel, f.conversation, f.status, f.name, f.mime, f.size, f.sha256, f.source, f.detail, f.created_at
 FROM files f JOIN workspaces w ON w.id = f.workspace `

func scanFile(r scanner) (f File, err error) {
	var source string
	var created int64
	err = r.Scan(&f.ID, &f.Workspace, &f.Channel, &f.Conversation, &f.Status, &f.Name, &f.MIME, &f.Size, &f.SHA256, &source, &f.Detail, &created)
	f.CreatedAt = moment(created)
	if err == nil && source != "" {
		f.Source = &chat.Source{}
		err = json.Unmarshal([]byte(source), f.Source)
	}
	return f, err
}

// AddFile stores a file's row.
func (s *Store) AddFile(ctx context.Context, f File) (File, error) {
	ws, err := s.workspaceNo(ctx, f.Workspace)
	if err != nil {
		return f, err
	}
	f.CreatedAt = s.now()
	if err := s.engine.exec(ctx, addFile(ws, f)); err != nil {
		return f, s.refused(err)
	}
	return f, nil
}

func addFile(ws int64, f File) stmt {
	source := ""
	if f.Source != nil {
		source = string(data(f.Source))
	}
	return stmt{
		sql: `INSERT INTO files (uid, workspace, channel, conversation, status, name, mime, size, sha256, source, detail, created_at)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		args: []any{
			string(f.ID), ws, string(f.Channel), string(f.Conversation), string(f.Status), cleanText(f.Name), cleanText(f.MIME), f.Size, f.SHA256,
			cleanText(source), f.Detail, micros(f.CreatedAt),
		},
	}
}

// SetFile writes what became of a file: status, name, MIME type, size, checksum, detail.
func (s *Store) SetFile(ctx context.Context, f File) error {
	return unavailable(s.engine.exec(ctx, stmt{
		sql:  "UPDATE files SET status = $1, name = $2, mime = $3, size = $4, sha256 = $5, detail = $6 WHERE uid = $7",
		args: []any{string(f.Status), cleanText(f.Name), cleanText(f.MIME), f.Size, f.SHA256, cleanText(f.Detail), string(f.ID)},
	}))
}

// File reads a file's row, of any workspace.
func (s *Store) File(ctx context.Context, id chat.FileID) (File, error) {
	return one(ctx, s, "file", scanFile, fileRead+"WHERE f.uid = $1", string(id))
}

// Unsent lists files that somebody uploaded on a channel before a time and named in no message since, the oldest first.
func (s *Store) Unsent(ctx context.Context, channel chat.ChannelID, before time.Time, limit int) ([]chat.FileID, error) {
	at, err := s.channelNo(ctx, channel)
	if err != nil {
		return nil, err
	}
	return list(ctx, s, func(r scanner) (id chat.FileID, err error) { return id, r.Scan(&id) }, fmt.Sprintf(`SELECT uid FROM files
 WHERE workspace = $1 AND conversation = '' AND channel = $2 AND created_at < $3 ORDER BY created_at LIMIT %d`, max(limit, 1)),
		at.ws, string(channel), micros(before))
}

// DropUnsent deletes a file's row, unless a message has named the file by now.
func (s *Store) DropUnsent(ctx context.Context, id chat.FileID) error {
	return unavailable(s.engine.exec(ctx, stmt{sql: "DELETE FROM files WHERE uid = $1 AND conversation = ''", args: []any{string(id)}}))
}

// keepSources gives each attachment of an incoming message a file row of its own, and takes the platform's source out of the
// message: it may name secrets and is of use to the connector only.
func (c *Receive) keepSources(u *unit, conv chat.ConversationID, m *chat.Message) {
	var stack []chat.Element
	for i, e := range m.Stack {
		if !e.Type.IsMedia() {
			continue
		}
		var media chat.Media
		if e.Into(&media) != nil {
			continue
		}
		if media.Source == nil {
			c.claim(u, conv, media.File)
			continue
		}
		if stack == nil {
			stack = append([]chat.Element(nil), m.Stack...)
		}
		f := File{
			ID: chat.FileID(u.s.id()), Channel: c.Channel, Conversation: conv, Status: FilePending, Name: media.Name, MIME: media.MIME,
			Size: media.Size, Source: media.Source, CreatedAt: u.now,
		}
		u.extra = append(u.extra, addFile(c.at.ws, f))
		media.File, media.Source = f.ID, nil
		stack[i] = chat.NewElement(e.Type, media)
	}
	if stack != nil {
		m.Stack = stack
	}
}

// claim tells where a file belongs that was uploaded before its message: it is erased with its conversation.
func (c *Receive) claim(u *unit, conv chat.ConversationID, id chat.FileID) {
	if id == "" || conv == "" {
		return
	}
	u.extra = append(u.extra, stmt{
		sql:  "UPDATE files SET channel = $1, conversation = $2 WHERE uid = $3 AND workspace = $4 AND conversation = ''",
		args: []any{string(c.Channel), string(conv), string(id), c.at.ws},
	})
}

// KeepPayload stores a button's payload under the short key that goes out instead of it.
func (s *Store) KeepPayload(ctx context.Context, ws chat.WorkspaceID, short, payload string) error {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return err
	}
	return unavailable(s.engine.exec(ctx, stmt{
		sql:  "INSERT INTO payloads (workspace, short, payload) VALUES ($1, $2, $3) ON CONFLICT (workspace, short) DO NOTHING",
		args: []any{no, short, payload},
	}))
}

// Payload finds what a short key stands for.
func (s *Store) Payload(ctx context.Context, ws chat.WorkspaceID, short string) (string, error) {
	return one(ctx, s, "payload", scanText,
		"SELECT p.payload FROM payloads p JOIN workspaces w ON w.id = p.workspace WHERE w.uid = $1 AND p.short = $2", string(ws), short)
}
