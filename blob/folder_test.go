package blob

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func folder(t *testing.T) (*Folder, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "files")
	s, err := Dir(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, dir
}

func TestFolder(t *testing.T) {
	s, dir := folder(t)
	examine(t, s, func(t *testing.T) int {
		n := 0
		if err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				n++
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return n
	})
}

func TestFolderIsForItsOwner(t *testing.T) {
	s, dir := folder(t)
	if _, err := s.Put(t.Context(), "a/b", strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "a", "a/b"} {
		st, err := os.Stat(filepath.Join(dir, name))
		if err != nil || st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%q: mode %v, %v", name, st.Mode(), err)
		}
	}
}

func TestLinksDoNotLeadOutside(t *testing.T) {
	s, dir := folder(t)
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if r, _, err := s.Open(t.Context(), "link/secret", 0, -1); err == nil {
		r.Close()
		t.Error("read outside of the folder")
	}
	if _, err := s.Put(t.Context(), "link/new", strings.NewReader("x"), 1); err == nil {
		t.Error("wrote outside of the folder")
	}
	if list, err := os.ReadDir(outside); err != nil || len(list) != 1 {
		t.Errorf("outside: %v, %v", list, err)
	}
}

func TestSweepRemovesWhatCrashesLeft(t *testing.T) {
	s, dir := folder(t)
	start := time.Now()
	for name, age := range map[string]time.Duration{"old": 25 * time.Hour, "new": time.Hour} {
		path := filepath.Join(dir, partial, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, start, start.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Sweep(start.Add(-24 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	if list, err := os.ReadDir(filepath.Join(dir, partial)); err != nil || len(list) != 1 || list[0].Name() != "new" {
		t.Errorf("left: %v, %v", list, err)
	}
}
