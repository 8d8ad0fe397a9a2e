//go:build unix

package pgtest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Server is one private PostgreSQL: fsync on, as in earnest, and reachable on loopback only.
type Server struct {
	dir      string // holds data, password and log; removed at the end
	bin      string
	port     int
	password string
	cred     *syscall.Credential // nil: run as ourselves
	leash    io.Closer           // the watchdog ends everything when this closes

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed when cmd has ended
}

// launch makes a fresh server and starts it.
func launch() (_ *Server, err error) {
	s := &Server{password: rand.Text()}
	if s.bin, err = binaries(); err != nil {
		return nil, err
	}
	if s.cred, err = unprivileged(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "dragoman-pg-"); err != nil {
		return nil, err
	}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	for range 5 { // another process may take the port between the choice and the start
		if s.port, err = freePort(); err != nil {
			break
		}
		if err = s.start(); err == nil {
			return s, nil
		}
	}
	s.remove()
	return nil, err
}

// prepare makes the data folder and ties it to a watchdog.
func (s *Server) prepare() error {
	pw := filepath.Join(s.dir, "password")
	if err := os.WriteFile(pw, []byte(s.password), 0o600); err != nil {
		return err
	}
	if s.cred != nil {
		for _, p := range []string{s.dir, pw} {
			if err := os.Chown(p, int(s.cred.Uid), int(s.cred.Gid)); err != nil {
				return err
			}
		}
	}
	cmd := s.command(filepath.Join(s.bin, "initdb"), "-D", s.data(), "-U", "dragoman", "--pwfile", pw,
		"-A", "md5", "-E", "UTF8", "--no-locale", "--lc-ctype=C.UTF-8", "--no-sync")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return s.watch()
}

// watchdog waits until its input closes, which also a killed test process does; then it ends the server and
// removes the files. A server that init has not reaped yet still has a process, hence the bound.
const watchdog = `read -r _
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
n=0
[ -n "$pid" ] && kill -QUIT "$pid" 2>/dev/null
while [ -n "$pid" ] && [ -e "$1/data/postmaster.pid" ] && kill -0 "$pid" 2>/dev/null && [ $n -lt 50 ]; do
	n=$((n+1)); sleep 0.1
done
rm -rf "$1"`

func (s *Server) watch() error {
	cmd := s.command("/bin/sh", "-c", watchdog, "dragoman-pg-watchdog", s.dir)
	leash, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("watchdog: %w", err)
	}
	s.leash = leash
	return nil
}

// command prepares a program as the unprivileged user. It gets a process group of its own, so that an interrupt
// at the terminal reaches the test first, and no output of ours, which would keep `go test` waiting.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: s.cred}
	return cmd
}

func (s *Server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		return errors.New("it runs already")
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() //nolint:errcheck // the server writes to it, not we
	cmd := s.command(filepath.Join(s.bin, "postgres"), "-D", s.data(), "-p", strconv.Itoa(s.port), "-h", "127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "max_connections=200", "-c", "shared_buffers=64MB")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd, s.done = cmd, make(chan struct{})
	go func(done chan struct{}) {
		cmd.Wait() //nolint:errcheck // how it ended does not matter: ready looks at done
		close(done)
	}(s.done)
	if err := s.ready(); err != nil {
		return errors.Join(err, s.kill())
	}
	return nil
}

// ready waits until the server writes "ready" into its pid file (the word is PostgreSQL's own interface to
// pg_ctl), or has ended.
func (s *Server) ready() error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-s.done:
			return fmt.Errorf("the server ended at once:\n%s", s.logTail())
		case <-deadline.C:
			return fmt.Errorf("not ready after %s:\n%s", patience, s.logTail())
		case <-tick.C:
			if s.isReady() {
				return nil
			}
		}
	}
}

// stop is idempotent.
func (s *Server) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kill()
}

func (s *Server) kill() error {
	if s.cmd == nil {
		return nil
	}
	cmd, done := s.cmd, s.done
	s.cmd = nil
	if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-done:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("it did not end in %s", patience)
	}
}

func (s *Server) running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd != nil
}

// remove ends the server and lets the watchdog clean up.
func (s *Server) remove() {
	s.stop()        //nolint:errcheck // the watchdog tries again
	s.leash.Close() //nolint:errcheck // a watchdog that has gone already is no matter
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) url(database string) string {
	return fmt.Sprintf("postgres://dragoman:%s@127.0.0.1:%d/%s?sslmode=disable", s.password, s.port, database)
}

// freePort finds a port below those that the system gives to connections: of these any may be taken while the server is stopped.
func freePort() (int, error) {
	for {
		n, err := rand.Int(rand.Reader, big.NewInt(20_000))
		if err != nil {
			return 0, err
		}
		port := 10_000 + int(n.Int64())
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
		switch {
		case err == nil:
			return port, l.Close()
		case !errors.Is(err, syscall.EADDRINUSE):
			return 0, err
		}
	}
}
