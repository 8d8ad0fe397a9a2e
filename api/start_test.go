package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/store/storetest"
)

func TestStartConversation(t *testing.T) {
	for name, w := range map[string]*world{"sqlite": newWorld(t, quickly), "postgres": newWorldOn(t, storetest.Postgres(t), quickly)} {
		t.Run(name, func(t *testing.T) { startConversations(t, w) })
	}
}

func startConversations(t *testing.T, w *world) {
	channel, conversation := w.talk("admin")
	w.desk("admin", "sales", "@ann")
	telegram := w.ok("POST", "/v1/channels", "admin", `{"connector":"telegram","name":"tg","settings":{"token":"123456:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","mode":"polling"}}`).at(t, "id")
	contact := w.ok("GET", "/v1/conversations/"+conversation, "admin", "").at(t, "contact", "id")
	names := strings.NewReplacer("{channel}", channel, "{telegram}", telegram, "{contact}", contact, "{conversation}", conversation)
	for _, s := range []scene{
		{"somebody new", "POST", "/v1/conversations", "admin", "Idempotency-Key: k", `{"channel":"{channel}","address":"bob","name":"Bob","text":"Hello Bob","assign":"ann","queue":"sales"}`, 201, `{"state":"assigned","assignee":"ann","queue":"sales","contact":{"name":"Bob"},"thread":{"address":"bob"},"preview":"Hello Bob","turn":"contact","unread":0}`, 3},
		{"once", "POST", "/v1/conversations", "admin", "Idempotency-Key: k", `{"channel":"{channel}","address":"bob","name":"Bob","text":"Hello Bob","assign":"ann","queue":"sales"}`, 201, `{"assignee":"ann","contact":{"name":"Bob"}}`, 0},
		{"the key for something else", "POST", "/v1/conversations", "admin", "Idempotency-Key: k", `{"channel":"{channel}","address":"bob","text":"Hi","assign":"ann"}`, 422, `{"code":"idempotency_mismatch"}`, 0},
		{"one is open", "POST", "/v1/conversations", "admin", "", `{"channel":"{channel}","contact":"{contact}","text":"Hi","assign":"ann"}`, 409, `{"code":"conflict"}`, 0},
		{"close it", "POST", "/v1/conversations/{conversation}/close", "admin", "", "", 200, "", 1},
		{"with a contact", "POST", "/v1/conversations", "admin", "", `{"channel":"{channel}","contact":"{contact}","text":"Are you well?","queue":"sales"}`, 201, `{"state":"queued","queue":"sales","previous":"{conversation}","contact":{"id":"{contact}"}}`, 3},
		{"where they have to write first", "POST", "/v1/conversations", "admin", "", `{"channel":"{telegram}","address":"77","text":"Hi","assign":"ann"}`, 409, `{"code":"window_closed","detail":"on this platform people have to write first"}`, 0},
		{"no address there", "POST", "/v1/conversations", "admin", "", `{"channel":"{telegram}","contact":"{contact}","text":"Hi","assign":"ann"}`, 422, `{"errors":[{"path":"body.contact"}]}`, 0},
		{"an unknown agent", "POST", "/v1/conversations", "admin", "", `{"channel":"{channel}","address":"cid","text":"Hi","assign":"zed"}`, 422, `{"errors":[{"path":"body.assign"}]}`, 0},
		{"an unknown queue", "POST", "/v1/conversations", "admin", "", `{"channel":"{channel}","address":"cid","text":"Hi","assign":"ann","queue":"nosuch"}`, 422, `{"errors":[{"path":"body.queue"}]}`, 0},
		{"nobody's", "POST", "/v1/conversations", "admin", "", `{"channel":"{channel}","address":"cid","text":"Hi"}`, 422, `{"errors":[{"path":"body.assign"}]}`, 0},
		{"a token is nobody", "POST", "/v1/conversations", "admin", "", `{"channel":"{channel}","address":"cid","text":"Hi","assign":"me"}`, 422, `{"errors":[{"path":"body.assign"}]}`, 0},
		{"to nobody", "POST", "/v1/conversations", "admin", "", `{"channel":"{channel}","text":"Hi","assign":"ann"}`, 422, `{"errors":[{"path":"body"}]}`, 0},
		{"nothing to say", "POST", "/v1/conversations", "admin", "", `{"channel":"{channel}","address":"cid","assign":"ann"}`, 422, `{"code":"invalid"}`, 0},
		{"no such channel", "POST", "/v1/conversations", "admin", "", `{"channel":"none","address":"cid","text":"Hi","assign":"ann"}`, 404, `{"code":"not_found"}`, 0},
		{"another workspace", "POST", "/v1/conversations", "other", "", `{"channel":"{channel}","address":"cid","text":"Hi","assign":"ann"}`, 404, `{"code":"not_found"}`, 0},
		{"readers", "POST", "/v1/conversations", "read", "", `{"channel":"{channel}","address":"cid","text":"Hi","assign":"ann"}`, 403, `{"code":"forbidden"}`, 0},
	} {
		t.Run(s.name, func(t *testing.T) { w.play(t, s, names) })
	}
	w.ok("PUT", "/v1/roles/seller", "admin", `{"rights":["conversations.read","conversations.write"],"reach":"own"}`)
	sue := w.joined("sue@example.com", "seller")
	body := func(address, more string) string {
		return fmt.Sprintf(`{"channel":%q,%s,"text":"Hi",%s}`, channel, address, more)
	}
	mine := sue.want(201, "POST", "/v1/conversations", body(`"address":"dan"`, `"assign":"me"`))
	if mine.at(t, "assignee") != sue.id {
		t.Error(mine.body)
	}
	sue.want(200, "GET", "/v1/conversations/"+mine.at(t, "id"), "")
	sue.want(403, "POST", "/v1/conversations", body(`"address":"eve"`, `"assign":"ann"`))
	sue.want(403, "POST", "/v1/conversations", body(`"address":"eve"`, `"queue":"sales"`))
	sue.want(403, "POST", "/v1/conversations", body(`"contact":"`+contact+`"`, `"assign":"me"`))
}

