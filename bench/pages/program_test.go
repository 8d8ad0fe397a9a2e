package pages

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sync/errgroup"
)

// program is the hub as it is shipped, and the browser in front of it.
type program struct {
	tb      testing.TB
	in      *json.Encoder
	out     *bufio.Scanner
	calls   *http.Client
	URL     string
	Token   string
	Pid     int
	Channel string
	Key     string
}

// start builds the pages and the program, and runs it in an empty folder until the end of the benchmark.
func start(tb testing.TB) *program {
	tb.Helper()
	binary := filepath.Join(tb.TempDir(), "dragoman")
	run(tb, "../../web/build")
	run(tb, "go", "build", "-o", binary, "github.com/dragoman-hub/dragoman/cmd/dragoman")
	cmd := exec.Command("node", "browser.mjs")
	cmd.Env = append(os.Environ(), "DRAGOMAN_BINARY="+binary)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			tb.Errorf("the browser: %v", err)
		}
	})
	p := &program{tb: tb, in: json.NewEncoder(in), out: bufio.NewScanner(out)}
	p.out.Buffer(nil, 16<<20)
	p.calls = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	p.do("start", nil, p)
	return p
}

func run(tb testing.TB, name string, args ...string) {
	tb.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// do gives the browser an order and reads its answer into out.
func (p *program) do(what string, more map[string]any, out any) {
	p.tb.Helper()
	order := map[string]any{"do": what}
	for k, v := range more {
		order[k] = v
	}
	if err := p.in.Encode(order); err != nil {
		p.tb.Fatal(err)
	}
	if !p.out.Scan() {
		p.tb.Fatalf("the browser ended: %v", p.out.Err())
	}
	var wrong struct{ Error string }
	if err := json.Unmarshal(p.out.Bytes(), &wrong); err != nil || wrong.Error != "" {
		p.tb.Fatalf("%s: %s %v", what, wrong.Error, err)
	}
	if out != nil {
		if err := json.Unmarshal(p.out.Bytes(), out); err != nil {
			p.tb.Fatal(err)
		}
	}
}

// person makes a user who has signed in before; the answer is the agent's id.
func (p *program) person(name string) string {
	p.tb.Helper()
	var made struct{ ID string }
	p.do("person", map[string]any{"name": name}, &made)
	return made.ID
}

// say is a platform's webhook call.
func (p *program) say(from, text string) error {
	return p.send(http.MethodPost, "/in/"+p.Channel, p.Key, map[string]string{"from": from, "name": "Person " + from, "text": text}, nil)
}

func (p *program) api(method, path string, body, out any) error {
	return p.send(method, path, p.Token, body, out)
}

func (p *program) send(method, path, proof string, body, out any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(p.tb.Context(), method, p.URL+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+proof)
	req.Header.Set("Content-Type", "application/json")
	res, err := p.calls.Do(req)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return err
	}
	if res.StatusCode > 299 {
		return fmt.Errorf("%s %s: %s %s", method, path, res.Status, text)
	}
	if out != nil {
		return json.Unmarshal(text, out)
	}
	return nil
}

// hands is how many requests are under way at once when something is planted.
const hands = 16

// each does something for 0..n-1, some at once.
func (p *program) each(n int, do func(i int) error) {
	p.tb.Helper()
	var g errgroup.Group
	g.SetLimit(hands)
	for i := range n {
		g.Go(func() error { return do(i) })
	}
	if err := g.Wait(); err != nil {
		p.tb.Fatal(err)
	}
}

// plant lets n people write and gives each one's conversation to the agent that owner names; the answer is the conversations by person.
func (p *program) plant(n int, owner func(i int) string) map[string]string {
	p.tb.Helper()
	p.each(n, func(i int) error { return p.say(person(i), "hello") })
	out := p.conversations()
	p.each(n, func(i int) error {
		return p.api(http.MethodPost, "/v1/conversations/"+out[person(i)]+"/assign", map[string]string{"assignee": owner(i)}, nil)
	})
	return out
}

func person(i int) string { return fmt.Sprintf("p%05d", i) }

// conversations are all that are open, by the person's address.
func (p *program) conversations() map[string]string {
	p.tb.Helper()
	out := map[string]string{}
	for next := ""; ; {
		var page struct {
			Items []struct {
				ID, State string
				Thread    struct{ Address string }
			}
			Next string
		}
		if err := p.api(http.MethodGet, "/v1/conversations?limit=200&channel="+p.Channel+"&cursor="+next, nil, &page); err != nil {
			p.tb.Fatal(err)
		}
		for _, c := range page.Items {
			if c.State != "closed" {
				out[c.Thread.Address] = c.ID
			}
		}
		if next = page.Next; next == "" {
			return out
		}
	}
}
