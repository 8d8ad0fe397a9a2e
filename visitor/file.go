package visitor

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// uploadTime is how long an upload may take, and ticketLife how long it can be named in a message afterwards. One that was not is deleted
// after unsentLife: a message that names it at the last moment is stored by then.
const (
	uploadTime = 15 * time.Minute
	ticketLife = 24 * time.Hour
	unsentLife = 2 * ticketLife
)

// uploaded answers an upload. File names it in a message of the same browser, and in none of another's.
type uploaded struct {
	File string `json:"file"`
	URL  string `json:"url"`
	Name string `json:"name"`
	MIME string `json:"mime"`
	Size int64  `json:"size"`
}

func ticketPlace(c *call) string { return "visitor-file/" + string(c.site.channel) + "/" + c.who.ID }

// upload takes the bytes of a file: the body, with its type, and ?name=.
func (s *Server) upload(c *call) error {
	if !on(c.site.Uploads) {
		return chat.Faultf(chat.CodeForbidden, "this channel takes no files")
	}
	if c.r.ContentLength > c.site.MaxFile {
		return chat.Faultf(chat.CodeTooLarge, "the file is too large")
	}
	if err := s.paces.uploads.take(c.who.address(), s.Now()); err != nil {
		return err
	}
	if err := s.paces.traffic.takeN(s.address(c.r), mebibytes(c), s.Now()); err != nil {
		return err
	}
	rc := http.NewResponseController(c.w)
	_ = rc.SetReadDeadline(s.Now().Add(uploadTime)) // errors: this connection knows no deadlines
	_ = rc.SetWriteDeadline(s.Now().Add(uploadTime))
	f := store.File{
		ID: chat.FileID(chat.NewID()), Workspace: c.site.workspace, Channel: c.site.channel, Status: store.FileStored,
		Name: plainName(c.r.URL.Query().Get("name")), MIME: typeOf(c.r),
	}
	ctx := c.r.Context()
	info, err := s.Blobs.Put(ctx, string(f.ID), c.r.Body, c.site.MaxFile)
	if err != nil {
		if chat.CodeOf(err) == "" && (ctx.Err() != nil || errors.Is(err, http.ErrBodyReadAfterClose)) {
			return refusal{http.StatusBadRequest, "malformed", "the file did not come to its end"}
		}
		return err
	}
	f.Size, f.SHA256 = info.Size, info.SHA256
	if f, err = s.Store.AddFile(ctx, f); err != nil {
		return err
	}
	return c.answer(http.StatusCreated, uploaded{
		File: s.Signer.Sign(ticketPlace(c), string(f.ID), s.Now().Add(ticketLife)), URL: s.Hub.FileLink(f.Workspace, f.ID), Name: f.Name, MIME: f.MIME, Size: f.Size,
	})
}

// mebibytes is how large an upload says that it is; one that does not say may be as large as any.
func mebibytes(c *call) int {
	size := c.r.ContentLength
	if size < 0 {
		size = c.site.MaxFile
	}
	return 1 + int(size>>20)
}

func typeOf(r *http.Request) string {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil {
		return t
	}
	return "application/octet-stream"
}

// attachment makes an element of an upload of this visitor's.
func (s *Server) attachment(c *call, ticket string) (chat.Element, error) {
	id, err := s.Signer.Verify(ticketPlace(c), ticket, s.Now())
	if err != nil {
		return chat.Element{}, chat.Faultf(chat.CodeInvalid, "files: not an upload of this visitor, or too old")
	}
	f, err := s.Store.File(c.r.Context(), chat.FileID(id))
	if err != nil {
		return chat.Element{}, err
	}
	kind := chat.File
	switch family, _, _ := strings.Cut(f.MIME, "/"); family {
	case "image":
		kind = chat.Image
	case "audio":
		kind = chat.Audio
	case "video":
		kind = chat.Video
	}
	raw, err := json.Marshal(chat.Media{File: f.ID, Name: f.Name, MIME: f.MIME, Size: f.Size})
	return chat.Element{Type: kind, Payload: raw}, err
}

// plainName is the last part of a name, without what no file may be called.
func plainName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	return clip(strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, name), 200)
}
