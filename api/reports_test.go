package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/report"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

// reportScenes look at a desk with one conversation that waits and one that ann has.
var reportScenes = []scene{
	{"live", "GET", "/v1/reports/live", "read", "", "", 200, `{"queues":[{"name":"support","title":"Support","waiting":1,"offered":0,"active":1,"snoozed":0,"agents":{"free":1,"busy":0,"away":0},"late":0,"threshold":{"seconds":60,"percent":90,"reached":100}}],"agents":[{"id":"ann","name":"=Ann","state":"active","available":true,"load":1,"capacity":5,"offered":0}],"bot":0}`, 0},
	{"due", "GET", "/v1/conversations/{waits}", "read", "", "", 200, `{"turn":"first_reply","due_at":"{due}"}`, 0},
	{"not due", "GET", "/v1/conversations/{held}", "read", "", "", 200, `{"turn":"contact"}`, 0},
	{"what is due first", "GET", "/v1/conversations?sort=due", "read", "", "", 200, `{"items":[{"id":"{waits}"}]}`, 0},
	{"history", "GET", "/v1/reports/history?step=day&time_zone=Europe/Berlin&queue=support", "read", "", "", 200, `{"step":"day"}`, 0},
	{"history of bad times", "GET", "/v1/reports/history?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "read", "", "", 422, `{"code":"invalid"}`, 0},
	{"history of too many points", "GET", "/v1/reports/history?from=2026-01-02T00:00:00Z&to=2026-05-01T00:00:00Z&step=15m", "read", "", "", 422, `{"code":"invalid"}`, 0},
	{"history of a bad zone", "GET", "/v1/reports/history?time_zone=Mars/Olympus", "read", "", "", 422, `{"code":"invalid","errors":[{"path":"query.time_zone"}]}`, 0},
	{"history of a bad step", "GET", "/v1/reports/history?step=year", "read", "", "", 422, `{"code":"invalid","errors":[{"path":"query.step"}]}`, 0},
	{"agents", "GET", "/v1/reports/agents", "read", "", "", 200, `{"items":[{"messages":1,"first_replies":1},{"id":"ann","name":"=Ann","taken":1,"messages":0}]}`, 0},
	{"who may not read", "GET", "/v1/reports/live", "channels", "", "", 403, `{"code":"forbidden"}`, 0},
	{"watch", "POST", "/v1/conversations/{held}/watch", "read", "", "", 200, `{"id":"{held}","assignee":"ann"}`, 0},
	{"the audit log tells", "GET", "/v1/audit?act=watchConversation", "admin", "", "", 200, `{"items":[{"actor":{"name":"read"},"kind":"conversation","object":"{held}"}]}`, 0},
	{"watch nothing", "POST", "/v1/conversations/none/watch", "read", "", "", 404, `{"code":"not_found"}`, 0},
	{"somebody else", "PUT", "/v1/agents/bob", "admin", "", `{"name":"Bob"}`, 200, "", 1},
	{"take over", "POST", "/v1/conversations/{held}/assign", "write", "", `{"assignee":"bob"}`, 200, `{"kind":"assigned","data":{"assignee":"bob","from":{"state":"assigned","assignee":"ann","queue":"support"}}}`, 1},
}

func TestReports(t *testing.T) {
	for name, w := range map[string]*world{"sqlite": newWorld(t), "postgres": newWorldOn(t, storetest.Postgres(t))} {
		t.Run(name, func(t *testing.T) {
			w.at(time.Date(2026, 5, 4, 10, 7, 0, 0, time.UTC))
			waits, held := w.reported()
			names := strings.NewReplacer("{waits}", waits, "{held}", held, "{due}", "2026-05-04T10:09:00Z")
			for _, s := range reportScenes {
				t.Run(s.name, func(t *testing.T) { w.play(t, s, names) })
			}
			w.tables(t)
		})
	}
}

// reported makes the conversations of the scenes, and waits until they are counted.
func (w *world) reported() (waits, held string) {
	w.t.Helper()
	w.ok("PUT", "/v1/agents/ann", "admin", `{"name":"=Ann"}`)
	w.ok("POST", "/v1/agents/ann/state", "write", `{"state":"active"}`)
	w.ok("PUT", "/v1/queues/support", "admin", `{"title":"Support","rule":"everyone","members":["ann"],"settings":{"target_seconds":60,"target_percent":90,"first_reply_seconds":120}}`)
	channel, waits := w.talk("admin")
	w.say(channel, "bob", "hello")
	held = w.ok("GET", "/v1/conversations?limit=1", "read", "").at(w.t, "items", 0, "id")
	w.ok("POST", "/v1/conversations/"+waits+"/queue", "write", `{"queue":"support"}`)
	w.ok("POST", "/v1/conversations/"+held+"/assign", "write", `{"assignee":"ann","queue":"support"}`)
	w.ok("POST", "/v1/conversations/"+held+"/messages", "write", `{"text":"good day"}`)
	w.counted()
	return waits, held
}

// counted counts the log to its end.
func (w *world) counted() {
	w.t.Helper()
	ctx, stop := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- (&report.Keeper{Store: w.store, Every: 10 * time.Millisecond}).Run(ctx) }()
	for deadline := time.After(60 * time.Second); ; {
		n, err := w.store.Behind(ctx, w.ws, report.Follower())
		w.must(err)
		if n == 0 {
			break
		}
		select {
		case <-deadline:
			w.t.Fatal("behind by ", n)
		case <-time.After(5 * time.Millisecond):
		}
	}
	stop()
	w.must(<-ended)
}

