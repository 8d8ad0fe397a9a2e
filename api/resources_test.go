package api_test

import (
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/store/storetest"
)

const goodFlow = `{"states":[{"name":"start","initial":true,"events":[{"say":"hi"}]}]}`

// scenes are played in order, on one world.
var scenes = []scene{
	{"alive", "GET", "/healthz", "", "", "", 200, `{"status":"ok"}`, 0},
	{"ready", "GET", "/readyz", "", "", "", 200, `{"status":"ready"}`, 0},
	{"no token", "GET", "/v1/me", "", "", "", 401, `{"code":"unauthorized"}`, 0},
	{"wrong token", "GET", "/v1/me", "drg_wrong", "", "", 401, `{"code":"unauthorized"}`, 0},
	{"me", "GET", "/v1/me", "read", "", "", 200, `{"token":{"name":"read","scopes":["read"]},"workspace":{"name":"first"}}`, 0},
	{"no such path", "GET", "/v1/nothing", "admin", "", "", 404, `{"code":"not_found"}`, 0},
	{"wrong method", "PUT", "/v1/conversations", "admin", "", "", 405, `{"code":"method_not_allowed"}`, 0},
	{"unknown query", "GET", "/v1/conversations?statee=bot", "read", "", "", 422, `{"code":"invalid","errors":[{"path":"query.statee"}]}`, 0},

	{"connectors", "GET", "/v1/connectors", "read", "", "", 200, `{"items":[{"name":"simulator","title":"Simulator","settings":{"type":"object"}},{"name":"telegram","traits":{"text_limit":4096}}]}`, 0},

	{"unknown connector", "POST", "/v1/channels", "channels", "", `{"connector":"pigeon"}`, 422, `{"code":"invalid"}`, 0},
	{"unknown member", "POST", "/v1/channels", "channels", "", `{"connector":"simulator","colour":"red"}`, 422, `{"code":"invalid","errors":[{"path":"body.colour"}]}`, 0},
	{"bad settings", "POST", "/v1/channels", "channels", "", `{"connector":"simulator","settings":{"nonsense":1}}`, 422, `{"code":"invalid"}`, 0},
	{"not JSON", "POST", "/v1/channels", "channels", "", `{"connector":`, 400, `{"code":"invalid"}`, 0},
	{"not said to be JSON", "POST", "/v1/channels", "channels", "Content-Type: text/plain", `{"connector":"simulator"}`, 415, `{"code":"unsupported_media_type"}`, 0},
	{"too deep", "POST", "/v1/channels", "channels", "", strings.Repeat("[", 100) + strings.Repeat("]", 100), 422, `{"code":"invalid"}`, 0},
	{"scope is missing", "POST", "/v1/channels", "read", "", `{"connector":"simulator"}`, 403, `{"code":"forbidden","detail":"the token has not got the scope channels"}`, 0},
	{"channels", "GET", "/v1/channels", "read", "", "", 200, `{"items":[{"id":"{channel}","connector":"simulator","status":"active","webhook_url":"https://hub.example/in/{channel}","settings":{"key":"***"}}]}`, 0},
	{"channel", "GET", "/v1/channels/{channel}", "read", "", "", 200, `{"id":"{channel}","settings":{"key":"***"}}`, 0},
	{"patch channel", "PATCH", "/v1/channels/{channel}", "channels", "", `{"name":"renamed","settings":{"key":"***"}}`, 200, `{"name":"renamed","settings":{"key":"***"}}`, 0},
	{"patch channel badly", "PATCH", "/v1/channels/{channel}", "channels", "", `{"status":"asleep"}`, 422, `{"code":"invalid"}`, 0},
	{"check channel", "POST", "/v1/channels/{channel}/check", "channels", "", "", 200, `{}`, 0},
	{"queue to be", "PATCH", "/v1/channels/{channel}", "channels", "", `{"queue":"to-be"}`, 200, `{"queue":"to-be"}`, 0},
	{"check a channel without its queue", "POST", "/v1/channels/{channel}/check", "channels", "", "", 422, `{"code":"invalid","detail":"queue: there is none named to-be: make it, or nobody sees what waits there"}`, 0},
	{"its queue", "PUT", "/v1/queues/to-be", "admin", "", `{"rule":"everyone","members":[]}`, 200, `{}`, 1},
	{"check it again", "POST", "/v1/channels/{channel}/check", "channels", "", "", 200, `{}`, 0},
	{"queue that was", "PATCH", "/v1/channels/{channel}", "channels", "", `{"queue":""}`, 200, `{}`, 0},
	{"delete channel in use", "DELETE", "/v1/channels/{channel}", "channels", "", "", 409, `{"code":"conflict"}`, 0},

	{"bad flow", "PUT", "/v1/flows/welcome", "flows", "", `{"states":[{"name":"a"}]}`, 422, `{"code":"invalid"}`, 0},
	{"flow", "PUT", "/v1/flows/welcome", "flows", "", goodFlow, 200, `{"name":"welcome","version":1,"workers":[]}`, 0},
	{"same flow", "PUT", "/v1/flows/welcome", "flows", "", " " + goodFlow, 200, `{"version":1}`, 0},
	{"new flow", "PUT", "/v1/flows/welcome", "flows", "", strings.Replace(goodFlow, "hi", "ho", 1), 200, `{"version":2}`, 0},
	{"flow name", "PUT", "/v1/flows/a%20b", "flows", "", goodFlow, 422, `{"code":"invalid"}`, 0},
	{"flows", "GET", "/v1/flows", "read", "", "", 200, `{"items":[{"name":"welcome","version":2}]}`, 0},
	{"old flow", "GET", "/v1/flows/welcome?version=1", "read", "", "", 200, `{"version":1,"definition":{"states":[{"name":"start"}]}}`, 0},
	{"no such version", "GET", "/v1/flows/welcome?version=9", "read", "", "", 404, `{"code":"not_found"}`, 0},
	{"flow versions", "GET", "/v1/flows/welcome/versions", "read", "", "", 200, `{"items":[{"version":2},{"version":1}]}`, 0},
	{"versions of none", "GET", "/v1/flows/none/versions", "read", "", "", 404, `{"code":"not_found"}`, 0},

	{"conversations", "GET", "/v1/conversations?state=queued&q=hel", "read", "", "", 200, `{"items":[{"id":"{conversation}","contact":{"name":"Ada"},"state":"queued","preview":"hello","unread":1}]}`, 0},
	{"conversations of none", "GET", "/v1/conversations?assignee=bob", "read", "", "", 200, `{"items":[]}`, 0},
	{"conversations of a bad cursor", "GET", "/v1/conversations?cursor=x", "read", "", "", 422, `{"code":"invalid"}`, 0},
	{"conversation", "GET", "/v1/conversations/{conversation}", "read", "", "", 200, `{"id":"{conversation}","last_seq":3}`, 0},
	{"no conversation", "GET", "/v1/conversations/none", "read", "", "", 404, `{"code":"not_found"}`, 0},
	{"events", "GET", "/v1/conversations/{conversation}/events?limit=2", "read", "", "", 200, `{"items":[{"seq":1,"kind":"opened"},{"seq":2,"kind":"queued"}],"next":"a2"}`, 0},
	{"next events", "GET", "/v1/conversations/{conversation}/events?limit=2&cursor=a2", "read", "", "", 200, `{"items":[{"seq":3,"kind":"message","direction":"in","status":"received","sender":{"type":"contact"},"message":{"stack":[{"type":"text","payload":{"content":"hello"}}]}}]}`, 0},
	{"last events", "GET", "/v1/conversations/{conversation}/events?before=4&limit=1", "read", "", "", 200, `{"items":[{"seq":3}],"next":"b3"}`, 0},
	{"events of a bad cursor", "GET", "/v1/conversations/{conversation}/events?cursor=b-1", "read", "", "", 422, `{"code":"invalid"}`, 0},
	{"events of two places", "GET", "/v1/conversations/{conversation}/events?after=1&before=2", "read", "", "", 422, `{"code":"invalid"}`, 0},

	{"message", "POST", "/v1/conversations/{conversation}/messages", "write", "", `{"text":"good day"}`, 201, `{"seq":4,"kind":"message","direction":"out","status":"queued","sender":{"type":"agent","name":"write"},"message":{"stack":[{"type":"text","payload":{"content":"good day"}}]}}`, 1},
	{"reply", "POST", "/v1/conversations/{conversation}/messages", "write", "", `{"stack":[{"type":"buttons","payload":{"content":"?","buttons":[{"title":"A"}]}}],"reply_to":{"seq":3}}`, 201, `{"message":{"reply_to":{"seq":3}}}`, 1},
	{"reply to nothing", "POST", "/v1/conversations/{conversation}/messages", "write", "", `{"text":"x","reply_to":{"seq":99}}`, 422, `{"code":"invalid"}`, 0},
	{"empty message", "POST", "/v1/conversations/{conversation}/messages", "write", "", `{}`, 422, `{"code":"invalid","errors":[{"path":"body"}]}`, 0},
	{"no body", "POST", "/v1/conversations/{conversation}/messages", "write", "", ``, 400, `{"code":"invalid"}`, 0},
	{"unknown element", "POST", "/v1/conversations/{conversation}/messages", "write", "", `{"stack":[{"type":"text","payload":{"content":"x"}},{"type":"hologram","payload":{}}]}`, 422, `{"code":"invalid","errors":[{"path":"body.stack[1].type"}]}`, 0},
	{"bad payload", "POST", "/v1/conversations/{conversation}/messages", "write", "", `{"stack":[{"type":"text","payload":{"content":5}}]}`, 422, `{"code":"invalid","errors":[{"path":"body.stack[0].payload.content"}]}`, 0},
	{"unknown file", "POST", "/v1/conversations/{conversation}/messages", "write", "", `{"stack":[{"type":"image","payload":{"file":"nothing"}}]}`, 422, `{"code":"invalid","errors":[{"path":"body.stack[0].payload.file"}]}`, 0},
	{"message nowhere", "POST", "/v1/conversations/none/messages", "write", "", `{"text":"x"}`, 404, `{"code":"not_found"}`, 0},
	{"bad key", "POST", "/v1/conversations/{conversation}/messages", "write", "Idempotency-Key: a b", `{"text":"x"}`, 422, `{"code":"invalid"}`, 0},
	{"note", "POST", "/v1/conversations/{conversation}/notes", "write", "", `{"text":"a nice one"}`, 201, `{"kind":"note"}`, 1},
	{"edit what was not sent", "PATCH", "/v1/conversations/{conversation}/messages/4", "write", "", `{"text":"better"}`, 409, `{"code":"conflict"}`, 0},
	{"edit", "PATCH", "/v1/conversations/{conversation}/messages/3", "write", "", `{"text":"better"}`, 200, `{"kind":"edited","data":{"seq":3},"message":{"stack":[{"payload":{"content":"better"}}]}}`, 1},
	{"delete", "DELETE", "/v1/conversations/{conversation}/messages/3", "write", "", "", 200, `{"kind":"deleted","data":{"seq":3}}`, 1},
	{"delete nothing", "DELETE", "/v1/conversations/{conversation}/messages/99", "write", "", "", 422, `{"code":"invalid"}`, 0},
	{"react", "POST", "/v1/conversations/{conversation}/messages/3/reactions", "write", "", `{"emoji":"👍"}`, 201, `{"kind":"reaction","data":{"seq":3,"added":["👍"]}}`, 1},
	{"read", "POST", "/v1/conversations/{conversation}/read", "write", "", "", 200, `{"kind":"read"}`, 1},
	{"nothing unread", "GET", "/v1/conversations/{conversation}", "read", "", "", 200, `{"unread":0}`, 0},
	{"typing", "POST", "/v1/conversations/{conversation}/typing", "write", "", "", 204, "", 0},

	{"queue", "POST", "/v1/conversations/{conversation}/queue", "write", "", `{"queue":"support","reason":"asked"}`, 200, `{"kind":"queued","data":{"state":"queued","queue":"support","reason":"asked"}}`, 1},
	{"assign", "POST", "/v1/conversations/{conversation}/assign", "write", "", `{"assignee":"bob","expect":["queued"]}`, 200, `{"kind":"assigned","data":{"assignee":"bob"}}`, 1},
	{"assign too late", "POST", "/v1/conversations/{conversation}/assign", "write", "", `{"assignee":"eve","expect":["queued"]}`, 409, `{"code":"conflict"}`, 0},
	{"assign to an unknown agent", "POST", "/v1/conversations/{conversation}/assign", "write", "", `{"assignee":"zed"}`, 422, `{"errors":[{"path":"body.assignee"}]}`, 0},
	{"assign in an unknown queue", "POST", "/v1/conversations/{conversation}/assign", "write", "", `{"assignee":"eve","queue":"nosuch"}`, 422, `{"errors":[{"path":"body.queue"}]}`, 0},
	{"into an unknown queue", "POST", "/v1/conversations/{conversation}/queue", "write", "", `{"queue":"nosuch"}`, 422, `{"errors":[{"path":"body.queue"}]}`, 0},
	{"many into an unknown queue", "POST", "/v1/conversations/batch", "write", "", `{"ids":["{conversation}"],"act":"queue","queue":"nosuch"}`, 422, `{"errors":[{"path":"body.queue"}]}`, 0},
	{"many in an unknown queue", "POST", "/v1/conversations/batch", "write", "", `{"ids":["{conversation}"],"act":"assign","assignee":"eve","queue":"nosuch"}`, 422, `{"errors":[{"path":"body.queue"}]}`, 0},
	{"assign to nobody", "POST", "/v1/conversations/{conversation}/assign", "write", "", `{"assignee":""}`, 422, `{"code":"invalid"}`, 0},
	{"to no bot", "POST", "/v1/conversations/{conversation}/bot", "write", "", "", 422, `{"code":"invalid"}`, 0},
	{"to a wrong bot", "POST", "/v1/conversations/{conversation}/bot", "write", "", `{"flow":"none"}`, 422, `{"code":"invalid"}`, 0},
	{"to the bot", "POST", "/v1/conversations/{conversation}/bot", "write", "", `{"flow":"welcome"}`, 200, `{"kind":"bot","data":{"flow":"welcome","version":2}}`, 1},

	{"contacts", "GET", "/v1/contacts?q=ADA", "read", "", "", 200, `{"items":[{"id":"{contact}","name":"Ada"}]}`, 0},
	{"contact", "GET", "/v1/contacts/{contact}", "read", "", "", 200, `{"name":"Ada","identities":[{"channel":"{channel}","address":"ada"}]}`, 0},
	{"patch contact", "PATCH", "/v1/contacts/{contact}", "write", "", `{"name":"Countess","properties":{"vip":true,"tier":2}}`, 200, `{"name":"Countess","properties":{"vip":true,"tier":2}}`, 0},
	{"patch contact again", "PATCH", "/v1/contacts/{contact}", "write", "", `{"language":"en","properties":{"tier":null}}`, 200, `{"language":"en","name":"Countess","properties":{"vip":true,"tier":null}}`, 0},
	{"patch nobody", "PATCH", "/v1/contacts/none", "write", "", `{"name":"x"}`, 404, `{"code":"not_found"}`, 0},

	{"dead letters", "GET", "/v1/dead-letters", "read", "", "", 200, `{"items":[]}`, 0},
	{"replay nothing", "POST", "/v1/dead-letters/out-9/replay", "write", "", "", 404, `{"code":"not_found"}`, 0},

	{"close", "POST", "/v1/conversations/{conversation}/close", "write", "", `{"reason":"done"}`, 200, `{"kind":"closed","data":{"reason":"done"}}`, 1},
	{"close again", "POST", "/v1/conversations/{conversation}/close", "write", "", "", 409, `{"code":"closed"}`, 0},
	{"message after the end", "POST", "/v1/conversations/{conversation}/messages", "write", "", `{"text":"x"}`, 409, `{"code":"closed"}`, 0},
	{"erase", "DELETE", "/v1/contacts/{contact}", "write", "", "", 204, "", 1},
	{"erased", "GET", "/v1/contacts/{contact}", "read", "", "", 200, `{"name":"","identities":[]}`, 0},
	{"switch off", "PATCH", "/v1/channels/{channel}", "channels", "", `{"status":"off"}`, 200, `{"status":"off"}`, 0},
	{"webhook of a channel that is off", "POST", "/in/{channel}", "", "Authorization: Bearer key-of-the-simulator", `{"text":"x"}`, 410, `{"code":"forbidden"}`, 0},
}

