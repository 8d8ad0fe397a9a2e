//go:build unix

package bench

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// BenchmarkStart measures the program itself: from its start to the first "ready", in an empty folder and in one that it knows, on SQLite,
// and its resident memory two seconds later.
func BenchmarkStart(b *testing.B) {
	binary := filepath.Join(b.TempDir(), "dragoman")
	build := exec.Command("go", "build", "-o", binary, "github.com/dragoman-hub/dragoman/cmd/dragoman")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	type figures struct{ first, second, resident float64 }
	var list []figures
	for range rounds {
		dir := b.TempDir()
		first, _ := startOnce(b, binary, dir)
		second, resident := startOnce(b, binary, dir)
		list = append(list, figures{millis(first), millis(second), float64(resident) / (1 << 20)})
	}
	t := newTable("first start ms", "later start ms", "resident MB")
	first, second := median(list, func(f figures) float64 { return f.first }), median(list, func(f figures) float64 { return f.second })
	resident := median(list, func(f figures) float64 { return f.resident })
	t.row(whole(first), whole(second), whole(resident))
	t.print("the program; " + machine())
	b.ReportMetric(first, "first-ms")
	b.ReportMetric(second, "later-ms")
	b.ReportMetric(resident, "resident-MB")
	quiet(b)
}

// startOnce runs the program until it is ready, looks at it, and stops it.
func startOnce(b *testing.B, binary, dir string) (ready time.Duration, resident64 uint64) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	cmd := exec.Command(binary, "serve", "--listen", address, "--data", dir)
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}()
	for time.Since(begin) < 30*time.Second {
		res, err := http.Get("http://" + address + "/readyz")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				ready = time.Since(begin)
				break
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	if ready == 0 {
		b.Fatal("the program was not ready after 30 s")
	}
	time.Sleep(2 * time.Second)
	return ready, resident(strconv.Itoa(cmd.Process.Pid))
}