// tables reads the reports as CSV.
func (w *world) tables(t *testing.T) {
	got := w.ok("GET", "/v1/reports/history?step=hour&from=2026-05-04T09:00:00Z&to=2026-05-04T10:30:00Z", "read", "", "Accept: text/csv")
	lines := strings.Split(strings.TrimSpace(got.body), "\n")
	if got.header.Get("Content-Type") != "text/csv; charset=utf-8" || len(lines) != 3 ||
		!strings.HasPrefix(lines[0], "at,opened,queued,closed,") || !strings.HasPrefix(lines[1], "2026-05-04T09:00:00Z,0,0,0,") ||
		!strings.HasPrefix(lines[2], "2026-05-04T10:00:00Z,2,") {
		t.Errorf("%v\n%s", got.header, got.body)
	}
	got = w.ok("GET", "/v1/reports/agents", "read", "", "Accept: text/csv")
	if !strings.Contains(got.body, "\n"+"ann,'=Ann,1,") {
		t.Errorf("a formula: %s", got.body)
	}
}

// TestReportsWithinReach: who sees only some queues is told of these, and who sees only the own conversations of no queue.
func TestReportsWithinReach(t *testing.T) {
	w := people(t)
	w.reported()
	for name, reach := range map[string]string{"lead": "queues", "own": "own"} {
		w.ok("PUT", "/v1/roles/"+name, "admin", fmt.Sprintf(`{"rights":["conversations.read","reports.read"],"reach":%q}`, reach))
	}
	lead, own, agent := w.joined("lea@example.com", "lead"), w.joined("own@example.com", "own"), w.joined("ada@example.com", "agent")
	if got := lead.want(200, "GET", "/v1/reports/live", ""); strings.Contains(got.body, "support") {
		t.Errorf("of a queue of others: %s", got.body)
	}
	if got := lead.want(200, "GET", "/v1/reports/agents", ""); strings.Contains(got.body, "ann") {
		t.Errorf("of agents of others: %s", got.body)
	}
	w.ok("PUT", "/v1/agents/"+lead.id, "admin", `{"name":"Lea"}`)
	w.ok("PUT", "/v1/queues/support", "admin", fmt.Sprintf(`{"rule":"everyone","members":["ann",%q]}`, lead.id))
	w.pass(2 * time.Second) // the look before is not fresh any more
	lea := w.login("lea@example.com")
	if got := lea.want(200, "GET", "/v1/reports/live", ""); !strings.Contains(got.body, `"support"`) || !strings.Contains(got.body, `"ann"`) {
		t.Errorf("of the own queue: %s", got.body)
	}
	if got := lea.want(200, "GET", "/v1/reports/agents", ""); !strings.Contains(got.body, `"ann"`) {
		t.Errorf("of agents of the own queue: %s", got.body)
	}
	own.want(200, "GET", "/v1/reports/live", "")
	own.want(403, "GET", "/v1/reports/history", "")
	agent.want(403, "GET", "/v1/reports/live", "")
}

// TestWhatIfWithinReach: who sees only some queues may ask about one of these, and who sees only the own conversations about none.
func TestWhatIfWithinReach(t *testing.T) {
	w := people(t)
	w.ok("PUT", "/v1/queues/sales", "admin", `{"rule":"everyone","members":[]}`)
	for name, reach := range map[string]string{"lead": "queues", "own": "own"} {
		w.ok("PUT", "/v1/roles/"+name, "admin", fmt.Sprintf(`{"rights":["conversations.read","reports.read"],"reach":%q}`, reach))
	}
	lead, own := w.joined("lea@example.com", "lead"), w.joined("own@example.com", "own")
	w.ok("PUT", "/v1/agents/"+lead.id, "admin", `{"name":"Lea"}`)
	w.ok("PUT", "/v1/queues/support", "admin", fmt.Sprintf(`{"rule":"everyone","members":[%q]}`, lead.id))
	lead = w.login("lea@example.com")
	const ask = `{"rule":"least_busy","from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z","queue":%q}`
	lead.want(200, "POST", "/v1/routing/what-if", fmt.Sprintf(ask, "support"))
	lead.want(403, "POST", "/v1/routing/what-if", fmt.Sprintf(ask, "sales"))
	lead.want(403, "POST", "/v1/routing/what-if", fmt.Sprintf(ask, ""))
	own.want(403, "POST", "/v1/routing/what-if", fmt.Sprintf(ask, "support"))
}

// TestWatchShowsAConversation: the right to figures alone shows none.
func TestWatchShowsAConversation(t *testing.T) {
	w := people(t)
	w.ok("PUT", "/v1/roles/figures", "admin", `{"rights":["reports.read"],"reach":"all"}`)
	w.ok("PUT", "/v1/roles/lead", "admin", `{"rights":["reports.read","conversations.read"],"reach":"all"}`)
	figures, lead := w.joined("fay@example.com", "figures"), w.joined("lea@example.com", "lead")
	_, conv := w.talk("admin")
	figures.want(403, "GET", "/v1/conversations/"+conv, "")
	figures.want(403, "POST", "/v1/conversations/"+conv+"/watch", "")
	lead.want(200, "POST", "/v1/conversations/"+conv+"/watch", "")
}
