package hub

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/telemetry"
)

// filesOf lists the stored files that a message names.
func filesOf(m *chat.Message) []chat.FileID {
	if m == nil {
		return nil
	}
	var out []chat.FileID
	add := func(id chat.FileID) {
		if id != "" {
			out = append(out, id)
		}
	}
	for _, e := range m.Stack {
		switch {
		case e.Type.IsMedia():
			var p chat.Media
			if e.Into(&p) == nil {
				add(p.File)
			}
		case e.Type == chat.Card:
			var p chat.CardPayload
			if e.Into(&p) == nil {
				add(p.File)
			}
		case e.Type == chat.Carousel:
			var p chat.CarouselPayload
			if e.Into(&p) == nil {
				for _, c := range p.Cards {
					add(c.File)
				}
			}
		}
	}
	return out
}

// mediaLane: attachments of different messages are fetched side by side.
func mediaLane(e *chat.Event) string {
	if e.Direction != chat.In || e.Kind != chat.KindMessage && e.Kind != chat.KindEdited || len(filesOf(e.Message)) == 0 {
		return ""
	}
	return strconv.FormatInt(e.Pos, 10)
}

// fetchMedia copies the attachments of an incoming message into the blob store.
func (h *Hub) fetchMedia(ctx context.Context, j *store.Job) store.Verdict {
	ctx = telemetry.WithAction(ctx, j.Event.Action)
	l, noLine := h.line(ctx, chat.ChannelID(j.Group))
	if noLine == nil && l.refuses(workMedia, h.Now()) {
		return h.untilMended(l)
	}
	var told []store.Command
	for _, id := range filesOf(j.Event.Message) {
		f, err := h.Store.File(ctx, id)
		if chat.CodeOf(err) == chat.CodeNotFound {
			continue // erased meanwhile
		}
		switch {
		case err != nil || f.Status != store.FilePending:
		case noLine != nil:
			err = noWay(noLine)
		default:
			err = h.fetch(ctx, l, &f)
		}
		if err != nil {
			if v, over := h.fetchFailed(ctx, l, j, err); !over {
				return v
			}
			f.Status, f.Detail = store.FileFailed, connector.AsError(err).Failure().Detail
		}
		if err := h.keepFile(ctx, f); err != nil {
			return store.Again(-1, &chat.Failure{Class: string(connector.Retry), Detail: err.Error()})
		}
		told = append(told, &store.Record{
			Workspace: j.Workspace, Conversation: j.Event.Conversation, Kind: chat.KindFile, Sender: chat.Party{Type: chat.PartySystem},
			Data: fileData(j.Event.Seq, f), Once: "file/" + string(id), Action: j.Event.Action,
		})
	}
	return store.Done(told...)
}

// keepFile writes what became of a file. The bytes of one that was erased while they were on their way are deleted.
func (h *Hub) keepFile(ctx context.Context, f store.File) error {
	if err := h.Store.SetFile(ctx, f); err != nil {
		return err
	}
	if _, err := h.Store.File(ctx, f.ID); chat.CodeOf(err) != chat.CodeNotFound {
		return err
	}
	return h.Blobs.Delete(ctx, string(f.ID))
}

func fileData(seq int64, f store.File) json.RawMessage {
	raw, _ := json.Marshal(chat.FileData{Seq: seq, File: f.ID, Status: string(f.Status), Detail: f.Detail}) // plain data: cannot fail
	return raw
}

// fetchFailed decides whether a download is tried again; over says that it never will be.
func (h *Hub) fetchFailed(ctx context.Context, l *line, j *store.Job, err error) (v store.Verdict, over bool) {
	h.Log.WarnContext(ctx, "hub: attachment not fetched", "channel", j.Group, "seq", j.Event.Seq, "attempt", j.Attempts+1, "err", err)
	e := connector.AsError(err)
	tooOld := h.Now().Sub(j.Created) > h.Limits.SendAge
	switch e.Policy {
	case connector.Retry, connector.IsUnsure:
		return store.Again(-1, e.Failure()), tooOld || j.Attempts >= h.Limits.Attempts
	case connector.Throttled:
		return store.Hold(orDefault(e.After, time.Second), e.Failure()), tooOld
	case connector.Unauthorized, connector.Suspended:
		l.refuse(workMedia, h.Now())
		return store.Hold(mendPause, e.Failure()), tooOld
	default:
		return v, true
	}
}

