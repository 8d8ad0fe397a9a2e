package pages

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
)

// follow reads the event stream until the end of the benchmark, as an agent's page does.
func (p *program) follow(take func(data []byte)) {
	p.tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/v1/events", nil)
	if err != nil {
		p.tb.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.Token)
	res, err := p.calls.Do(req) //nolint:bodyclose // by who reads it
	if err != nil || res.StatusCode != http.StatusOK {
		p.tb.Fatal("an event stream: ", res, err)
	}
	done := make(chan struct{})
	p.tb.Cleanup(func() {
		cancel()
		<-done
	})
	go func() {
		defer close(done)
		defer res.Body.Close()
		lines := bufio.NewReaderSize(res.Body, 4096)
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				return
			}
			if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
				take(data)
			}
		}
	}()
}
