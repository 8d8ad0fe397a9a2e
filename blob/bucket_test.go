package blob

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/dragoman-hub/dragoman/chat"
)

// gatewayVersion is of github.com/versity/versitygw, a real S3 server with a folder behind it. It is built once and
// kept in the user's cache: as a dependency it would double our own.
const gatewayVersion = "v1.8.0"

// program gives the path of the gateway's binary.
func program(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "dragoman-test", "versitygw-"+gatewayVersion)
	bin := filepath.Join(dir, "versitygw")
	if _, err := os.Stat(bin); err == nil {
		return bin
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "install", "github.com/versity/versitygw/cmd/versitygw@"+gatewayVersion)
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the S3 gateway: %v\n%s", err, out)
	}
	return bin
}

// leash runs a program until its input closes: so it ends with the test, even a killed one.
const leash = `"$@" & pid=$!; read -r _; kill $pid; wait`

// free finds an address whose port is below those that the system gives to connections: it is still free when the gateway has started.
func free(t *testing.T) string {
	t.Helper()
	for {
		address := fmt.Sprint("127.0.0.1:", 10_000+rand.IntN(20_000))
		l, err := net.Listen("tcp", address)
		if err == nil {
			l.Close()
			return address
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatal(err)
		}
	}
}

// gateway starts the server on loopback, with an empty bucket "attachments".
func gateway(t *testing.T) (S3Options, *Bucket) {
	t.Helper()
	address := free(t)
	data, meta := t.TempDir(), t.TempDir()
	cmd := exec.Command("/bin/sh", "-c", leash, "sh", program(t), "--access", "key", "--secret", "hunter2", "--quiet",
		"--port", address, "posix", "--sidecar", meta, data)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait() //nolint:errcheck // it was told to end
	})
	o := S3Options{Endpoint: "http://" + address, Bucket: "attachments", Prefix: "hub/", AccessKey: "key", SecretKey: "hunter2", PathStyle: true}
	s, err := S3(o)
	if err != nil {
		t.Fatal(err)
	}
	await(t, address)
	if err := s.core.MakeBucket(t.Context(), o.Bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	return o, s
}

// await waits until somebody listens.
func await(t *testing.T, address string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); ; {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the S3 gateway does not answer")
		}
	}
}

func TestBucket(t *testing.T) {
	o, s := gateway(t)
	examine(t, s, func(t *testing.T) int {
		n := 0
		for obj := range s.core.Client.ListObjects(t.Context(), o.Bucket, minio.ListObjectsOptions{Recursive: true}) {
			if obj.Err != nil {
				t.Fatal(obj.Err)
			}
			n++
		}
		for up := range s.core.ListIncompleteUploads(t.Context(), o.Bucket, "", true) {
			if up.Err != nil {
				t.Fatal(up.Err)
			}
			n++
		}
		return n
	})
	t.Run("check", func(t *testing.T) {
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
		other := o
		other.Bucket = "nowhere"
		if s, err := S3(other); err != nil || chat.CodeOf(s.Check(t.Context())) != chat.CodeNotFound {
			t.Errorf("a bucket that is not there: %v, %v", err, s.Check(t.Context()))
		}
		other = o
		other.SecretKey = "wrong"
		if s, err := S3(other); err != nil || s.Check(t.Context()) == nil {
			t.Errorf("a wrong secret: %v", err)
		}
	})
}

func TestBadS3Settings(t *testing.T) {
	for i, o := range []S3Options{
		{Bucket: "b"},
		{Endpoint: "s3.example.org", Bucket: "b"},
		{Endpoint: "ftp://s3.example.org", Bucket: "b"},
		{Endpoint: "https://s3.example.org/path", Bucket: "b"},
		{Endpoint: "https://key:hunter2@s3.example.org", Bucket: "b"},
		{Endpoint: "https://s3.example.org"},
		{Endpoint: "https://s3.example.org", Bucket: "b", Prefix: "../"},
	} {
		if s, err := S3(o); chat.CodeOf(err) != chat.CodeInvalid {
			t.Errorf("%d: %v, %v", i, s != nil, fmt.Sprint(err))
		}
	}
}
