package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/store/storetest"
)

// lifeScenes are a conversation's life at the desk, played in order.
var lifeScenes = []scene{
	{"ann", "PUT", "/v1/agents/ann", "admin", "", `{"name":"Ann","capacity":1}`, 200, `{"id":"ann"}`, 1},
	{"bob", "PUT", "/v1/agents/bob", "admin", "", `{"name":"Bob","capacity":1}`, 200, `{"id":"bob"}`, 1},
	{"bad settings", "PUT", "/v1/queues/support", "admin", "", `{"rule":"everyone","members":["ann"],"settings":{"close_counts":"mine"}}`, 422, `{"code":"invalid"}`, 0},
	{"queue", "PUT", "/v1/queues/support", "admin", "", `{"rule":"everyone","members":["ann"],"settings":{"close_after_minutes":30,"close_counts":"any","close_text":"Bye.","reopen_minutes":60}}`, 200, `{"settings":{"close_after_minutes":30,"close_counts":"any","close_text":"Bye.","reopen_minutes":60}}`, 1},
	{"whose turn", "GET", "/v1/conversations/{conversation}", "read", "", "", 200, `{"state":"queued","turn":"first_reply","priority":0,"tags":[]}`, 0},
	{"to nobody", "POST", "/v1/conversations/{conversation}/transfer", "write", "", `{}`, 422, `{"code":"invalid"}`, 0},
	{"to both", "POST", "/v1/conversations/{conversation}/transfer", "write", "", `{"queue":"support","agent":"ann"}`, 422, `{"code":"invalid"}`, 0},
	{"to an unknown queue", "POST", "/v1/conversations/{conversation}/transfer", "write", "", `{"queue":"nosuch"}`, 422, `{"errors":[{"path":"body.queue"}]}`, 0},
	{"to an unknown agent", "POST", "/v1/conversations/{conversation}/transfer", "write", "", `{"agent":"zed"}`, 422, `{"errors":[{"path":"body.agent"}]}`, 0},
	{"to one who is away", "POST", "/v1/conversations/{conversation}/transfer", "write", "", `{"agent":"ann"}`, 409, `{"code":"conflict"}`, 0},
	{"by force", "POST", "/v1/conversations/{conversation}/transfer", "write", "", `{"agent":"ann","force":true}`, 200, `{"kind":"assigned"}`, 1},
	{"to a queue", "POST", "/v1/conversations/{conversation}/transfer", "write", "", `{"queue":"support","note":"speaks French","reason":"language","expect":["assigned"]}`, 200, `{"kind":"queued","data":{"queue":"support","note":"speaks French","reason":"language","from":{"state":"assigned","assignee":"ann"}}}`, 1},
	{"ann is there", "POST", "/v1/me/state?agent=ann", "write", "", `{"state":"active"}`, 200, `{"id":"ann","state":"active"}`, 1},
	{"a token is nobody", "GET", "/v1/me/state", "read", "", "", 422, `{"errors":[{"path":"query.agent"}]}`, 0},
	{"my state", "GET", "/v1/me/state?agent=ann", "read", "", "", 200, `{"id":"ann","available":true,"load":0}`, 0},
	{"accept", "POST", "/v1/conversations/{conversation}/accept", "write", "", `{"agent":"ann"}`, 200, `{"kind":"assigned"}`, 1},
	{"mine", "GET", "/v1/me/conversations?agent=ann", "read", "", "", 200, `{"items":[{"id":"{conversation}"}]}`, 0},
	{"unread of mine", "GET", "/v1/me/unread?agent=ann", "read", "", "", 200, `{"conversations":1}`, 0},
	{"snooze in the past", "POST", "/v1/conversations/{conversation}/snooze", "write", "", `{"until":"2001-01-01T00:00:00Z"}`, 422, `{"code":"invalid"}`, 0},
	{"snooze", "POST", "/v1/conversations/{conversation}/snooze", "write", "", "", 200, `{"kind":"snoozed","data":{}}`, 1},
	{"it does not count", "GET", "/v1/me/state?agent=ann", "read", "", "", 200, `{"load":0}`, 0},
	{"it rests", "GET", "/v1/conversations/{conversation}", "read", "", "", 200, `{"snoozed":true,"assignee":"ann"}`, 0},
	{"wake", "DELETE", "/v1/conversations/{conversation}/snooze", "write", "", "", 200, `{"kind":"awoken","data":{"reason":"agent"}}`, 1},
	{"wake what is awake", "DELETE", "/v1/conversations/{conversation}/snooze", "write", "", "", 409, `{"code":"conflict"}`, 0},
	{"reopen what is open", "POST", "/v1/conversations/{conversation}/reopen", "write", "", `{"agent":"ann"}`, 409, `{"code":"conflict"}`, 0},
	{"batch of one and nothing", "POST", "/v1/conversations/batch", "write", "", `{"ids":["{conversation}","none"],"act":"tag","tags":{"add":["vip"]}}`, 200, `{"items":[{"id":"{conversation}","event":{"kind":"changed"}},{"id":"none","error":{"code":"not_found","status":404}}]}`, 1},
	{"batch of no act", "POST", "/v1/conversations/batch", "write", "", `{"ids":["none"],"act":"eat"}`, 422, `{"code":"invalid"}`, 0},
	{"batch to nobody", "POST", "/v1/conversations/batch", "write", "", `{"ids":["none"],"act":"assign"}`, 422, `{"errors":[{"path":"body.assignee"}]}`, 0},
	{"batch to an unknown", "POST", "/v1/conversations/batch", "write", "", `{"ids":["none"],"act":"assign","assignee":"zed"}`, 422, `{"code":"invalid"}`, 0},
	{"batch of close", "POST", "/v1/conversations/batch", "write", "", `{"ids":["{conversation}"],"act":"close","reason":"solved"}`, 200, `{"items":[{"event":{"kind":"closed","data":{"reason":"solved"}}}]}`, 1},
	{"closed", "GET", "/v1/conversations/{conversation}", "read", "", "", 200, `{"state":"closed","close_reason":"solved","assignee":"ann","turn":"none"}`, 0},
	{"undo nothing", "POST", "/v1/conversations/{conversation}/undo", "write", "", `{"seq":1}`, 409, `{"code":"conflict"}`, 0},
	{"reopen as nobody", "POST", "/v1/conversations/{conversation}/reopen", "write", "", "", 422, `{"errors":[{"path":"body.agent"}]}`, 0},
	{"reopen as an unknown", "POST", "/v1/conversations/{conversation}/reopen", "write", "", `{"agent":"zed"}`, 422, `{"code":"invalid"}`, 0},
	{"reopen", "POST", "/v1/conversations/{conversation}/reopen", "write", "", `{"agent":"ann"}`, 201, `{"previous":"{conversation}","state":"assigned","assignee":"ann","queue":"support"}`, 2},
	{"history", "GET", "/v1/conversations/{conversation}/history?limit=2", "read", "", "", 200, `{"items":[{"kind":"closed"},{"kind":"changed"}]}`, 0},
	{"bad cursor", "GET", "/v1/conversations/{conversation}/history?before=7", "read", "", "", 422, `{"errors":[{"path":"query.before"}]}`, 0},
	{"all is well", "GET", "/v1/check", "admin", "", "", 200, `{"items":[]}`, 0},
}

