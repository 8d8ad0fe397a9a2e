//go:build unix

package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// order is a command for the server process.
type order struct {
	Do   string // usage, gc, cpu (starts a profile), stop (ends it), allocs, watch, unwatch
	Path string
}

// usage is what the server process has used since its start.
type usage struct {
	CPU     time.Duration // user and system
	Mallocs uint64
	Bytes   uint64 // allocated in total
	Heap    uint64 // in use now
	RSS     uint64
	Cycles  uint32         // of the garbage collector
	Seen    map[string]int // how often the watch saw the committer do what
	Error   string
}

// obey carries out orders until there are no more.
func obey(in *bufio.Scanner, out *json.Encoder) error {
	var profile *os.File
	w := &watch{}
	for in.Scan() {
		var o order
		if err := json.Unmarshal(in.Bytes(), &o); err != nil {
			return err
		}
		var err error
		switch o.Do {
		case "gc":
			debug.FreeOSMemory()
		case "cpu":
			if profile, err = os.Create(o.Path); err == nil {
				err = pprof.StartCPUProfile(profile)
			}
		case "stop":
			pprof.StopCPUProfile()
			err = profile.Close()
		case "allocs":
			err = writeProfile("allocs", o.Path)
		case "watch":
			w.start()
		case "unwatch":
			w.stop()
		}
		u := measure()
		u.Seen = w.counts()
		if err != nil {
			u.Error = err.Error()
		}
		if err := out.Encode(u); err != nil {
			return err
		}
	}
	return in.Err()
}

func writeProfile(name, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return pprof.Lookup(name).WriteTo(f, 0)
}

func measure() usage {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{CPU: cpuTime(), Mallocs: m.Mallocs, Bytes: m.TotalAlloc, Heap: m.HeapInuse, RSS: resident("self"), Cycles: m.NumGC}
}

// cpuTime is what this process has used, user and system.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// resident reads the resident memory of a process in bytes (Linux; 0 elsewhere).
func resident(pid string) uint64 {
	text, err := os.ReadFile("/proc/" + pid + "/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(text)
	pages, _ := strconv.ParseUint(string(fields[1]), 10, 64)
	return pages * uint64(os.Getpagesize())
}

// remote is a server process, seen from the load generator.
type remote struct {
	hello
	tb  testing.TB
	cmd *exec.Cmd
	in  *json.Encoder
	out *bufio.Scanner
}

// start runs a server until the end of the benchmark.
func start(tb testing.TB, sp spec) *remote {
	tb.Helper()
	if sp.Dir == "" && !sp.Bare {
		sp.Dir = tb.TempDir()
	}
	text, err := json.Marshal(sp)
	if err != nil {
		tb.Fatal(err)
	}
	r := &remote{tb: tb, cmd: exec.Command(os.Args[0])}
	r.cmd.Env = append(os.Environ(), serverEnv+"="+string(text))
	r.cmd.Stderr = os.Stderr
	in, err := r.cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = in.Close()
		if err := r.cmd.Wait(); err != nil {
			tb.Errorf("server: %v", err)
		}
		if tb.Failed() && !sp.Bare {
			text, _ := os.ReadFile(filepath.Join(sp.Dir, "log"))
			tb.Logf("the end of the server's log:\n%s", text[max(0, len(text)-4000):])
		}
	})
	r.in, r.out = json.NewEncoder(in), bufio.NewScanner(out)
	r.out.Buffer(nil, 1<<20)
	r.read(&r.hello)
	return r
}

func (r *remote) read(v any) {
	r.tb.Helper()
	if !r.out.Scan() {
		r.tb.Fatalf("the server ended: %v", r.out.Err())
	}
	if err := json.Unmarshal(r.out.Bytes(), v); err != nil {
		r.tb.Fatal(err)
	}
}

// do gives an order and answers what the server has used so far.
func (r *remote) do(what, path string) usage {
	r.tb.Helper()
	if err := r.in.Encode(order{what, path}); err != nil {
		r.tb.Fatal(err)
	}
	var u usage
	r.read(&u)
	if u.Error != "" {
		r.tb.Fatal(fmt.Errorf("%s: %s", what, u.Error))
	}
	return u
}

// settle waits until the server has nothing to do any more.
func (r *remote) settle() {
	r.tb.Helper()
	last := r.do("usage", "").CPU
	for range 240 {
		time.Sleep(500 * time.Millisecond)
		now := r.do("usage", "").CPU
		if now-last < 25*time.Millisecond {
			return
		}
		last = now
	}
	r.tb.Fatal("the server does not come to rest")
}
