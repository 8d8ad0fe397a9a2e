package main

import (
	"encoding/base64"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What cannot be understood ends with 2 and the usage; what cannot work ends with 1 and words that say what to do. Neither makes
// anything.
func TestBadSettings(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	file := writeFile(t, "a-file", "")
	for name, x := range map[string]struct {
		args   []string
		env    string
		status int
		wants  []string
	}{
		"unknown flag":      {args: []string{"--bogus"}, status: 2, wants: []string{"--bogus"}},
		"no number":         {args: []string{"--rate", "fast"}, status: 2, wants: []string{"--rate"}},
		"no number in env":  {env: "DRAGOMAN_RATE=fast", status: 2, wants: []string{"DRAGOMAN_RATE"}},
		"log level":         {args: []string{"--log-level", "loud"}, status: 2, wants: []string{"debug", "error"}},
		"no file":           {args: []string{"--config", filepath.Join(file, "none")}, status: 2, wants: []string{"none"}},
		"database":          {args: []string{"--database", "mysql://x"}, status: 1, wants: []string{"postgres://user:password@host/name"}},
		"database away":     {args: []string{"--database", "postgres://u:hunter2@127.0.0.1:1/x"}, status: 1, wants: []string{"is PostgreSQL running"}},
		"public address":    {args: []string{"--public-url", "hub"}, status: 1, wants: []string{"https://hub.example.com"}},
		"key":               {args: []string{"--key", "abc"}, status: 1, wants: []string{"openssl rand -base64 32"}},
		"admin token":       {env: "DRAGOMAN_ADMIN_TOKEN=short", status: 1, wants: []string{"20 characters"}},
		"rate":              {args: []string{"--rate", "0"}, status: 1, wants: []string{"more than 0"}},
		"metrics token":     {args: []string{"--metrics-token", "short"}, status: 1, wants: []string{"--metrics-token", "20"}},
		"NATS":              {args: []string{"--nats", "somewhere"}, status: 1, wants: []string{"nats://host:port"}},
		"OTLP":              {args: []string{"--otlp", "somewhere"}, status: 1, wants: []string{"http://host:4318"}},
		"bucket":            {args: []string{"--s3-endpoint", "https://s3.example"}, status: 1, wants: []string{"--s3-bucket"}},
		"no port":           {args: []string{"--listen", "nowhere"}, status: 1, wants: []string{"127.0.0.1:8080"}},
		"port in use":       {args: []string{"--listen", busy.Addr().String()}, status: 1, wants: []string{"is another hub running?", "--listen"}},
		"data under a file": {args: []string{"--data", filepath.Join(file, "data")}, status: 1, wants: []string{"not a directory"}},
	} {
		t.Run(name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			var env []string
			if x.env != "" {
				env = append(env, x.env)
			}
			f := spawn(t, env, append([]string{"serve", "--data", data, "--listen", "127.0.0.1:0"}, x.args...)...)
			f.bad(t, x.status, x.wants...)
			if strings.Contains(f.err+f.out, "hunter2") {
				t.Errorf("a password is shown: %s", f.err)
			}
			if _, err := os.Stat(filepath.Join(data, noteFile)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("something was made: %v", err)
			}
		})
	}
	dragoman(t, "", "fly").bad(t, 2, "fly")
	dragoman(t, "").bad(t, 2, "serve")
	dragoman(t, "", "--help").good(t, "serve", "channel", "say", "doctor")
	dragoman(t, "", "serve", "--help").good(t, "--listen", "DRAGOMAN_LISTEN", "--config")
	dragoman(t, "", "version").good(t, "dragoman ", "go1.")
}

