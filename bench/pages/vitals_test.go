package pages

import (
	"fmt"
	"net/http"
	"testing"
)

const (
	vitalChats    = 5000
	vitalMessages = 10_000 // in the first conversation
	vitalRounds   = 5
)

// vital is what a page was like.
type vital struct {
	LCP, CLS  float64
	Spin      float64            // milliseconds for a loop that is always the same
	Load, Use float64            // seconds of the main thread's CPU
	Deeds     map[string]float64 // how long each interaction took, milliseconds; those below 16 are not told
}

// BenchmarkVitals loads the pages into an empty browser and uses them, at full speed and at a quarter of it.
func BenchmarkVitals(b *testing.B) {
	p := start(b)
	ann := p.person("Ann")
	p.plant(vitalChats, func(int) string { return ann })
	p.each(vitalMessages, func(i int) error {
		return p.say(person(0), fmt.Sprint("message ", i, ", and what else there is to say"))
	})
	var made struct{ ID string }
	shop := map[string]any{"connector": "webchat", "name": "Shop", "settings": map[string]any{"title": "Ask the shop", "speaks_first": true}, "flow": "welcome"}
	if err := p.api(http.MethodPost, "/v1/channels", shop, &made); err != nil {
		b.Fatal(err)
	}
	var rows []string
	for _, page := range []map[string]any{
		{"what": "desk", "name": "Ann", "path": "/desk"},
		{"what": "widget", "site": made.ID},
	} {
		for _, slow := range []int{1, 4} {
			page["slow"] = slow
			rows = append(rows, p.vitals(b, page, fmt.Sprintf("%s | %dx", page["what"], slow)))
		}
	}
	table(fmt.Sprintf("pages in an empty browser; %d conversations, %d messages in one, SQLite", vitalChats, vitalMessages),
		"page | slower | loop ms | LCP ms, median | worst | CLS, worst | CPU ms to load | interactions | median ms | p75 | worst | CPU ms of all", rows...)
	quiet(b)
}

func (p *program) vitals(b *testing.B, page map[string]any, title string) string {
	b.Helper()
	var spin, lcp, deeds, load, use []float64
	cls := 0.0
	for range vitalRounds {
		var v vital
		p.do("vitals", page, &v)
		lcp, cls = append(lcp, v.LCP), max(cls, v.CLS)
		spin = append(spin, v.Spin)
		load, use = append(load, v.Load*1e3), append(use, v.Use*1e3)
		for _, d := range v.Deeds {
			deeds = append(deeds, d)
		}
	}
	b.ReportMetric(quantile(lcp, .5), fmt.Sprintf("%s-%dx-LCP-ms", page["what"], page["slow"]))
	return fmt.Sprintf("%s | %.0f | %.0f | %.0f | %.4f | %.0f | %d | %.0f | %.0f | %.0f | %.0f", title, quantile(spin, .5), quantile(lcp, .5), quantile(lcp, 1), cls, quantile(load, .5),
		len(deeds), quantile(deeds, .5), quantile(deeds, .75), quantile(deeds, 1), quantile(use, .5))
}