func TestLife(t *testing.T) {
	for name, w := range map[string]*world{"sqlite": newWorld(t), "postgres": newWorldOn(t, storetest.Postgres(t))} {
		t.Run(name, func(t *testing.T) {
			channel, conversation := w.talk("admin")
			names := strings.NewReplacer("{channel}", channel, "{conversation}", conversation)
			for _, s := range lifeScenes {
				t.Run(s.name, func(t *testing.T) { w.play(t, s, names) })
			}
			w.historyOf(t, channel)
		})
	}
}

// historyOf reads the history of the newest conversation page by page: it has the events of both.
func (w *world) historyOf(t *testing.T, channel string) {
	t.Helper()
	newest := w.ok("GET", "/v1/conversations?channel="+channel, "read", "").at(t, "items", 0, "id")
	n, before := 0, ""
	for page := 0; page < 50; page++ {
		got := w.ok("GET", "/v1/conversations/"+newest+"/history?limit=3&before="+before, "read", "")
		var list struct {
			Items []json.RawMessage
			Next  string
		}
		w.must(json.Unmarshal([]byte(got.body), &list))
		n += len(list.Items)
		if before = list.Next; before == "" {
			break
		}
	}
	if n != 12 {
		t.Errorf("the history has %d events", n)
	}
	foreign := w.ok("GET", "/v1/conversations/"+newest+"/history?limit=1", "read", "").at(t, "next")
	w.say(channel, "zoe", "hello")
	other := w.ok("GET", "/v1/conversations?channel="+channel, "read", "").at(t, "items", 0, "id")
	if got := w.call("GET", "/v1/conversations/"+other+"/history?before="+foreign, "read", ""); got.status != 422 {
		t.Errorf("another contact's history: %d %s", got.status, got.body)
	}
}

