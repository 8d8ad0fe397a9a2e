package widget

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxDownload is how many conversations are downloaded at once.
const maxDownload = 50

// download writes one conversation as a text, several as an archive of texts.
func (s *Server) download(w http.ResponseWriter, r *http.Request) error {
	ids := strings.Split(r.PathValue("id"), ",")
	if len(ids) > maxDownload {
		return problem(http.StatusBadRequest, "at most 50 conversations")
	}
	names, texts := make([]string, len(ids)), make([]string, len(ids))
	for i, id := range ids {
		t, err := s.thread(r, id)
		if err != nil {
			return err
		}
		chain, err := s.chain(r, t)
		if err != nil {
			return err
		}
		names[i], texts[i] = fileName(t.view().Name)+".txt", transcript(chain)
	}
	name, kind, content := names[0], "text/plain", []byte(texts[0])
	if len(ids) > 1 {
		var err error
		name, kind = s.Now().UTC().Format("2006-01-02_15-04-05")+".zip", "application/x-zip-compressed"
		if content, err = archive(names, texts, s.Now()); err != nil {
			return err
		}
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", disposition(name))
	_, _ = w.Write(content) // the caller may have gone
	return nil
}

// fileName is a name that every file system takes.
// disposition offers a file under a name. The widget takes what stands between the first "=" and the next ";" for it, so that a plain one
// comes first; others read the second.
func disposition(name string) string {
	plain := strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || strings.ContainsRune(`;="\`, r) {
			return '_'
		}
		return r
	}, name)
	h := `attachment; filename="` + plain + `"`
	if plain != name {
		h += "; filename*=utf-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	}
	return h
}

func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, name)
	return strings.Trim(plainName(name), ". ")
}

func archive(names, texts []string, now time.Time) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, name := range names {
		f, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("%d_%s", i+1, name), Method: zip.Deflate, Modified: now})
		if err != nil {
			return nil, err
		}
		if _, err := f.Write([]byte(texts[i])); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return b.Bytes(), err
}
