//go:build unix

package bench

import (
	"fmt"
	"os"
	"testing"
)

// serverEnv holds the specification of the server that this process is to be, as JSON; see server.
const serverEnv = "DRAGOMAN_BENCH_SERVER"

// TestMain turns the test binary into the server under test when it is asked to: so the CPU and the memory of the server are
// those of a process, and the load generator's are not among them.
func TestMain(m *testing.M) {
	if text := os.Getenv(serverEnv); text != "" {
		if err := serve(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}
