package telegram

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

const testToken = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"

// newTestBot talks to a server that stands for Telegram.
func newTestBot(t *testing.T, handle http.HandlerFunc) *bot {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	return &bot{
		base: base, token: testToken, self: 110201543,
		env: connector.Env{
			HTTP: server.Client(), Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Unix(1767323045, 0) },
		},
	}
}

// stored is a file that counts how often it was closed.
type stored struct {
	io.Reader
	closed atomic.Int32
}

func (s *stored) Close() error {
	s.closed.Add(1)
	return nil
}

func filePart(size int64, open func(context.Context) (io.ReadCloser, error)) connector.Part {
	return connector.Part{
		Thread:   chat.Thread{Address: "7100000002"},
		Elements: []chat.Element{chat.NewElement(chat.File, chat.Media{File: "f1"})},
		Media:    map[chat.FileID]connector.Media{"f1": {Name: "a.bin", Size: size, Open: open}},
	}
}

// TestUploadStreams: the second half of the file is there only after the server has read the first one.
func TestUploadStreams(t *testing.T) {
	const first, second = "first half", "second half"
	arrived := make(chan struct{})
	b := newTestBot(t, func(w http.ResponseWriter, r *http.Request) {
		form, err := r.MultipartReader()
		if err != nil {
			t.Error(err)
			return
		}
		for {
			field, err := form.NextPart()
			if err != nil {
				break
			}
			if field.FormName() != "document" {
				continue
			}
			head := make([]byte, len(first))
			if _, err := io.ReadFull(field, head); err != nil || string(head) != first {
				t.Errorf("the first half is %q, %v", head, err)
			}
			close(arrived)
			if rest, err := io.ReadAll(field); err != nil || string(rest) != second {
				t.Errorf("the second half is %q, %v", rest, err)
			}
		}
		_, _ = io.WriteString(w, `{"ok":true,"result":{"message_id":5,"chat":{"id":7100000002}}}`)
	})
	read, write := io.Pipe()
	go func() {
		_, _ = io.WriteString(write, first)
		<-arrived
		_, _ = io.WriteString(write, second)
		_ = write.Close()
	}()
	file := &stored{Reader: read}
	sent, err := b.Send(t.Context(), filePart(-1, func(context.Context) (io.ReadCloser, error) { return file, nil }))
	if err != nil || sent.ID != "7100000002:5" {
		t.Fatalf("got %+v, %v", sent, err)
	}
	if file.closed.Load() == 0 {
		t.Error("the file was not closed")
	}
}

// TestUploadLength: with known sizes the request says how long it is.
func TestUploadLength(t *testing.T) {
	b := newTestBot(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.ContentLength != int64(len(body)) {
			t.Errorf("Content-Length %d, body %d, %v", r.ContentLength, len(body), err)
		}
		_, _ = io.WriteString(w, `{"ok":true,"result":{"message_id":5,"chat":{"id":7100000002}}}`)
	})
	content := strings.Repeat("x", 100_000)
	part := filePart(int64(len(content)), func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(content)), nil
	})
	if _, err := b.Send(t.Context(), part); err != nil {
		t.Fatal(err)
	}
}

// TestUploadOfBrokenFile: a form that stops in its middle is surely not carried out, so the hub may repeat it.
func TestUploadOfBrokenFile(t *testing.T) {
	b := newTestBot(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	cases := map[string]func(context.Context) (io.ReadCloser, error){
		"cannot be opened": func(context.Context) (io.ReadCloser, error) { return nil, errors.New("no such blob") },
		"breaks off": func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader(strings.Repeat("x", 100_000)), broken{})), nil
		},
	}
	for name, open := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := b.Send(t.Context(), filePart(200_000, open))
			if e := connector.AsError(err); e.Policy != connector.Retry || e.Code != "file_unreadable" {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), testToken) {
				t.Error("the error shows the token")
			}
		})
	}
}

type broken struct{}

// Read fails as a disk would.
func (broken) Read([]byte) (int, error) { return 0, errors.New("disk gone") }

func TestSafeName(t *testing.T) {
	for name, want := range map[string]string{
		"März 2026.pdf": "März 2026.pdf", "a\"b\\c/d.pdf": "a_b_c_d.pdf", "x\r\nContent-Type: y": "x__Content-Type: y",
	} {
		if got := safeName(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