// TestMentions: a note names whom it is for; only who exists can be named.
func TestMentions(t *testing.T) {
	w := people(t)
	channel, conversation := w.talk("admin")
	ada := w.joined("ada@example.com", "supervisor")
	w.ok("PUT", "/v1/agents/bob", "admin", `{"name":"Bob"}`)
	names := strings.NewReplacer("{channel}", channel, "{conversation}", conversation, "{ada}", ada.id)
	const notes = "/v1/conversations/{conversation}/notes"
	for _, s := range []scene{
		{"two", "POST", notes, "agent", "Idempotency-Key: k", `{"text":"look, please","mentions":["bob","{ada}","bob"]}`, 201, `{"kind":"note","mentions":["{ada}","bob"]}`, 1},
		{"once", "POST", notes, "agent", "Idempotency-Key: k", `{"text":"look, please","mentions":["{ada}","bob"]}`, 201, `{"mentions":["{ada}","bob"]}`, 0},
		{"others", "POST", notes, "agent", "Idempotency-Key: k", `{"text":"look, please","mentions":["bob"]}`, 422, `{"code":"idempotency_mismatch"}`, 0},
		{"nobody", "POST", notes, "agent", "", `{"text":"hm"}`, 201, `{"kind":"note"}`, 1},
		{"unknown", "POST", notes, "agent", "", `{"text":"hm","mentions":["zed"]}`, 422, `{"errors":[{"path":"body.mentions"}]}`, 0},
		{"not in messages", "POST", "/v1/conversations/{conversation}/messages", "agent", "", `{"text":"hm","mentions":["bob"]}`, 422, `{"code":"invalid"}`, 0},
		{"read again", "GET", "/v1/conversations/{conversation}/events?after=3&limit=1", "read", "", "", 200, `{"items":[{"mentions":["{ada}","bob"]}]}`, 0},
	} {
		t.Run(s.name, func(t *testing.T) {
			w.play(t, s, names)
		})
	}
}
