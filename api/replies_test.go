package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/store/storetest"
)

// replyScenes are canned replies in the order of their life; Ada of the talk speaks no language that is known, in no queue at first.
var replyScenes = []scene{
	{"none", "GET", "/v1/replies", "read", "", "", 200, `{"items":[]}`, 0},
	{"put", "PUT", "/v1/replies/Greeting", "admin", "", `{"title":"Hello there","shortcut":"Hi","language":"en","texts":{"en":"Hello {{contact.name}}!","fr":"Bonjour {{contact.name}} !"}}`, 200, `{"name":"Greeting","shortcut":"hi","language":"en","queues":[]}`, 0},
	{"with defaults", "PUT", "/v1/replies/good%20bye", "admin", "", `{"texts":{"de":"Tschüss {{contact.email}}","en":"Bye {{contact.email|my friend}}"}}`, 200, `{"shortcut":"good-bye","language":"de"}`, 0},
	{"of a queue", "PUT", "/v1/replies/refund", "admin", "", `{"title":"Refund","texts":{"en":"100% hello back to {{fields.iban}}"},"queues":["billing","a_b"]}`, 200, `{"queues":["billing","a_b"]}`, 0},
	{"unknown variable", "PUT", "/v1/replies/bad", "admin", "", `{"texts":{"en":"{{contact.nam}}"}}`, 422, `{"errors":[{"path":"body.texts.en"}]}`, 0},
	{"open variable", "PUT", "/v1/replies/bad", "admin", "", `{"texts":{"en":"{{contact.name"}}`, 422, `{"errors":[{"path":"body.texts.en"}]}`, 0},
	{"no texts", "PUT", "/v1/replies/bad", "admin", "", `{"texts":{}}`, 422, `{"code":"invalid"}`, 0},
	{"no language", "PUT", "/v1/replies/bad", "admin", "", `{"texts":{"english please":"x"}}`, 422, `{"errors":[{"path":"body.texts"}]}`, 0},
	{"fallback without text", "PUT", "/v1/replies/bad", "admin", "", `{"language":"fr","texts":{"en":"x"}}`, 422, `{"errors":[{"path":"body.language"}]}`, 0},
	{"bad shortcut", "PUT", "/v1/replies/bad", "admin", "", `{"shortcut":"a b","texts":{"en":"x"}}`, 422, `{"errors":[{"path":"body.shortcut"}]}`, 0},
	{"bad queue", "PUT", "/v1/replies/bad", "admin", "", `{"texts":{"en":"x"},"queues":["a\nb"]}`, 422, `{"errors":[{"path":"body.queues[0]"}]}`, 0},
	{"not for agents", "PUT", "/v1/replies/bad", "agent", "", `{"texts":{"en":"x"}}`, 403, `{"code":"forbidden"}`, 0},
	{"nothing stored", "GET", "/v1/replies/bad", "read", "", "", 404, `{"code":"not_found"}`, 0},
	{"list", "GET", "/v1/replies", "read", "", "", 200, `{"items":[{"name":"good bye"},{"name":"Greeting"},{"name":"refund"}]}`, 0},
	{"pages", "GET", "/v1/replies?limit=2", "read", "", "", 200, `{"items":[{},{}],"next":"2"}`, 0},
	{"last page", "GET", "/v1/replies?limit=2&cursor=2", "read", "", "", 200, `{"items":[{"name":"refund"}]}`, 0},
	{"bad cursor", "GET", "/v1/replies?cursor=-2", "read", "", "", 422, `{"code":"invalid"}`, 0},
	{"by text, beginnings first", "GET", "/v1/replies?q=hello", "read", "", "", 200, `{"items":[{"name":"Greeting"},{"name":"refund"}]}`, 0},
	{"no wildcards", "GET", "/v1/replies?q=100%25", "read", "", "", 200, `{"items":[{"name":"refund"}]}`, 0},
	{"by queue", "GET", "/v1/replies?queue=axb", "read", "", "", 200, `{"items":[{},{}]}`, 0},
	{"by language", "GET", "/v1/replies?language=fr", "read", "", "", 200, `{"items":[{"name":"Greeting"}]}`, 0},
	{"filled in", "GET", "/v1/conversations/{conversation}/replies?q=hi", "agent", "", "", 200, `{"items":[{"name":"Greeting","shortcut":"hi","title":"Hello there","language":"en","text":"Hello Ada!","missing":[]}]}`, 0},
	{"in a language", "GET", "/v1/conversations/{conversation}/replies?q=hi&language=fr-CA", "agent", "", "", 200, `{"items":[{"language":"fr","text":"Bonjour Ada !"}]}`, 0},
	{"missing", "GET", "/v1/conversations/{conversation}/replies?q=tsch", "agent", "", "", 200, `{"items":[{"text":"Tschüss {{contact.email}}","missing":["contact.email"]}]}`, 0},
	{"otherwise", "GET", "/v1/conversations/{conversation}/replies?q=good&language=en", "agent", "", "", 200, `{"items":[{"text":"Bye my friend","missing":[]}]}`, 0},
	{"not of the queue", "GET", "/v1/conversations/{conversation}/replies?q=refund", "agent", "", "", 200, `{"items":[]}`, 0},
	{"speaks French", "PATCH", "/v1/contacts/{contact}", "agent", "", `{"language":"fr"}`, 200, `{"language":"fr"}`, 0},
	{"in the contact's language", "GET", "/v1/conversations/{conversation}/replies?q=hi", "agent", "", "", 200, `{"items":[{"text":"Bonjour Ada !"}]}`, 0},
	{"no such conversation", "GET", "/v1/conversations/none/replies", "agent", "", "", 404, `{"code":"not_found"}`, 0},
	{"change", "PUT", "/v1/replies/Greeting", "admin", "", `{"texts":{"en":"Hey"}}`, 200, `{"shortcut":"greeting","texts":{"en":"Hey"}}`, 0},
	{"delete", "DELETE", "/v1/replies/Greeting", "admin", "", "", 204, "", 0},
	{"delete again", "DELETE", "/v1/replies/Greeting", "admin", "", "", 404, `{"code":"not_found"}`, 0},
	{"another workspace", "GET", "/v1/replies/refund", "other", "", "", 404, `{"code":"not_found"}`, 0},
	{"in the audit log", "GET", "/v1/audit?kind=reply&limit=1", "admin", "", "", 200, `{"items":[{"act":"deleteReply","object":"Greeting","before":{"name":"Greeting"}}]}`, 0},
}

