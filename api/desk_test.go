package api_test

import (
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/store/storetest"
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
	{"team", "PUT", "/v1/teams/night", "admin", "", `{"title":"Night","members":["bob","ann","bob"]}`, 200, `{"name":"night","members":["ann","bob"]}`, 1},
	{"team in a team", "PUT", "/v1/teams/day", "admin", "", `{"members":["team:night"]}`, 422, `{"code":"invalid"}`, 0},
	{"teams", "GET", "/v1/teams", "read", "", "", 200, `{"items":[{"name":"night","title":"Night"}]}`, 0},
	{"queue of a team", "PUT", "/v1/queues/second", "admin", "", `{"rule":"round_robin","members":["team:night"]}`, 200, `{"members":["team:night"]}`, 1},
	{"queue of no team", "PUT", "/v1/queues/third", "admin", "", `{"rule":"round_robin","members":["team:day"]}`, 422, `{"code":"invalid"}`, 0},
	{"team in use", "DELETE", "/v1/teams/night", "admin", "", "", 409, `{"code":"conflict"}`, 0},
	{"no such team", "DELETE", "/v1/teams/none", "admin", "", "", 404, `{"code":"not_found"}`, 0},
	{"hours", "PUT", "/v1/hours/office", "admin", "", `{"time_zone":"Europe/Berlin","week":{"mon":[["09:00","17:00"]]},"closed":["2026-12-25"]}`, 200, `{"name":"office","time_zone":"Europe/Berlin","week":{"mon":[["09:00","17:00"]]}}`, 1},
	{"bad hours", "PUT", "/v1/hours/odd", "admin", "", `{"time_zone":"Europe/Berlin","week":{"mon":[["17:00","09:00"]]}}`, 422, `{"code":"invalid"}`, 0},
	{"no such hours", "GET", "/v1/hours/none", "read", "", "", 404, `{"code":"not_found"}`, 0},
	{"all hours", "GET", "/v1/hours", "read", "", "", 200, `{"items":[{"name":"office"}]}`, 0},
	{"queue with hours", "PUT", "/v1/queues/third", "admin", "", `{"rule":"expression","members":["ann"],"settings":{"expression":"1","hours":"office","when_closed":{"say":"Closed."},"limit":9,"when_full":{"queue":"second"},"max_wait_seconds":60,"after_max_wait":{"close":true},"tell_wait":"{{position}}"}}`, 200, `{"settings":{"hours":"office","when_closed":{"say":"Closed."},"limit":9,"when_full":{"queue":"second"},"max_wait_seconds":60,"after_max_wait":{"close":true},"tell_wait":"{{position}}"}}`, 1},
	{"hours in use", "DELETE", "/v1/hours/office", "admin", "", "", 409, `{"code":"conflict"}`, 0},
	{"queue with a service", "PUT", "/v1/queues/fourth", "admin", "", `{"rule":"http","members":[],"settings":{"url":"https://rules.example/who","secret":"whsec_c2VjcmV0"}}`, 200, `{"settings":{"url":"https://rules.example/who"}}`, 1},
	{"its secret stays", "PUT", "/v1/queues/fourth", "admin", "", `{"rule":"http","members":[],"settings":{"url":"https://rules.example/who","timeout_ms":500}}`, 200, `{"settings":{"timeout_ms":500}}`, 1},
	{"service without a secret", "PUT", "/v1/queues/fifth", "admin", "", `{"rule":"http","members":[],"settings":{"url":"https://rules.example/who"}}`, 422, `{"code":"invalid"}`, 0},
	{"service of no address", "PUT", "/v1/queues/fifth", "admin", "", `{"rule":"http","members":[],"settings":{"url":"file:///etc/passwd","secret":"x"}}`, 422, `{"code":"invalid"}`, 0},
	{"expression that is none", "PUT", "/v1/queues/fifth", "admin", "", `{"rule":"expression","members":[],"settings":{"expression":"agent.salary"}}`, 422, `{"code":"invalid"}`, 0},
	{"passing on to itself", "PUT", "/v1/queues/fifth", "admin", "", `{"rule":"everyone","members":[],"settings":{"limit":1,"when_full":{"queue":"fifth"}}}`, 422, `{"code":"invalid"}`, 0},
	{"passing on to nowhere", "PUT", "/v1/queues/fifth", "admin", "", `{"rule":"everyone","members":[],"settings":{"limit":1,"when_full":{"queue":"none"}}}`, 422, `{"code":"invalid"}`, 0},
	{"passing on to no flow", "PUT", "/v1/queues/fifth", "admin", "", `{"rule":"everyone","members":[],"settings":{"max_wait_seconds":60,"after_max_wait":{"flow":"none"}}}`, 422, `{"code":"invalid"}`, 0},
	{"two ways", "PUT", "/v1/queues/fifth", "admin", "", `{"rule":"everyone","members":[],"settings":{"limit":1,"when_full":{"queue":"second","close":true}}}`, 422, `{"code":"invalid"}`, 0},
	{"full without a limit", "PUT", "/v1/queues/fifth", "admin", "", `{"rule":"everyone","members":[],"settings":{"when_full":{"close":true}}}`, 422, `{"code":"invalid"}`, 0},
	{"closed without hours", "PUT", "/v1/queues/fifth", "admin", "", `{"rule":"everyone","members":[],"settings":{"hours":"none","when_closed":{"close":true}}}`, 422, `{"code":"invalid"}`, 0},
	{"bad placeholder", "PUT", "/v1/queues/fifth", "admin", "", `{"rule":"everyone","members":[],"settings":{"tell_wait":"{{name}}"}}`, 422, `{"code":"invalid"}`, 0},
	{"too short a wait", "PUT", "/v1/queues/fifth", "admin", "", `{"rule":"everyone","members":[],"settings":{"max_wait_seconds":1}}`, 422, `{"code":"invalid"}`, 0},
	{"nobody waits", "GET", "/v1/queues/support/waiting", "read", "", "", 200, `{"open":true,"waiting":0,"agents":{"free":0,"busy":0,"away":2}}`, 0},
	{"nobody waits nowhere", "GET", "/v1/queues/none/waiting", "read", "", "", 404, `{"code":"not_found"}`, 0},
	{"no such queue", "GET", "/v1/queues/none", "read", "", "", 404, `{"code":"not_found"}`, 0},
	{"state", "POST", "/v1/agents/ann/state", "write", "", `{"state":"active"}`, 200, `{"state":"active","available":true}`, 1},
	{"the same state", "POST", "/v1/agents/ann/state", "write", "", `{"state":"active"}`, 200, `{"state":"active"}`, 0},
	{"no such state", "POST", "/v1/agents/ann/state", "write", "", `{"state":"asleep"}`, 404, `{"code":"not_found"}`, 0},
	{"own state", "PUT", "/v1/agent-states/lunch", "admin", "", `{"title":"Lunch","available":false}`, 204, "", 0},
	{"built in", "PUT", "/v1/agent-states/active", "admin", "", `{"available":false}`, 422, `{"code":"invalid"}`, 0},
	{"states", "GET", "/v1/agent-states", "read", "", "", 200, `{"items":[{"name":"active","available":true},{"name":"inactive"},{"name":"lunch","title":"Lunch"}]}`, 0},
	{"into the queue", "POST", "/v1/conversations/{conversation}/queue", "write", "", `{"queue":"support"}`, 200, `{"kind":"queued"}`, 1},
	{"waiting", "GET", "/v1/conversations/{conversation}/waiting", "read", "", "", 200, `{"queue":"support","position":1,"estimate_seconds":0}`, 0},
	{"why nobody", "GET", "/v1/conversations/{conversation}/routing", "read", "", "", 200, `{"state":"queued","queue":"support","position":1,"decisions":[{"kind":"queued"},{"kind":"queued"}]}`, 0},
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
	{"why it was so", "GET", "/v1/conversations/{conversation}/routing", "read", "", "", 200, `{"state":"closed","decisions":[{"kind":"queued"},{"kind":"queued"},{"kind":"assigned","agents":["ann"]},{"kind":"closed"}]}`, 0},
	{"not waiting", "GET", "/v1/conversations/{conversation}/waiting", "read", "", "", 200, `{"position":0}`, 0},
	{"what if", "POST", "/v1/routing/what-if", "read", "", `{"rule":"least_busy","from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z"}`, 200, `{"rule":"least_busy","arrived":0,"differences":[]}`, 0},
	{"what if of a service", "POST", "/v1/routing/what-if", "read", "", `{"rule":"http","from":"2026-01-01T00:00:00Z"}`, 422, `{"code":"invalid"}`, 0},
	{"what if of a year", "POST", "/v1/routing/what-if", "read", "", `{"rule":"everyone","from":"2020-01-01T00:00:00Z"}`, 422, `{"code":"invalid"}`, 0},
	{"nothing left", "GET", "/v1/agents/ann/unread", "read", "", "", 200, `{"conversations":0,"messages":{}}`, 0},
}

func TestDesk(t *testing.T) {
	for name, w := range map[string]*world{"sqlite": newWorld(t), "postgres": newWorldOn(t, storetest.Postgres(t))} {
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
