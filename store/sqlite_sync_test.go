package store

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// heldDisk lets each fsync wait until it is allowed.
type heldDisk struct {
	asked chan struct{}
	allow chan error
}

func holdDisk(s *Store) heldDisk {
	d := heldDisk{make(chan struct{}, 100), make(chan error)}
	disk := s.engine.(*sqliteEngine).disk
	fsync := disk.fsync
	disk.fsync = func() error {
		d.asked <- struct{}{}
		if err := <-d.allow; err != nil {
			return err
		}
		return fsync()
	}
	return d
}

// Nobody is answered, and nobody reads what was written, before it is synced; meanwhile the next ones are committed.
func TestNothingIsToldBeforeItIsOnDisk(t *testing.T) {
	s, ch := oneChannel(t, filepath.Join(t.TempDir(), "db"))
	ctx := t.Context()
	w := onlyWorkspace(t, s)
	disk := holdDisk(s)
	news := s.heads.listen("")
	defer news.stop()

	answers := make(chan error, 3)
	say := func(i int) {
		go func() {
			_, err := s.Append(ctx, said(ch, 1, i))
			answers <- err
		}()
	}
	say(1)
	<-disk.asked
	say(2) // is committed while the first is synced
	visible(t, s, 4)
	read := make(chan int, 1)
	go func() {
		events, _, err := s.Log(ctx, w.ID, 0, 10, LogFilter{})
		if err != nil {
			t.Error(err)
		}
		read <- len(events)
	}()
	if len(answers) != 0 || len(read) != 0 || len(news.bell) != 0 {
		t.Fatalf("told before the sync: %d answers, %d readers, %d listeners", len(answers), len(read), len(news.bell))
	}
	disk.allow <- nil
	if err := <-answers; err != nil {
		t.Fatal(err)
	}
	<-news.bell
	<-disk.asked // one for the second message and the reader
	if len(answers) != 0 || len(read) != 0 {
		t.Fatal("told before the second sync")
	}
	close(disk.allow)
	if err := <-answers; err != nil {
		t.Fatal(err)
	}
	if n := <-read; n != 4 { // opened, queued, and two messages
		t.Fatalf("%d events", n)
	}
}

// visible waits until the log has so many positions for whoever reads the file itself.
func visible(t *testing.T, s *Store, head int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for found := 0; found < head; {
		if err := s.engine.reader().QueryRowContext(ctx, "SELECT MAX(head) FROM workspaces").Scan(&found); err != nil {
			t.Fatal(err)
		}
	}
}

func onlyWorkspace(t *testing.T, s *Store) Workspace {
	t.Helper()
	list, err := s.Workspaces(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	return list[0]
}

// After an fsync that failed nothing more is stored or told, for a later one would prove nothing; who opens the database anew goes on.
func TestADiskThatFailsEndsTheStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s, ch := oneChannel(t, path)
	if _, err := s.Append(t.Context(), said(ch, 1, 1)); err != nil {
		t.Fatal(err)
	}
	w := onlyWorkspace(t, s)
	disk := holdDisk(s)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() { unavailableOnly(t, s, said(ch, i, 2)) })
	}
	<-disk.asked
	disk.allow <- errors.New("no more")
	all.Wait()
	unavailableOnly(t, s, said(ch, 1, 3))
	if _, _, err := s.Log(t.Context(), w.ID, 0, 10, LogFilter{}); chat.CodeOf(err) != chat.CodeUnavailable {
		t.Errorf("reading: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Options{DSN: path})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range 8 { // the platform sends again what was not answered
		if _, err := s.Append(t.Context(), said(ch, i, 2)); err != nil {
			t.Fatal(err)
		}
	}
	events, _, err := s.Log(t.Context(), w.ID, 0, 100, LogFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range events {
		if e.Pos != int64(i+1) {
			t.Fatalf("position %d at %d", e.Pos, i+1)
		}
	}
}

func unavailableOnly(t *testing.T, s *Store, cmd Command) {
	t.Helper()
	if _, err := s.Append(context.WithoutCancel(t.Context()), cmd); chat.CodeOf(err) != chat.CodeUnavailable {
		t.Errorf("a disk that fails: %v", err)
	}
}
