package api_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/dragoman-hub/dragoman/store/storetest"
)

// dropScenes delete what is used and say by whom, then free it use by use.
var dropScenes = []scene{
	{"unknown queue", "DELETE", "/v1/queues/none", "admin", "", "", 404, `{"code":"not_found"}`, 0},
	{"unknown flow", "DELETE", "/v1/flows/none", "flows", "", "", 404, `{"code":"not_found"}`, 0},
	{"unknown state", "DELETE", "/v1/agent-states/none", "admin", "", "", 404, `{"code":"not_found"}`, 0},
	{"built-in state", "DELETE", "/v1/agent-states/active", "admin", "", "", 409, `{"detail":"every workspace has the state active"}`, 0},
	{"who may not", "DELETE", "/v1/queues/support", "flows", "", "", 403, `{"code":"forbidden"}`, 0},

	{"flow", "PUT", "/v1/flows/welcome", "flows", "", `{"states":[{"name":"a","initial":true,"events":[{"hand_over":{"queue":"support"}}]}]}`, 200, `{"version":1}`, 0},
	{"its draft", "PUT", "/v1/flows/welcome.draft", "flows", "", `{"states":[{"name":"a","initial":true,"events":[{"hand_over":{"queue":"support","note":"x"}}]}]}`, 200, "", 0},
	{"another flow", "PUT", "/v1/flows/other", "flows", "", `{"states":[{"name":"a","initial":true,"events":[{"hand_over":{"queue":"support2"}}]}]}`, 200, "", 0},
	{"queue", "PUT", "/v1/queues/support", "admin", "", `{"title":"First aid","rule":"everyone","members":["ann"]}`, 200, "", 1},
	{"another queue", "PUT", "/v1/queues/support2", "admin", "", `{"rule":"everyone","members":[],"settings":{"limit":1,"when_full":{"queue":"support"},"max_wait_seconds":60,"after_max_wait":{"flow":"welcome"}}}`, 200, "", 1},
	{"channel", "PATCH", "/v1/channels/{channel}", "channels", "", `{"flow":"welcome","queue":"support"}`, 200, "", 0},
	{"reply", "PUT", "/v1/replies/hi", "admin", "", `{"texts":{"en":"hi"},"queues":["sales","support"]}`, 200, "", 0},
	{"action", "PUT", "/v1/actions/refund", "admin", "", `{"title":"Refund","url":"https://example.com/x","queues":["support"]}`, 200, "", 0},
	{"waiting", "POST", "/v1/conversations/{conversation}/queue", "write", "", `{"queue":"support"}`, 200, "", 1},

	{
		"used queue", "DELETE", "/v1/queues/support", "admin", "", "", 409, `{"code":"conflict","detail":"the queue is still used: 1 open conversations are in it; ` +
			`new conversations of the channel sim wait there; the queue support2 passes on to it; the flow welcome hands over to it; ` +
			`the canned reply hi is for it; the action refund is for it"}`, 0,
	},
	{"to the flow", "POST", "/v1/conversations/{conversation}/bot", "write", "", `{"flow":"welcome"}`, 200, "", 1},
	{
		"used flow", "DELETE", "/v1/flows/welcome", "flows", "", "", 409, `{"detail":"the flow is still used: 1 open conversations are pinned to it; ` +
			`it answers the channel sim; the queue support2 passes on to it"}`, 0,
	},
	{"no hand-over any more", "PUT", "/v1/flows/welcome", "flows", "", goodFlow, 200, `{"version":2}`, 0},
	{"pinned to the one before", "DELETE", "/v1/queues/support", "admin", "", "", 409, "", 0},
	{"done", "POST", "/v1/conversations/{conversation}/close", "write", "", "", 200, "", 1},
	{"channel freed", "PATCH", "/v1/channels/{channel}", "channels", "", `{"flow":"","queue":""}`, 200, "", 0},
	{"queue freed", "PUT", "/v1/queues/support2", "admin", "", `{"rule":"everyone","members":[]}`, 200, "", 1},
	{"reply freed", "PUT", "/v1/replies/hi", "admin", "", `{"texts":{"en":"hi"},"queues":["sales"]}`, 200, "", 0},
	{"action gone", "DELETE", "/v1/actions/refund", "admin", "", "", 204, "", 0},

	{"delete the queue", "DELETE", "/v1/queues/support", "admin", "", "", 204, "", 1},
	{"once more", "DELETE", "/v1/queues/support", "admin", "", "", 404, `{"code":"not_found"}`, 0},
	{"it is gone", "GET", "/v1/queues", "read", "", "", 200, `{"items":[{"name":"support2"}]}`, 0},
	{"history names it", "GET", "/v1/conversations/{conversation}", "read", "", "", 200, `{"state":"closed","flow":"welcome"}`, 0},
	{"delete the flow", "DELETE", "/v1/flows/welcome", "flows", "", "", 204, "", 0},
	{"flow gone", "GET", "/v1/flows/welcome", "read", "", "", 404, "", 0},
	{"its versions gone", "GET", "/v1/flows/welcome?version=1", "read", "", "", 404, "", 0},
	{"flows", "GET", "/v1/flows", "read", "", "", 200, `{"items":[{"name":"other"},{"name":"welcome.draft"}]}`, 0},
	{"no channel of it", "PATCH", "/v1/channels/{channel}", "channels", "", `{"flow":"welcome"}`, 422, "", 0},
	{"stored again, its numbers go on", "PUT", "/v1/flows/welcome", "flows", "", goodFlow, 200, `{"version":3}`, 0},
	{"the versions since", "GET", "/v1/flows/welcome/versions", "read", "", "", 200, `{"items":[{"version":3}]}`, 0},

	{"flow to a queue with signs", "PUT", "/v1/flows/signs", "flows", "", `{"states":[{"name":"a","initial":true,"events":[{"hand_over":{"queue":"R&D <1>"}}]}]}`, 200, "", 0},
	{"queue with signs", "PUT", "/v1/queues/R%26D%20%3C1%3E", "admin", "", `{"rule":"everyone","members":[]}`, 200, `{"name":"R&D <1>"}`, 1},
	{"used queue with signs", "DELETE", "/v1/queues/R%26D%20%3C1%3E", "admin", "", "", 409, `{"detail":"the queue is still used: the flow signs hands over to it"}`, 0},

	{"state", "PUT", "/v1/agent-states/lunch", "admin", "", `{"available":false}`, 204, "", 0},
	{"ann eats", "POST", "/v1/agents/ann/state", "write", "", `{"state":"lunch"}`, 200, "", 1},
	{"used state", "DELETE", "/v1/agent-states/lunch", "admin", "", "", 409, `{"detail":"the state is still used: x is in it"}`, 0},
	{"ann works", "POST", "/v1/agents/ann/state", "write", "", `{"state":"active"}`, 200, "", 1},
	{"delete the state", "DELETE", "/v1/agent-states/lunch", "admin", "", "", 204, "", 0},
	{"nobody eats", "POST", "/v1/agents/ann/state", "write", "", `{"state":"lunch"}`, 404, "", 0},
	{"ann has eaten", "GET", "/v1/agents/ann/sessions", "read", "", "", 200, `{"items":[{"state":"active"},{"state":"lunch"},{"state":"inactive"}]}`, 0},
	{"told", "GET", "/v1/audit?act=deleteQueue&object=support", "admin", "", "", 200, `{"items":[{"kind":"queue","object":"support","before":{"title":"First aid"}}]}`, 0},
	{"told, too", "GET", "/v1/audit?act=deleteFlow", "admin", "", "", 200, `{"items":[{"kind":"flow","object":"welcome","before":{"version":2}}]}`, 0},
	{"and that", "GET", "/v1/audit?act=deleteAgentState", "admin", "", "", 200, `{"items":[{"kind":"agent state","object":"lunch","before":{"available":false}}]}`, 0},
}

