package api_test

import (
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/knowledge"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

func TestSearch(t *testing.T) {
	for name, w := range map[string]*world{"sqlite": newWorld(t, quickly), "postgres": newWorldOn(t, storetest.Postgres(t), quickly)} {
		t.Run(name, func(t *testing.T) { searches(t, w) })
	}
}

func searches(t *testing.T, w *world) {
	channel, conversation := w.talk("admin")
	w.say(channel, "ada", "Où est ma commande n° 4711 ? "+strings.Repeat("lorem ipsum ", 40)+"Straße")
	w.say(channel, "bob", "hello, my order is late")
	w.ok("POST", "/v1/conversations/"+conversation+"/notes", "agent", `{"text":"hello to colleagues"}`)
	index := w.store.Indexer(func(text string) string { return strings.Join(knowledge.Fold(text), " ") })
	for more := true; more; {
		var err error
		more, err = index.Next(t.Context(), 10)
		w.must(err)
	}
	names := strings.NewReplacer("{conversation}", conversation)
	for _, s := range []scene{
		{"the newest first", "GET", "/v1/search?q=hello", "read", "", "", 200, `{"people":[],"messages":[{"kind":"note","excerpt":"hello to colleagues"},{"excerpt":"hello, my order is late"},{"conversation":"{conversation}","seq":3,"kind":"message","direction":"in","contact":{"name":"Ada"},"state":"queued","excerpt":"hello"}]}`, 0},
		{"without accents", "GET", "/v1/search?q=OU+4711", "read", "", "", 200, `{"messages":[{"seq":4}]}`, 0},
		{"half a word", "GET", "/v1/search?q=my+ord", "read", "", "", 200, `{"messages":[{"contact":{"name":"Ada"}}]}`, 0},
		{"people", "GET", "/v1/search?q=ada", "read", "", "", 200, `{"people":[{"name":"Ada"},{"name":"Ada","conversation":"{conversation}"}],"messages":[]}`, 0},
		{"by address", "GET", "/v1/search?q=bob", "read", "", "", 200, `{"people":[{"name":"Ada"}]}`, 0},
		{"nothing", "GET", "/v1/search?q=%26%26%26", "read", "", "", 200, `{"people":[],"messages":[]}`, 0},
		{"no words", "GET", "/v1/search", "read", "", "", 422, `{"code":"invalid"}`, 0},
		{"bad cursor", "GET", "/v1/search?q=x&cursor=y", "read", "", "", 422, `{"code":"invalid"}`, 0},
		{"another workspace", "GET", "/v1/search?q=hello", "other", "", "", 200, `{"people":[],"messages":[]}`, 0},
		{"no right", "GET", "/v1/search?q=hello", "write", "", "", 403, `{"code":"forbidden"}`, 0},
	} {
		t.Run(s.name, func(t *testing.T) { w.play(t, s, names) })
	}
	if got := w.ok("GET", "/v1/search?q=strasse", "read", "").at(t, "messages", 0, "excerpt"); !strings.HasSuffix(got, "Straße") || !strings.HasPrefix(got, "… ") {
		t.Errorf("the excerpt is %q", got)
	}
	first := w.ok("GET", "/v1/search?q=hello&limit=2", "read", "")
	second := w.ok("GET", "/v1/search?q=hello&limit=2&cursor="+first.at(t, "next"), "read", "")
	if second.at(t, "messages", 0, "seq") != "3" || strings.Contains(second.body, `"next"`) {
		t.Error(second.body)
	}
	agent := w.joined("agent@example.com", "agent")
	if got := agent.want(200, "GET", "/v1/search?q=hello", ""); !strings.Contains(got.body, `"messages":[]`) {
		t.Error("an agent without queues finds", got.body)
	}
	w.ok("POST", "/v1/conversations/"+conversation+"/assign", "admin", `{"assignee":"`+agent.id+`"}`)
	if got := agent.want(200, "GET", "/v1/search?q=hello", ""); strings.Count(got.body, `"seq"`) != 2 {
		t.Error("the agent's own conversation:", got.body)
	}
}
