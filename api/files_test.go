package api_test

import (
	"bytes"
	"mime/multipart"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/store"
)

func TestFiles(t *testing.T) {
	w := newWorld(t)
	_, conversation := w.talk("admin")
	up := w.ok("POST", "/v1/files?name=caf%C3%A9%22.png", "write", "0123456789", "Content-Type: image/png")
	id, link := up.at(t, "id"), up.at(t, "url")
	if up.status != 201 || up.at(t, "size") != "10" || up.at(t, "mime") != "image/png" || !strings.HasPrefix(link, "https://hub.example/files/"+id+"?") {
		t.Fatal(up)
	}
	path := strings.TrimPrefix(link, "https://hub.example")
	got := w.ok("GET", path, "", "")
	for name, want := range map[string]string{
		"Content-Type": "image/png", "Content-Disposition": "inline; filename*=utf-8''caf%C3%A9%22.png", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'", "Accept-Ranges": "bytes", "Content-Length": "10",
	} {
		if got.header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.header.Get(name), want)
		}
	}
	if got.body != "0123456789" {
		t.Error(got.body)
	}
	for _, c := range []struct {
		name, header, body string
		status             int
	}{
		{"range", "Range: bytes=2-4", "234", 206},
		{"end", "Range: bytes=-3", "789", 206},
		{"open range", "Range: bytes=8-", "89", 206},
		{"beyond", "Range: bytes=20-", "", 416},
		{"known", "If-None-Match: " + got.header.Get("ETag"), "", 304},
	} {
		if got := w.call("GET", path, "", "", c.header); got.status != c.status || c.body != "" && got.body != c.body {
			t.Errorf("%s: %d %q", c.name, got.status, got.body)
		}
	}
	if got := w.call("HEAD", path, "", ""); got.status != 200 || got.body != "" || got.header.Get("Content-Length") != "10" {
		t.Errorf("HEAD: %v", got)
	}
	for _, bad := range []string{"/files/" + id, path + "x", strings.Replace(path, id, "other", 1)} {
		if got := w.call("GET", bad, "admin", ""); got.status != 403 {
			t.Errorf("%s: %d", bad, got.status)
		}
	}

	sent := w.ok("POST", "/v1/conversations/"+conversation+"/messages", "write",
		`{"stack":[{"type":"image","payload":{"file":"`+id+`"}},{"type":"carousel","payload":{"cards":[{"title":"t","file":"`+id+`"}]}}]}`)
	for _, path := range [][]any{{"message", "stack", 0, "payload", "url"}, {"message", "stack", 1, "payload", "cards", 0, "image"}} {
		if url := sent.at(t, path...); !strings.HasPrefix(url, "https://hub.example/files/"+id+"?") {
			t.Errorf("%v: %s", path, url)
		}
	}
	events := w.ok("GET", "/v1/conversations/"+conversation+"/events?after=3", "read", "")
	w.ok("GET", strings.TrimPrefix(events.at(t, "items", 0, "message", "stack", 0, "payload", "url"), "https://hub.example"), "", "")
	stored, err := w.store.Events(t.Context(), w.ws, conversationID(conversation), 3, 1)
	w.must(err)
	if strings.Contains(string(stored[0].Message.Stack[0].Payload), "sig=") {
		t.Error("a link was stored")
	}

	w.pass(3 * time.Hour)
	if got := w.call("GET", path, "", ""); got.status != 403 {
		t.Errorf("an old link: %d", got.status)
	}
}

func TestDangerousFiles(t *testing.T) {
	w := newWorld(t)
	for mime, want := range map[string]string{
		"text/html": "attachment", "image/svg+xml": "attachment", "application/pdf": "attachment", "text/plain": "inline", "nonsense": "attachment", "": "attachment",
	} {
		up := w.ok("POST", "/v1/files?name=x", "write", "<script>", "Content-Type: "+mime)
		got := w.ok("GET", strings.TrimPrefix(up.at(t, "url"), "https://hub.example"), "", "")
		if how := got.header.Get("Content-Disposition"); !strings.HasPrefix(how, want) || !strings.Contains(got.header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s: %s", mime, how)
		}
	}
	big := strings.Repeat("x", 1<<20+1)
	if got := w.call("POST", "/v1/files?name=x", "write", big, "Content-Type: text/plain"); got.status != 413 {
		t.Errorf("too large: %d %s", got.status, got.body)
	}
	if got := w.call("POST", "/v1/files?name=a%2Fb", "write", "x", "Content-Type: text/plain"); got.status != 422 {
		t.Errorf("a path as name: %d", got.status)
	}
}

func TestForms(t *testing.T) {
	w := newWorld(t)
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	w.must(form.WriteField("comment", "first"))
	part, err := form.CreateFormFile("file", "a.txt")
	w.must(err)
	_, err = part.Write([]byte("from a form"))
	w.must(err)
	w.must(form.Close())
	whole := b.String()
	header := "Content-Type: " + form.FormDataContentType()
	up := w.ok("POST", "/v1/files", "write", whole, header)
	if up.at(t, "name") != "a.txt" || up.at(t, "size") != "11" {
		t.Error(up.body)
	}
	for body, status := range map[string]int{whole[:len(whole)-60]: 400, "": 422, "garbage": 422} {
		if got := w.call("POST", "/v1/files", "write", body, header); got.status != status {
			t.Errorf("%q: %d %s", body, got.status, got.body)
		}
	}
	key := "Idempotency-Key: up"
	first := w.ok("POST", "/v1/files?name=a", "write", "one", "Content-Type: text/plain", key)
	again := w.ok("POST", "/v1/files?name=a", "write", "one", "Content-Type: text/plain", key)
	if first.body != again.body || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%s\n%s", first.body, again.body)
	}
	if got := w.call("POST", "/v1/files?name=a", "write", "two", "Content-Type: text/plain", key); got.status != 422 || got.at(t, "code") != "idempotency_mismatch" {
		t.Errorf("other bytes: %d %s", got.status, got.body)
	}
}

// TestErasedFiles: with the contact its attachments go.
func TestErasedFiles(t *testing.T) {
	w := newWorld(t)
	_, conversation := w.talk("admin")
	body, err := w.hub.Upload(t.Context(), w.ws, "x", "text/plain", strings.NewReader("personal"))
	w.must(err)
	// as an attachment that came in: its row names the conversation
	f, err := w.store.AddFile(t.Context(), store.File{
		ID: body.ID + "-in", Workspace: w.ws, Conversation: conversationID(conversation), Status: store.FileStored, Name: "x", MIME: "text/plain", Size: 8,
	})
	w.must(err)
	contact := w.ok("GET", "/v1/contacts", "read", "").at(t, "items", 0, "id")
	w.ok("DELETE", "/v1/contacts/"+contact, "write", "")
	if _, err := w.store.File(t.Context(), f.ID); err == nil {
		t.Error("the file is still there")
	}
	if got := w.ok("GET", "/v1/conversations/"+conversation+"/events", "read", ""); strings.Contains(got.body, "hello") {
		t.Error("the message is still there:", got.body)
	}
}
