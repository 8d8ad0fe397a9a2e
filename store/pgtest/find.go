//go:build unix

package pgtest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// errMissing tells a developer what to do.
var errMissing = errors.New("no PostgreSQL server on this machine: `make needs` installs it " +
	"(looked for initdb and postgres in PATH and in /usr/lib/postgresql/*/bin)")

// places are where distributions put the server's programs, which are often not in PATH.
var places = []string{
	"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/libexec/postgresql*",
	"/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin",
}

// binaries finds the folder that holds both programs; of several versions the one whose name sorts last.
func binaries() (string, error) {
	for _, p := range places {
		dirs, err := filepath.Glob(p)
		if err != nil {
			return "", err
		}
		for i := len(dirs) - 1; i >= 0; i-- {
			if hasServer(dirs[i]) {
				return dirs[i], nil
			}
		}
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errMissing
	}
	if path, err = filepath.EvalSymlinks(path); err != nil || !hasServer(filepath.Dir(path)) {
		return "", errMissing
	}
	return filepath.Dir(path), nil
}

func hasServer(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// unprivileged is whom the server runs as: PostgreSQL refuses to run as root.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("running as root, and there is neither a user postgres nor nobody to run the server as")
}

// isReady reads line 8 of postmaster.pid, where the server tells its state. A file left by a crash names another
// process in line 1.
func (s *Server) isReady() bool {
	raw, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return false
	}
	lines := strings.Split(string(raw), "\n")
	return len(lines) >= 8 && lines[0] == strconv.Itoa(s.cmd.Process.Pid) && strings.TrimSpace(lines[7]) == "ready"
}

// logTail is the end of the server's log, for errors.
func (s *Server) logTail() []byte {
	raw, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return []byte(err.Error())
	}
	lines := bytes.Split(raw, []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-12):], []byte("\n"))
}
