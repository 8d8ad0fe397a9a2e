package api_test

import (
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/store/pgtest"
)

// deskScenes are a conversation's way to an agent, played in order.
var deskScenes = []scene{
	{"no agents", "GET", "/v1/agents", "read", "", "", 200, `{"items":[]}`, 0},
	{"agent", "PUT", "/v1/agents/ann", "admin", "", `{"name":"Ann","skills":{"fr":2}}`, 200, `{"id":"ann","capacity":5,"state":"inactive","available":false,"load":0,"skills":{"fr":2}}`, 1},
	{"limit of one", "PUT", "/v1/agents/bob", "admin", "", `{"name":"Bob","capacity":1}`, 200, `{"capacity":1}`, 1},
	{"agent of bad capacity", "PUT", "/v1/agents/cid", "admin", "", `{"name":"Cid","capacity":-1}`, 422, `{"code":"invalid","errors":[{"path":"body.capacity"}]}`, 0},
	{"agents are for those who run the place", "PUT", "/v1/agents/cid", "write", "", `{"name":"Cid"}`, 403, `{"code":"forbidden"}`, 0},
	{"no such agent", "GET", "/v1/agents/zed", "read", "", "", 404, `{"code":"not_found"}`, 0},
	{"queue", "PUT", "/v1/queues/support", "admin", "", `{"rule":"everyone","members":["ann","bob"]}`, 200, `{"name":"support","rule":"everyone","members":["ann","bob"]}`, 1},
	{"queue of no rule", "PUT", "/v1/queues/support", "admin", "", `{"rule":"magic","members":[]}`, 422, `{"code":"invalid","errors":[{"path":"body.rule"}]}`, 0},
	{"queues", "GET", "/v1/queues", "read", "", "", 200, `{"items":[{"name":"support"}]}`, 0},
	{"no such queue", "GET", "/v1/queues/none", "read", "", "", 404, `{"code":"not_found"}`, 0},
	{"state", "POST", "/v1/agents/ann/state", "write", "", `{"state":"active"}`, 200, `{"state":"active","available":true}`, 1},
	{"the same state", "POST", "/v1/agents/ann/state", "write", "", `{"state":"active"}`, 200, `{"state":"active"}`, 0},
	{"no such state", "POST", "/v1/agents/ann/state", "write", "", `{"state":"asleep"}`, 404, `{"code":"not_found"}`, 0},
	{"own state", "PUT", "/v1/agent-states/lunch", "admin", "", `{"title":"Lunch","available":false}`, 204, "", 0},
	{"built in", "PUT", "/v1/agent-states/active", "admin", "", `{"available":false}`, 422, `{"code":"invalid"}`, 0},
	{"states", "GET", "/v1/agent-states", "read", "", "", 200, `{"items":[{"name":"active","available":true},{"name":"inactive"},{"name":"lunch","title":"Lunch"}]}`, 0},
	{"into the queue", "POST", "/v1/conversations/{conversation}/queue", "write", "", `{"queue":"support"}`, 200, `{"kind":"queued"}`, 1},
	{"accept while away", "POST", "/v1/conversations/{conversation}/accept", "write", "", `{"agent":"bob"}`, 409, `{"code":"conflict"}`, 0},
	{"decline what is not offered", "POST", "/v1/conversations/{conversation}/decline", "write", "", `{"agent":"ann"}`, 409, `{"code":"conflict"}`, 0},
	{"accept", "POST", "/v1/conversations/{conversation}/accept", "write", "", `{"agent":"ann"}`, 200, `{"kind":"assigned","data":{"state":"assigned","assignee":"ann","queue":"support"}}`, 1},
	{"accept again", "POST", "/v1/conversations/{conversation}/accept", "write", "", `{"agent":"ann"}`, 409, `{"code":"conflict"}`, 0},
	{"accept nothing", "POST", "/v1/conversations/none/accept", "write", "", `{"agent":"ann"}`, 404, `{"code":"not_found"}`, 0},
	{"load", "GET", "/v1/agents", "read", "", "", 200, `{"items":[{"id":"ann","load":1},{"id":"bob","load":0}]}`, 0},
	{"unread", "GET", "/v1/agents/ann/unread", "read", "", "", 200, `{"conversations":1,"messages":{"{conversation}":1}}`, 0},
	{"own conversations", "GET", "/v1/conversations?assignee=ann&state=assigned", "read", "", "", 200, `{"items":[{"id":"{conversation}"}]}`, 0},
	{"away", "POST", "/v1/agents/ann/state", "write", "", `{"state":"lunch"}`, 200, `{"state":"lunch","available":false,"load":1}`, 1},
	{"sessions", "GET", "/v1/agents/ann/sessions?limit=2", "read", "", "", 200, `{"items":[{"state":"lunch"},{"state":"active"}]}`, 0},
	{"close", "POST", "/v1/conversations/{conversation}/close", "write", "", "", 200, `{"kind":"closed"}`, 1},
	{"nothing left", "GET", "/v1/agents/ann/unread", "read", "", "", 200, `{"conversations":0,"messages":{}}`, 0},
}

func TestDesk(t *testing.T) {
	for name, w := range map[string]*world{"sqlite": newWorld(t), "postgres": newWorldOn(t, pgtest.Start(t))} {
		t.Run(name, func(t *testing.T) {
			channel, conversation := w.talk("admin")
			names := strings.NewReplacer("{channel}", channel, "{conversation}", conversation)
			for _, s := range deskScenes {
				t.Run(s.name, func(t *testing.T) { w.play(t, s, names) })
			}
		})
	}
}

// TestAgentsActForThemselves: a user who is an agent changes the own state only; who runs the queues changes anybody's.
func TestAgentsActForThemselves(t *testing.T) {
	w := people(t)
	ada, eve := w.joined("ada@example.com", "agent"), w.joined("eve@example.com", "admin")
	for _, id := range []string{ada.id, eve.id} {
		w.ok("PUT", "/v1/agents/"+id, "admin", `{"name":"x"}`)
	}
	ada.want(200, "POST", "/v1/agents/"+ada.id+"/state", `{"state":"active"}`)
	ada.want(403, "POST", "/v1/agents/"+eve.id+"/state", `{"state":"active"}`)
	eve.want(200, "POST", "/v1/agents/"+ada.id+"/state", `{"state":"inactive"}`)
}