// fetch streams one attachment into the blob store.
func (h *Hub) fetch(ctx context.Context, l *line, f *store.File) error {
	if l.abilities.Download == nil || f.Source == nil {
		return &connector.Error{Policy: connector.Rejected, Code: "no_ability", Detail: "this platform gives no attachments"}
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	var a connector.Attachment
	err := h.renewed(ctx, l, func() (err error) {
		a, err = l.abilities.Download.Download(ctx, *f.Source)
		return err
	})
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if a.Size > h.Limits.Attachment {
		return tooLarge(h.Limits.Attachment)
	}
	info, err := h.Blobs.Put(ctx, string(f.ID), a.Body, h.Limits.Attachment)
	if chat.CodeOf(err) == chat.CodeTooLarge {
		return tooLarge(h.Limits.Attachment)
	}
	if err != nil {
		return &connector.Error{Policy: connector.Retry, Code: "blob", Err: err}
	}
	f.Status, f.Size, f.SHA256 = store.FileStored, info.Size, info.SHA256
	if f.Name == "" {
		f.Name = a.Name
	}
	if f.MIME == "" || f.MIME == "application/octet-stream" {
		f.MIME = a.MIME
	}
	return nil
}

func tooLarge(limit int64) error {
	return &connector.Error{Policy: connector.Rejected, Code: "too_large", Detail: "the attachment is larger than " + strconv.FormatInt(limit, 10) + " bytes"}
}

// Upload streams a file into the blob store; it can be named in messages of this workspace from then on.
func (h *Hub) Upload(ctx context.Context, ws chat.WorkspaceID, name, mimeType string, r io.Reader) (store.File, error) {
	if len(name) > maxName || strings.ContainsAny(name, "/\\\x00\r\n") {
		return store.File{}, chat.Faultf(chat.CodeInvalid, "name: a plain file name of at most 200 bytes")
	}
	if _, _, err := mime.ParseMediaType(mimeType); err != nil {
		mimeType = "application/octet-stream"
	}
	f := store.File{ID: chat.FileID(chat.NewID()), Workspace: ws, Status: store.FileStored, Name: name, MIME: mimeType}
	info, err := h.Blobs.Put(ctx, string(f.ID), r, h.Limits.Attachment)
	if err != nil {
		return store.File{}, err
	}
	f.Size, f.SHA256 = info.Size, info.SHA256
	return h.Store.AddFile(ctx, f)
}

// OpenFile opens a stored file; length < 0 is to the end. One that is still being fetched is unavailable for now.
func (h *Hub) OpenFile(ctx context.Context, id chat.FileID, offset, length int64) (io.ReadCloser, store.File, error) {
	f, err := h.Store.File(ctx, id)
	if err != nil {
		return nil, f, err
	}
	switch f.Status {
	case store.FilePending:
		return nil, f, chat.Faultf(chat.CodeUnavailable, "the attachment is being fetched from its platform: try again soon")
	case store.FileFailed:
		return nil, f, chat.Faultf(chat.CodeNotFound, "the attachment could not be fetched: "+f.Detail)
	case store.FileStored:
	}
	body, _, err := h.Blobs.Open(ctx, string(id), offset, length)
	return body, f, err
}

// FileLink is a path, with its query, under which a file can be had without a token for a while.
func (h *Hub) FileLink(ws chat.WorkspaceID, id chat.FileID) string {
	// the same link for a while, so that browsers can cache
	expiry := h.Now().Add(h.Limits.LinkAge + h.Limits.LinkAge/4).Truncate(h.Limits.LinkAge / 4)
	q := url.Values{"sig": {h.Secrets.Sign(filePlace(id), string(ws), expiry)}}
	return "/files/" + url.PathEscape(string(id)) + "?" + q.Encode()
}

// VerifyFileLink checks the query of such a link and tells for which workspace's file it was made: the file may be another's.
func (h *Hub) VerifyFileLink(id chat.FileID, q url.Values) (chat.WorkspaceID, error) {
	ws, err := h.Secrets.Verify(filePlace(id), q.Get("sig"), h.Now())
	if err != nil {
		return "", chat.Faultf(chat.CodeForbidden, "the link is wrong or too old: read the conversation again for a new one")
	}
	return chat.WorkspaceID(ws), nil
}

// RenewFileLink is a link that is good now, for one that we made for a file of the workspace, however long ago; "" if we never did.
func (h *Hub) RenewFileLink(ws chat.WorkspaceID, id chat.FileID, q url.Values) string {
	if of, err := h.Secrets.Verify(filePlace(id), q.Get("sig"), time.Time{}); err != nil || of != string(ws) {
		return ""
	}
	return h.FileLink(ws, id)
}

func filePlace(id chat.FileID) string { return "file/" + string(id) }

// Forget deletes blobs; one that is not there is forgotten already.
func (h *Hub) Forget(ctx context.Context, files []chat.FileID) error {
	var errs []error
	for _, id := range files {
		errs = append(errs, h.Blobs.Delete(ctx, string(id)))
	}
	return errors.Join(errs...)
}

// facts puts what is known of stored files into a message, so that it is cut by their true sizes; a file that is not there is taken
// out. The event's own message stays as it is.
func facts(m chat.Message, files map[chat.FileID]connector.Media) chat.Message {
	m.Stack = slices.Clone(m.Stack)
	for i, e := range m.Stack {
		var p chat.Media
		if !e.Type.IsMedia() || e.Into(&p) != nil || p.File == "" {
			continue
		}
		f, ok := files[p.File]
		if !ok {
			p.File = ""
		} else {
			p.Size = f.Size
			if p.MIME == "" {
				p.MIME = f.MIME
			}
			if p.Name == "" {
				p.Name = f.Name
			}
		}
		m.Stack[i] = chat.NewElement(e.Type, p)
	}
	return m
}

// files opens what a message needs. errPending is a file that is not there yet.
func (s *sending) files(ctx context.Context) (map[chat.FileID]connector.Media, error) {
	ids := filesOf(s.j.Event.Message)
	if len(ids) == 0 {
		return nil, nil
	}
	out := make(map[chat.FileID]connector.Media, len(ids))
	for _, id := range ids {
		f, err := s.h.Store.File(ctx, id)
		switch {
		case err != nil && chat.CodeOf(err) != chat.CodeNotFound:
			return nil, err
		case err != nil || f.Workspace != s.j.Workspace || f.Status == store.FileFailed:
			continue // the message goes out without it, and says so
		case f.Status == store.FilePending:
			return nil, errPending
		}
		m := connector.Media{Name: f.Name, MIME: f.MIME, Size: f.Size, Open: func(ctx context.Context) (io.ReadCloser, error) {
			body, _, err := s.h.Blobs.Open(ctx, string(id), 0, -1)
			return body, err
		}}
		if s.h.Public != "" {
			m.URL = strings.TrimSuffix(s.h.Public, "/") + s.h.FileLink(f.Workspace, id)
		}
		out[id] = m
	}
	return out, nil
}

var errPending = errors.New("hub: an attachment is still being fetched")

func (s *sending) noFiles(ctx context.Context, err error) store.Verdict {
	if !errors.Is(err, errPending) {
		s.h.Log.ErrorContext(ctx, "out: files cannot be read", "err", err)
	}
	if s.h.Now().Sub(s.j.Created) > s.h.Limits.SendAge {
		return s.giveUp(ctx, &connector.Error{Policy: connector.Rejected, Code: "no_file", Err: err})
	}
	return store.Later(2 * time.Second)
}
