//go:build unix

package store_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

// again prepares this test binary to run one test as another process; name=value tells it what for.
func again(tb testing.TB, test, setting string) *exec.Cmd {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), setting)
	return cmd
}

func spawn(tb testing.TB, dsn string) (<-chan string, func()) {
	tb.Helper()
	cmd := again(tb, "TestVictim", "STORE_VICTIM="+dsn)
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	lines, ended := make(chan string, 10000), make(chan struct{})
	go func() {
		defer close(ended)
		defer close(lines)
		for sc := bufio.NewScanner(out); sc.Scan(); {
			if strings.HasPrefix(sc.Text(), "sent ") {
				lines <- sc.Text()
			}
		}
	}()
	var once sync.Once
	kill := func() {
		once.Do(func() {
			cmd.Process.Kill() //nolint:errcheck // it may have ended
			<-ended
			cmd.Wait() //nolint:errcheck // it was killed
		})
	}
	tb.Cleanup(kill)
	return lines, kill
}

// TestVictim is the other process of "killed again and again"; by itself it does nothing.
func TestVictim(t *testing.T) {
	if dsn := os.Getenv("STORE_VICTIM"); dsn != "" {
		storetest.Victim(t, dsn, os.Stdout)
	}
}

// TestDiskFull runs in a process of its own, for the limit of file sizes that stands for a full disk holds for a whole process.
func TestDiskFull(t *testing.T) {
	if path := os.Getenv("STORE_FULL"); path != "" {
		fillDisk(t, path)
		return
	}
	t.Parallel()
	out, err := again(t, "TestDiskFull", "STORE_FULL="+filepath.Join(t.TempDir(), "d.db")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// limitFiles lets no file grow beyond a size; 0 takes the limit away.
func limitFiles(t *testing.T, size uint64) {
	t.Helper()
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
		t.Fatal(err)
	}
	if l.Cur = l.Max; size != 0 {
		l.Cur = size
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
		t.Fatal(err)
	}
}

func fillDisk(t *testing.T, path string) {
	signal.Ignore(syscall.SIGXFSZ) // the write fails instead
	s := open(t, path)
	ctx := t.Context()
	w, err := s.AddWorkspace(ctx, "", "w")
	if err != nil {
		t.Fatal(err)
	}
	ch, err := s.AddChannel(ctx, store.Channel{Workspace: w.ID})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	receive := func() error {
		n++
		m := chat.TextMessage(strings.Repeat("words ", 2000))
		_, err := s.Append(ctx, &store.Receive{Channel: ch.ID, In: chat.Incoming{
			Key: fmt.Sprint(n), Kind: chat.KindMessage, Thread: chat.Thread{Address: "a"}, Sender: chat.Person{Address: "a"}, Message: &m,
		}})
		return err
	}
	if err := receive(); err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		limitFiles(t, uint64(max(info.Size(), 0))+100<<10)
		stored := 0
		for err = receive(); err == nil; err = receive() {
			if stored++; stored > 1000 {
				t.Fatal("the disk is never full")
			}
		}
		if chat.CodeOf(err) != chat.CodeUnavailable {
			t.Fatalf("a full disk: %v", err)
		}
		before, err := s.Workspace(ctx, w.ID)
		if err != nil {
			t.Fatalf("reading from a full disk: %v", err)
		}
		for range 5 { // and it stays so
			if err := receive(); chat.CodeOf(err) != chat.CodeUnavailable {
				t.Fatalf("a full disk: %v", err)
			}
		}
		limitFiles(t, 0)
		if err := receive(); err != nil {
			t.Fatalf("round %d, when there is room again: %v", round, err)
		}
		after, err := s.Workspace(ctx, w.ID)
		if err != nil || after.Head != before.Head+1 {
			t.Fatalf("head %d after %d: %v", after.Head, before.Head, err)
		}
	}
	events, _, err := s.Log(ctx, w.ID, 0, 10000, store.LogFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range events {
		if e.Pos != int64(i+1) {
			t.Fatalf("position %d at %d", e.Pos, i+1)
		}
	}
}