func TestReplies(t *testing.T) { playOnBoth(t, replyScenes) }

// playOnBoth plays scenes in their order on both databases, after a talk.
func playOnBoth(t *testing.T, scenes []scene) {
	for name, w := range map[string]*world{"sqlite": newWorld(t), "postgres": newWorldOn(t, storetest.Postgres(t))} {
		t.Run(name, func(t *testing.T) {
			names := w.names()
			for _, s := range scenes {
				t.Run(s.name, func(t *testing.T) { w.play(t, s, names) })
			}
		})
	}
}

// names makes a talk and gives its ids.
func (w *world) names() *strings.Replacer {
	channel, conversation := w.talk("admin")
	contact := w.ok("GET", "/v1/conversations/"+conversation, "admin", "").at(w.t, "contact", "id")
	return strings.NewReplacer("{channel}", channel, "{conversation}", conversation, "{contact}", contact)
}

// TestRepliesOfQueues: in a conversation of a queue there are the replies of that queue and those of all.
func TestRepliesOfQueues(t *testing.T) {
	w := newWorld(t)
	_, conversation := w.talk("admin")
	for name, queues := range map[string]string{"all": "", "mine": `,"queues":["billing","support"]`, "theirs": `,"queues":["bill"]`} {
		w.ok("PUT", "/v1/replies/"+name, "admin", fmt.Sprintf(`{"texts":{"en":"x {{conversation.queue|nowhere}}"}%s}`, queues))
	}
	w.ok("PUT", "/v1/queues/support", "admin", `{"title":"First aid","rule":"everyone","members":[]}`)
	w.ok("POST", "/v1/conversations/"+conversation+"/queue", "admin", `{"queue":"support"}`)
	got := w.ok("GET", "/v1/conversations/"+conversation+"/replies", "agent", "")
	if got.at(t, "items", 0, "name") != "all" || got.at(t, "items", 1, "name") != "mine" || strings.Contains(got.body, "theirs") {
		t.Error(got.body)
	}
	if got.at(t, "items", 1, "text") != "x First aid" {
		t.Error(got.body)
	}
}