// TestDeleting: what is used is not deleted, and the refusal names who uses it; what is gone stays in what was.
func TestDeleting(t *testing.T) {
	for name, w := range map[string]*world{"sqlite": newWorld(t), "postgres": newWorldOn(t, storetest.Postgres(t))} {
		t.Run(name, func(t *testing.T) {
			w.desk("admin", "@ann")
			names := w.names()
			for _, s := range dropScenes {
				t.Run(s.name, func(t *testing.T) { w.play(t, s, names) })
			}
		})
	}
}

// TestDeletingWhileMoved: of moves into a queue and its deletion at once, nothing ends up in a queue that is not there.
func TestDeletingWhileMoved(t *testing.T) {
	for name, w := range map[string]*world{"sqlite": newWorld(t), "postgres": newWorldOn(t, storetest.Postgres(t))} {
		t.Run(name, func(t *testing.T) {
			channel, _ := w.talk("admin")
			for i := range 8 {
				w.desk("admin", "q")
				w.say(channel, fmt.Sprint("c", i), "hello")
				conv := w.ok("GET", "/v1/conversations?limit=1", "admin", "").at(t, "items", 0, "id")
				var wg sync.WaitGroup
				var moved, gone int
				wg.Go(func() { moved = w.call("POST", "/v1/conversations/"+conv+"/queue", "admin", `{"queue":"q"}`).status })
				wg.Go(func() { gone = w.call("DELETE", "/v1/queues/q", "admin", "").status })
				wg.Wait()
				if (moved == 200) == (gone == 204) || moved != 200 && moved != 409 && moved != 422 || gone != 204 && gone != 409 {
					t.Fatalf("moved: %d, deleted: %d", moved, gone)
				}
				there := strings.Contains(w.ok("GET", "/v1/queues", "admin", "").body, `"q"`)
				if c := w.ok("GET", "/v1/conversations/"+conv, "admin", ""); (c.at(t, "queue") == "q") != there {
					t.Fatalf("the queue is there: %v, the conversation: %s", there, c.body)
				}
				w.ok("POST", "/v1/conversations/"+conv+"/close", "admin", "")
			}
		})
	}
}