// TestLifeOfUsers: agents pass on what they have, take back what they did, also when they do not see it any more, and act for themselves.
func TestLifeOfUsers(t *testing.T) {
	w := people(t)
	w.ok("PUT", "/v1/roles/plain", "admin", `{"rights":["conversations.read","conversations.write"],"reach":"queues"}`)
	ada, eve := w.joined("ada@example.com", "plain"), w.joined("eve@example.com", "agent")
	for _, id := range []string{ada.id, eve.id} {
		w.ok("PUT", "/v1/agents/"+id, "admin", `{"name":"x"}`)
	}
	w.ok("PUT", "/v1/queues/support", "admin", fmt.Sprintf(`{"rule":"everyone","members":[%q]}`, ada.id))
	w.ok("PUT", "/v1/queues/sales", "admin", `{"rule":"everyone","members":[]}`)
	ada, eve = w.login("ada@example.com"), w.login("eve@example.com")
	_, conv := w.talk("admin")
	path := "/v1/conversations/" + conv
	w.ok("POST", path+"/queue", "admin", `{"queue":"support"}`)
	ada.want(403, "POST", path+"/transfer", fmt.Sprintf(`{"agent":%q}`, ada.id)) // it is not hers
	ada.want(200, "POST", "/v1/me/state", `{"state":"active"}`)
	ada.want(403, "GET", "/v1/me/conversations?agent="+eve.id, "")
	ada.want(200, "POST", path+"/accept", fmt.Sprintf(`{"agent":%q}`, ada.id))
	if mine := ada.want(200, "GET", "/v1/me/conversations", ""); !strings.Contains(mine.body, conv) {
		t.Error("not mine:", mine.body)
	}
	ada.want(404, "GET", "/v1/conversations/none", "")
	moved := ada.want(200, "POST", path+"/transfer", `{"queue":"sales"}`)
	seq := fmt.Sprintf(`{"seq":%s}`, moved.at(t, "seq"))
	ada.want(404, "GET", path, "")
	eve.want(404, "POST", path+"/undo", seq)
	w.want(t, 403, "POST", path+"/undo", seq)
	ada.want(200, "POST", path+"/undo", seq)
	ada.want(200, "GET", path, "")
	ada.want(403, "POST", "/v1/conversations/batch", fmt.Sprintf(`{"ids":[%q],"act":"assign","assignee":%q}`, conv, ada.id))
	closed := ada.want(200, "POST", path+"/close", "")
	ada.want(409, "POST", path+"/snooze", "")
	ada.want(200, "POST", path+"/undo", fmt.Sprintf(`{"seq":%s}`, closed.at(t, "seq")))
	ada.want(200, "POST", path+"/close", "")
	eve.want(404, "POST", path+"/reopen", "")
	ada.want(403, "POST", path+"/reopen", fmt.Sprintf(`{"agent":%q}`, eve.id))
	ada.want(201, "POST", path+"/reopen", "")
	if mine := ada.want(200, "GET", "/v1/me/conversations?state=closed", ""); !strings.Contains(mine.body, conv) {
		t.Error("not mine:", mine.body)
	}
}

// TestUndoIsSoon: after a minute nothing is taken back.
func TestUndoIsSoon(t *testing.T) {
	w := newWorld(t)
	w.desk("admin", "support")
	_, conv := w.talk("admin")
	path := "/v1/conversations/" + conv
	for _, c := range []struct {
		pass   time.Duration
		status int
	}{{0, 200}, {2 * time.Minute, 409}} {
		got := w.ok("POST", path+"/queue", "write", `{"queue":"support"}`)
		w.pass(c.pass)
		w.want(t, c.status, "POST", path+"/undo", fmt.Sprintf(`{"seq":%s}`, got.at(t, "seq")))
	}
}

func (w *world) want(t *testing.T, status int, method, path, body string) {
	t.Helper()
	if got := w.call(method, path, "write", body); got.status != status {
		t.Errorf("%s %s: %d %s", method, path, got.status, got.body)
	}
}