func TestResources(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { playAll(t, newWorld(t)) })
	t.Run("postgres", func(t *testing.T) { playAll(t, newWorldOn(t, storetest.Postgres(t))) })
}

func playAll(t *testing.T, w *world) {
	channel, conversation := w.talk("admin")
	w.desk("admin", "support", "@bob", "@eve")
	contact := w.ok("GET", "/v1/contacts", "read", "").at(t, "items", 0, "id")
	names := strings.NewReplacer("{channel}", channel, "{conversation}", conversation, "{contact}", contact)
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) { w.play(t, s, names) })
	}
	if strings.Contains(w.logs.String(), "key-of-the-simulator") {
		t.Error("a secret is in the log")
	}
}

// TestOtherWorkspace walks through everything of one workspace with the admin token of another.
func TestOtherWorkspace(t *testing.T) {
	w := newWorld(t)
	channel, conversation := w.talk("admin")
	contact := w.ok("GET", "/v1/contacts", "read", "").at(t, "items", 0, "id")
	w.ok("PUT", "/v1/flows/welcome", "flows", goodFlow)
	token := w.ok("GET", "/v1/tokens", "admin", "").at(t, "items", 0, "id")
	file := w.ok("POST", "/v1/files?name=a.txt", "write", "content", "Content-Type: text/plain").at(t, "id")
	before := w.head(w.ws)
	_, theirs := w.talk("other")
	for _, path := range []string{
		"GET /v1/channels/" + channel, "PATCH /v1/channels/" + channel, "DELETE /v1/channels/" + channel,
		"POST /v1/channels/" + channel + "/check", "POST /v1/channels/" + channel + "/register",
		"GET /v1/flows/welcome", "GET /v1/flows/welcome/versions",
		"GET /v1/conversations/" + conversation, "GET /v1/conversations/" + conversation + "/events",
		"POST /v1/conversations/" + conversation + `/messages {"text":"x"}`, "POST /v1/conversations/" + conversation + `/notes {"text":"x"}`,
		"PATCH /v1/conversations/" + conversation + `/messages/3 {"text":"x"}`, "DELETE /v1/conversations/" + conversation + "/messages/3",
		"POST /v1/conversations/" + conversation + `/messages/3/reactions {"emoji":"x"}`, "POST /v1/conversations/" + conversation + "/read",
		"POST /v1/conversations/" + conversation + "/typing", "POST /v1/conversations/" + conversation + "/close",
		"POST /v1/conversations/" + conversation + `/queue {"queue":"q"}`, "POST /v1/conversations/" + conversation + `/assign {"assignee":"q"}`,
		"POST /v1/conversations/" + conversation + "/bot", "GET /v1/events?conversation=" + conversation,
		"GET /v1/contacts/" + contact, "PATCH /v1/contacts/" + contact + ` {"name":"x"}`, "DELETE /v1/contacts/" + contact,
		"DELETE /v1/tokens/" + token, "POST /v1/dead-letters/out-4/replay",
	} {
		method, rest, _ := strings.Cut(path, " ")
		where, body, _ := strings.Cut(rest, " ")
		if body == "" && method == "PATCH" {
			body = `{"name":"x"}`
		}
		if got := w.call(method, where, "other", body); got.status != 404 {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if got := w.call("POST", "/v1/conversations/"+theirs+"/messages", "other", `{"stack":[{"type":"file","payload":{"file":"`+file+`"}}]}`); got.status != 422 {
		t.Errorf("another workspace's file: %d %s", got.status, got.body)
	}
	for _, path := range []string{"/v1/contacts?q=Ada", "/v1/flows", "/v1/tokens", "/v1/workspaces"} {
		got := w.ok("GET", path, "other", "")
		for _, id := range []string{contact, "welcome", token, string(w.ws)} {
			if strings.Contains(got.body, id) {
				t.Errorf("%s tells of %s", path, id)
			}
		}
	}
	if got := w.head(w.ws); got != before {
		t.Errorf("the log grew from %d to %d", before, got)
	}
}