// TestPrecedence: flags stand over the environment, the environment over the file.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	data, flag, env, file := t.TempDir(), freePort(t), freePort(t), freePort(t)
	config := writeFile(t, "hub.json", `{"listen":"`+file+`","data":"`+data+`","allow_private":true,"log-level":"warn","rate":250,
 "public-url":"https://from-the-file.example","origins":["https://a.example","https://b.example"]}`)
	for name, x := range map[string]struct{ args, env, want string }{
		"file":                {want: file},
		"environment":         {env: "DRAGOMAN_LISTEN=" + env, want: env},
		"flag":                {env: "DRAGOMAN_LISTEN=" + env, args: "--listen=" + flag, want: flag},
		"flag above the file": {args: "--listen=" + flag, want: flag},
	} {
		t.Run(name, func(t *testing.T) {
			hub := &process{t: t, url: "http://" + x.want, out: &lines{}, args: []string{"serve", "--config", config}}
			if x.args != "" {
				hub.args = append(hub.args, x.args)
			}
			hub.env = append(os.Environ(), childEnv+"=1", "DRAGOMAN_ADMIN_TOKEN="+testToken)
			if x.env != "" {
				hub.env = append(hub.env, x.env)
			}
			hub.start()
			defer hub.kill()
			ch := addChannel(t, hub.client(), "simulator", "", nil)
			if !strings.HasPrefix(ch.WebhookURL, "https://from-the-file.example/in/") {
				t.Errorf("the file's public address does not count: %q", ch.WebhookURL)
			}
		})
	}
	for content, want := range map[string]string{
		`{"lisen":"x"}`:          `"lisen", which is no setting: they are admin-token, allow-private`,
		`{"name":"x"}`:           `"name", which is no setting`,
		`[1]`:                    "wants one JSON object",
		`null`:                   "wants one JSON object",
		`{"rate":1} {"rate":2}`:  "behind its JSON object",
		`{"rate":{"a":1}}`:       "wants a text, a number, true or false",
		`{"rate":"fast"}`:        "rate",
		`{"origins":["a,b"]}`:    "wants a list of texts",
		`{"log-level":"louder"}`: "log-level",
	} {
		f := dragoman(t, "", "serve", "--data", filepath.Join(t.TempDir(), "data"), "--config", writeFile(t, "bad.json", content))
		f.bad(t, 2, want)
	}
}

// A second hub on the same folder is refused, wherever it would listen, and the first one goes on.
func TestSecondHub(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	hub := startHub(t, data)
	spawn(t, nil, "serve", "--data", data, "--listen", "127.0.0.1:0").bad(t, 1, "in use by another process", "is another hub running on "+data)
	hub.on("", "channel", "list").good(t, sampleChannel)
}

// TestFolder: what is kept is for the owner's eyes only, also in a folder that everybody may read; and a folder that cannot be
// written is said to be so.
func TestFolder(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	data := filepath.Join(parent, "deep", "data")
	hub := startHub(t, data, "--key", base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef")))
	if _, err := os.Stat(filepath.Join(data, keyFile)); !errors.Is(err, os.ErrNotExist) {
		t.Error("there is a key file beside --key")
	}
	addChannel(t, hub.client(), "simulator", "", nil)
	open := filepath.Join(parent, "open")
	if err := os.Mkdir(open, 0o755); err != nil { //nolint:gosec // that is the case
		t.Fatal(err)
	}
	other := startHub(t, open)
	addChannel(t, other.client(), "simulator", "", nil)
	for _, folder := range []string{data, open} {
		err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
			if err != nil || path == open {
				return err
			}
			info, err := d.Info()
			if err == nil && info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has mode %s", path, info.Mode())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	readOnly(t)
}

// readOnly starts a hub that may not write, as another user if we are root.
func readOnly(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("", "dragoman-read-only-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o555); err != nil { //nolint:gosec // that is the case
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "serve", "--listen", "127.0.0.1:0", "--data", dir)
	if os.Getuid() == 0 {
		program := filepath.Join(t.TempDir(), "dragoman")
		for at := filepath.Dir(program); at != os.TempDir() && at != "/"; at = filepath.Dir(at) {
			if err := os.Chmod(at, 0o755); err != nil { //nolint:gosec // the other user has to reach it
				t.Fatal(err)
			}
		}
		// not copied by us: what a process of a test beside this one has open for writing when it is forked cannot be run
		if out, err := exec.CommandContext(t.Context(), "cp", os.Args[0], program).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		cmd.Path = program
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	runChild(t, cmd, nil).bad(t, 1, "permission denied", dir)
}
