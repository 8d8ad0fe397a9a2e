package hub_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/store"
)

// depot is a platform with attachments.
func depot(download func(n int, src chat.Source) (connector.Attachment, error)) (*script, *atomic.Int64) {
	var n atomic.Int64
	return &script{download: func(_ context.Context, src chat.Source) (connector.Attachment, error) {
		return download(int(n.Add(1)), src)
	}}, &n
}

func bytesOf(s string) connector.Attachment {
	return connector.Attachment{Name: "photo.jpg", MIME: "image/jpeg", Size: int64(len(s)), Body: io.NopCloser(strings.NewReader(s))}
}

// attach lets a contact send attachments and answers their ids.
func (w *world) attach(ch chat.ChannelID, sources ...string) (chat.ConversationID, []chat.FileID) {
	w.t.Helper()
	m := &chat.Message{}
	for _, s := range sources {
		m.Stack = append(m.Stack, chat.NewElement(chat.Image, chat.Media{Source: &chat.Source{ID: s}}))
	}
	res, err := w.store.Append(w.t.Context(), &store.Receive{Channel: ch, In: chat.Incoming{
		Key: "k" + chat.NewID(), Kind: chat.KindMessage, Thread: chat.Thread{Address: "ann"}, Sender: chat.Person{Address: "ann"}, Message: m,
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	var ids []chat.FileID
	for _, e := range res.Events[0].Message.Stack {
		var p chat.Media
		if err := e.Into(&p); err != nil || p.File == "" || p.Source != nil {
			w.t.Fatalf("%s: %v", e.Payload, err)
		}
		ids = append(ids, p.File)
	}
	return res.Events[0].Conversation, ids
}

func (w *world) file(id chat.FileID) store.File {
	w.t.Helper()
	f, err := w.store.File(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

// awaitFile waits for the event that tells what became of a file.
func (w *world) awaitFile(conv chat.ConversationID, id chat.FileID) store.File {
	w.t.Helper()
	w.await("file "+string(id), func() bool {
		for _, e := range w.events(conv) {
			if e.Kind == chat.KindFile && strings.Contains(string(e.Data), string(id)) {
				return true
			}
		}
		return false
	})
	return w.file(id)
}

func TestAttachmentsAreFetchedOnce(t *testing.T) {
	t.Parallel()
	s, n := depot(func(n int, src chat.Source) (connector.Attachment, error) {
		if src.ID == "second" && n == 2 {
			return connector.Attachment{}, &connector.Error{Policy: connector.Retry, Code: "502"}
		}
		return bytesOf("bytes of " + src.ID), nil
	})
	w := newWorld(t, setup{lease: shortLease, platforms: []connector.Platform{s.platform("depot", connector.Traits{})}})
	conv, ids := w.attach(w.channel("depot", map[string]any{"token": "SECRETdepotTOKEN00001"}), "first", "second")
	if _, _, err := w.OpenFile(t.Context(), ids[0], 0, -1); chat.CodeOf(err) != chat.CodeUnavailable {
		t.Errorf("a file on its way: %v", err)
	}
	w.run()
	w.clock.hurry(t)
	for i, name := range []string{"first", "second"} {
		f := w.awaitFile(conv, ids[i])
		body, _, err := w.OpenFile(t.Context(), ids[i], 9, -1)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := io.ReadAll(body)
		body.Close()
		if string(raw) != name || f.Status != store.FileStored || f.Size != int64(9+len(name)) || len(f.SHA256) != 64 || f.MIME != "image/jpeg" || f.Name != "photo.jpg" {
			t.Errorf("%q of %+v", raw, f)
		}
	}
	if n.Load() != 3 {
		t.Errorf("%d downloads, want 3: the first was not to be fetched again", n.Load())
	}
}

// endless never ends; the hub has to stop.
type endless struct{ read *atomic.Int64 }

func (e endless) Read(p []byte) (int, error) {
	e.read.Add(int64(len(p)))
	return len(p), nil
}

func TestAttachmentsThatCannotBeFetched(t *testing.T) {
	t.Parallel()
	var read atomic.Int64
	cases := []struct {
		name, detail string
		tries        int64
		answer       func() (connector.Attachment, error)
	}{
		{"announced too large", "larger than 1000 bytes", 1, func() (connector.Attachment, error) {
			return connector.Attachment{Size: 1001, Body: io.NopCloser(strings.NewReader(""))}, nil
		}},
		{"too large all the same", "larger than 1000 bytes", 1, func() (connector.Attachment, error) {
			return connector.Attachment{Size: -1, Body: io.NopCloser(endless{&read})}, nil
		}},
		{"gone", "no such file", 1, func() (connector.Attachment, error) {
			return connector.Attachment{}, &connector.Error{Policy: connector.Rejected, Detail: "no such file"}
		}},
		{"torn again and again", "", 3, func() (connector.Attachment, error) {
			return connector.Attachment{Size: 100, Body: io.NopCloser(io.MultiReader(strings.NewReader("half"), torn{}))}, nil
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, n := depot(func(int, chat.Source) (connector.Attachment, error) { return c.answer() })
			w := newWorld(t, setup{lease: shortLease, limits: hub.Limits{Attachment: 1000, Attempts: 2}, platforms: []connector.Platform{s.platform("depot", connector.Traits{})}}).run()
			w.clock.hurry(t)
			conv, ids := w.attach(w.channel("depot", map[string]any{"token": "SECRETdepotTOKEN00001"}), "x")
			f := w.awaitFile(conv, ids[0])
			if f.Status != store.FileFailed || f.Detail == "" || !strings.Contains(f.Detail, c.detail) {
				t.Errorf("%+v", f)
			}
			if n.Load() != c.tries {
				t.Errorf("%d downloads, want %d", n.Load(), c.tries)
			}
			if _, _, err := w.OpenFile(t.Context(), ids[0], 0, -1); chat.CodeOf(err) != chat.CodeNotFound {
				t.Errorf("open: %v", err)
			}
			if _, _, err := w.blobs.Open(t.Context(), string(ids[0]), 0, -1); chat.CodeOf(err) != chat.CodeNotFound {
				t.Errorf("the blob: %v", err)
			}
		})
	}
	if read.Load() > 1<<16 {
		t.Errorf("%d bytes were read of an attachment that is too large", read.Load())
	}
}

type torn struct{}

func (torn) Read([]byte) (int, error) { return 0, errors.New("the connection broke") }

func TestAttachmentsOfAPlatformThatIsGone(t *testing.T) {
	t.Parallel()
	s, _ := depot(func(int, chat.Source) (connector.Attachment, error) { return bytesOf("x"), nil })
	before := newWorld(t, setup{platforms: []connector.Platform{s.platform("depot", connector.Traits{})}})
	conv, ids := before.attach(before.channel("depot", map[string]any{"token": "SECRETdepotTOKEN00001"}), "first", "second")
	before.close()
	w := before.again(setup{}).run() // a program without that connector
	for _, id := range ids {
		if f := w.awaitFile(conv, id); f.Status != store.FileFailed || !strings.Contains(f.Detail, "no such connector") {
			t.Errorf("%+v", f)
		}
	}
}

func TestErasedWhileItIsFetched(t *testing.T) {
	t.Parallel()
	asked, gate := make(chan struct{}), make(chan struct{})
	s, _ := depot(func(int, chat.Source) (connector.Attachment, error) {
		close(asked)
		<-gate
		return bytesOf("private"), nil
	})
	w := newWorld(t, setup{platforms: []connector.Platform{s.platform("depot", connector.Traits{})}}).run()
	ch := w.channel("depot", map[string]any{"token": "SECRETdepotTOKEN00001"})
	conv, ids := w.attach(ch, "x")
	hear(t, "the download", asked)
	c, err := w.store.Conversation(t.Context(), w.workspace, conv)
	if err != nil {
		t.Fatal(err)
	}
	erase := &store.Erase{Workspace: w.workspace, Contact: c.Contact.ID}
	if _, err := w.store.Append(t.Context(), erase); err != nil || len(erase.Files) != 1 {
		t.Fatal(erase.Files, err)
	}
	if err := w.Forget(t.Context(), erase.Files); err != nil {
		t.Fatal(err)
	}
	close(gate)
	w.stop() // the job under way ends
	if _, _, err := w.blobs.Open(t.Context(), string(ids[0]), 0, -1); chat.CodeOf(err) != chat.CodeNotFound {
		t.Errorf("the erased attachment: %v", err)
	}
}

func TestSignedLinks(t *testing.T) {
	t.Parallel()
	begun := time.Date(2026, 3, 1, 12, 7, 0, 0, time.UTC) // in the middle of a quarter of an hour
	w := newWorld(t, setup{clock: &clock{still: begun}, limits: hub.Limits{LinkAge: time.Hour}})
	link, err := url.Parse(w.FileLink("ws-1", "file-1"))
	if err != nil || link.Path != "/files/file-1" {
		t.Fatal(link, err)
	}
	w.clock.advance(time.Second)
	if w.FileLink("ws-1", "file-1") != link.String() {
		t.Error("links change at every look: browsers cannot cache")
	}
	good := link.Query()
	changed := url.Values{"sig": {good.Get("sig")[:len(good.Get("sig"))-2] + "AA"}}
	for name, c := range map[string]struct {
		id chat.FileID
		q  url.Values
		ok bool
	}{
		"good": {"file-1", good, true}, "another file": {"file-2", good, false}, "changed": {"file-1", changed, false}, "nothing": {"file-1", url.Values{}, false},
	} {
		if _, err := w.VerifyFileLink(c.id, c.q); (err == nil) != c.ok || err != nil && chat.CodeOf(err) != chat.CodeForbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.clock.advance(59 * time.Minute)
	if _, err := w.VerifyFileLink("file-1", good); err != nil {
		t.Errorf("after 59 minutes: %v", err)
	}
	w.clock.advance(17 * time.Minute)
	if _, err := w.VerifyFileLink("file-1", good); chat.CodeOf(err) != chat.CodeForbidden {
		t.Errorf("after 76 minutes: %v", err)
	}
	fresh, err := url.Parse(w.RenewFileLink("ws-1", "file-1", good))
	if err != nil || fresh.String() != w.FileLink("ws-1", "file-1") {
		t.Errorf("renewed: %v, %v", fresh, err)
	}
	if got := w.RenewFileLink("ws-2", "file-1", good) + w.RenewFileLink("ws-1", "file-2", good) + w.RenewFileLink("ws-1", "file-1", changed); got != "" {
		t.Errorf("what never was a link is renewed: %s", got)
	}
}

func TestUploads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{limits: hub.Limits{Attachment: 100}})
	f, err := w.Upload(t.Context(), w.workspace, "note.txt", "text/plain; charset=utf-8", strings.NewReader("hello"))
	if err != nil || f.Size != 5 || f.Status != store.FileStored || len(f.SHA256) != 64 {
		t.Fatalf("%+v, %v", f, err)
	}
	if odd, err := w.Upload(t.Context(), w.workspace, "x", "no type at all;;", strings.NewReader("x")); err != nil || odd.MIME != "application/octet-stream" {
		t.Errorf("%+v, %v", odd, err)
	}
	for name, want := range map[string]chat.Code{"../etc": chat.CodeInvalid, "a\nb": chat.CodeInvalid, strings.Repeat("n", 201): chat.CodeInvalid} {
		if _, err := w.Upload(t.Context(), w.workspace, name, "text/plain", strings.NewReader("x")); chat.CodeOf(err) != want {
			t.Errorf("%.20q: %v", name, err)
		}
	}
	if _, err := w.Upload(t.Context(), w.workspace, "big", "text/plain", strings.NewReader(strings.Repeat("x", 101))); chat.CodeOf(err) != chat.CodeTooLarge {
		t.Errorf("too large: %v", err)
	}
	if err := w.Forget(t.Context(), []chat.FileID{f.ID, "never-there"}); err != nil {
		t.Error(err)
	}
	if _, _, err := w.OpenFile(t.Context(), f.ID, 0, -1); chat.CodeOf(err) != chat.CodeNotFound {
		t.Errorf("forgotten: %v", err)
	}
}

func TestStoredFilesGoOut(t *testing.T) {
	t.Parallel()
	api := newBotAPI(t, nil)
	w := newWorld(t, setup{public: "https://hub.example/"}).run()
	conv := w.meet(w.channel("telegram", api.bot()), "100")
	upload := func(size int) chat.FileID {
		t.Helper()
		f, err := w.Upload(t.Context(), w.workspace, "p.jpg", "image/jpeg", strings.NewReader(strings.Repeat("x", size)))
		if err != nil {
			t.Fatal(err)
		}
		return f.ID
	}
	image := func(id chat.FileID) chat.Message { // size and type are the store's to know
		return chat.Message{Stack: []chat.Element{chat.NewElement(chat.Image, chat.Media{File: id, Caption: "see"})}}
	}
	small, big := upload(2000), upload(11<<20)
	w.awaitStatus(conv, w.post(conv, image(small)), chat.Sent)
	w.awaitStatus(conv, w.post(conv, image(big)), chat.Sent)
	w.awaitStatus(conv, w.post(conv, image("never-there")), chat.Sent)
	var sent []botCall
	for _, c := range api.all() {
		if strings.HasPrefix(c.method, "send") && c.method != "sendChatAction" {
			sent = append(sent, c)
		}
	}
	if len(sent) != 3 {
		t.Fatalf("%d requests", len(sent))
	}
	if c := sent[0]; c.method != "sendPhoto" || len(c.files) != 1 || c.params["caption"] != "see" {
		t.Errorf("the small one: %s %v with %d files", c.method, c.params, len(c.files))
	}
	for _, body := range sent[0].files {
		if body != strings.Repeat("x", 2000) {
			t.Errorf("%d bytes were uploaded", len(body))
		}
	}
	if c := sent[1]; c.method == "sendPhoto" || c.method == "sendMessage" && !strings.Contains(c.text(), "https://hub.example/files/"+string(big)+"?sig=") {
		t.Errorf("the big one: %s %v", c.method, c.params)
	}
	if c := sent[2]; c.method != "sendMessage" || c.text() != "see" {
		t.Errorf("the missing one: %s %v", c.method, c.params)
	}
}

func TestTelegramFiles(t *testing.T) {
	t.Parallel()
	const body = "the bytes of a photo"
	api := newBotAPI(t, func(c botCall, w http.ResponseWriter, _ *http.Request) bool {
		switch c.method {
		case "getFile":
			reply(w, 200, map[string]any{"ok": true, "result": map[string]any{"file_id": c.params["file_id"], "file_path": "photos/file_1.jpg"}})
		case "file":
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			_, _ = io.WriteString(w, body)
		default:
			return false
		}
		return true
	})
	w := newWorld(t, setup{}).run()
	ch := w.channel("telegram", api.bot())
	u := said(1, 7, "")
	m := u["message"].(map[string]any)
	delete(m, "text")
	m["photo"] = []any{map[string]any{"file_id": "AAA", "file_unique_id": "A", "width": 90, "height": 90, "file_size": len(body)}}
	if _, err := w.Receive(t.Context(), ch, update(hook, u)); err != nil {
		t.Fatal(err)
	}
	e := w.all(chat.KindMessage)[0]
	var p chat.Media
	if err := e.Message.Stack[0].Into(&p); err != nil || p.File == "" || p.Source != nil {
		t.Fatalf("%s %v", e.Message.Stack[0].Payload, err)
	}
	f := w.awaitFile(e.Conversation, p.File)
	if f.Status != store.FileStored || f.MIME != "image/jpeg" || f.Size != int64(len(body)) {
		t.Errorf("%+v", f)
	}
}
