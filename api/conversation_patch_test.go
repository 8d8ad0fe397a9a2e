package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// changeScenes: fields, priority and tags of the talk's conversation.
var changeScenes = []scene{
	{"field", "PUT", "/v1/fields/order_number", "admin", "", `{"of":"conversation","title":"Order","type":"number"}`, 200, `{"name":"order_number","of":"conversation","type":"number"}`, 0},
	{"choice", "PUT", "/v1/fields/colour", "admin", "", `{"of":"conversation","type":"choice","choices":["red","blue"]}`, 200, `{"choices":["red","blue"]}`, 0},
	{"of contacts", "PUT", "/v1/fields/vip", "admin", "", `{"of":"contact","type":"yes_no"}`, 200, `{"of":"contact"}`, 0},
	{"choice without choices", "PUT", "/v1/fields/x", "admin", "", `{"of":"contact","type":"choice"}`, 422, `{"errors":[{"path":"body.choices"}]}`, 0},
	{"choices twice", "PUT", "/v1/fields/x", "admin", "", `{"of":"contact","type":"choice","choices":["a","a"]}`, 422, `{"errors":[{"path":"body.choices[1]"}]}`, 0},
	{"bad name", "PUT", "/v1/fields/Order", "admin", "", `{"of":"contact","type":"text"}`, 422, `{"errors":[{"path":"path.name"}]}`, 0},
	{"not for agents", "PUT", "/v1/fields/x", "agent", "", `{"of":"contact","type":"text"}`, 403, `{"code":"forbidden"}`, 0},
	{"of something else", "PUT", "/v1/fields/vip", "admin", "", `{"of":"conversation","type":"text"}`, 409, `{"code":"conflict"}`, 0},
	{"still the same", "GET", "/v1/fields/vip", "read", "", "", 200, `{"of":"contact","type":"yes_no"}`, 0},
	{"list", "GET", "/v1/fields?of=conversation", "read", "", "", 200, `{"items":[{"name":"colour"},{"name":"order_number"}]}`, 0},
	{"change", "PATCH", "/v1/conversations/{conversation}", "agent", "", `{"fields":{"order_number":17,"colour":"red"},"priority":2,"tags":{"add":["vip","late"]}}`, 200, `{"id":"{conversation}","priority":2,"tags":["late","vip"],"fields":{"order_number":17,"colour":"red"}}`, 1},
	{"told", "GET", "/v1/conversations/{conversation}/events?before=99&limit=1", "read", "", "", 200, `{"items":[{"kind":"changed","sender":{"name":"agent"},"data":{"fields":{"order_number":17,"colour":"red"},"priority":2,"tags":{"added":["vip","late"]}}}]}`, 0},
	{"again", "PATCH", "/v1/conversations/{conversation}", "agent", "", `{"fields":{"order_number":17},"priority":2,"tags":{"add":["vip"],"remove":["gone"]}}`, 200, `{"priority":2}`, 0},
	{"nothing", "PATCH", "/v1/conversations/{conversation}", "agent", "", `{}`, 200, `{"priority":2}`, 0},
	{"take away", "PATCH", "/v1/conversations/{conversation}", "agent", "", `{"fields":{"colour":null},"tags":{"remove":["late"]}}`, 200, `{"tags":["vip"],"fields":{"order_number":17}}`, 1},
	{"bad values", "PATCH", "/v1/conversations/{conversation}", "agent", "", `{"fields":{"colour":"green","order_number":"x","unknown":1},"priority":5}`, 422, `{"errors":[{"path":"body.fields.colour"},{"path":"body.fields.order_number"},{"path":"body.fields.unknown","detail":"there is no such field"}]}`, 0},
	{"bad priority", "PATCH", "/v1/conversations/{conversation}", "agent", "", `{"priority":101}`, 422, `{"errors":[{"path":"body.priority"}]}`, 0},
	{"bad tag", "PATCH", "/v1/conversations/{conversation}", "agent", "", `{"tags":{"add":["a,b"]}}`, 422, `{"code":"invalid"}`, 0},
	{"nothing of it", "GET", "/v1/conversations/{conversation}", "read", "", "", 200, `{"priority":2,"tags":["vip"],"fields":{"order_number":17}}`, 0},
	{"no such conversation", "PATCH", "/v1/conversations/none", "agent", "", `{"priority":1}`, 404, `{"code":"not_found"}`, 0},
	{"another workspace", "PATCH", "/v1/conversations/{conversation}", "other", "", `{"priority":1}`, 404, `{"code":"not_found"}`, 0},
	{"contact's field", "PATCH", "/v1/contacts/{contact}", "agent", "", `{"properties":{"vip":true,"free":[1]}}`, 200, `{"properties":{"vip":true,"free":[1]}}`, 0},
	{"contact's bad field", "PATCH", "/v1/contacts/{contact}", "agent", "", `{"properties":{"vip":"sure"}}`, 422, `{"errors":[{"path":"body.properties.vip"}]}`, 0},
	{"tags", "GET", "/v1/tags", "read", "", "", 200, `{"items":[{"name":"vip","conversations":1}]}`, 0},
	{"tags that begin", "GET", "/v1/tags?q=VI", "read", "", "", 200, `{"items":[{"name":"vip"}]}`, 0},
	{"tags that do not", "GET", "/v1/tags?q=ip", "read", "", "", 200, `{"items":[]}`, 0},
	{"tags elsewhere", "GET", "/v1/tags", "other", "", "", 200, `{"items":[]}`, 0},
	{"by tag", "GET", "/v1/conversations?tag=vip", "read", "", "", 200, `{"items":[{"id":"{conversation}"}]}`, 0},
	{"by another tag", "GET", "/v1/conversations?tag=late", "read", "", "", 200, `{"items":[]}`, 0},
	{"by priority", "GET", "/v1/conversations?priority=2", "read", "", "", 200, `{"items":[{"id":"{conversation}"}]}`, 0},
	{"by another priority", "GET", "/v1/conversations?priority=0", "read", "", "", 200, `{"items":[]}`, 0},
	{"by turn", "GET", "/v1/conversations?turn=first_reply&snoozed=false", "read", "", "", 200, `{"items":[{"turn":"first_reply"}]}`, 0},
	{"snoozed", "GET", "/v1/conversations?snoozed=true", "read", "", "", 200, `{"items":[]}`, 0},
	{"answer", "POST", "/v1/conversations/{conversation}/messages", "agent", "", `{"text":"hi"}`, 201, "", 1},
	{"now the contact", "GET", "/v1/conversations?turn=contact", "read", "", "", 200, `{"items":[{"id":"{conversation}"}]}`, 0},
	{"who waits", "GET", "/v1/conversations?sort=waiting", "read", "", "", 200, `{"items":[]}`, 0},
	{"bad turn", "GET", "/v1/conversations?turn=mine", "read", "", "", 422, `{"code":"invalid"}`, 0},
	{"close", "POST", "/v1/conversations/{conversation}/close", "agent", "", "", 200, "", 1},
	{"closed ones too", "PATCH", "/v1/conversations/{conversation}", "agent", "", `{"priority":0}`, 200, `{"state":"closed","priority":0}`, 1},
	{"nobody's turn", "GET", "/v1/conversations?turn=none&tag=vip", "read", "", "", 200, `{"items":[{"id":"{conversation}"}]}`, 0},
	{"delete", "DELETE", "/v1/fields/colour", "admin", "", "", 204, "", 0},
	{"gone", "GET", "/v1/fields/colour", "read", "", "", 404, "", 0},
	{"values stay", "GET", "/v1/conversations/{conversation}", "read", "", "", 200, `{"fields":{"order_number":17}}`, 0},
	{"erase", "DELETE", "/v1/contacts/{contact}", "admin", "", "", 204, "", 1},
	{"nothing left", "GET", "/v1/conversations/{conversation}", "read", "", "", 200, `{"tags":[]}`, 0},
	{"no tags", "GET", "/v1/tags", "read", "", "", 200, `{"items":[]}`, 0},
}

func TestChangeConversation(t *testing.T) { playOnBoth(t, changeScenes) }

// TestWhoWaits: sort=waiting has those that wait for us, the longest first, in pages.
func TestWhoWaits(t *testing.T) {
	w := newWorld(t)
	w.pass(0)
	channel, _ := w.talk("admin")
	for i := range 4 {
		w.pass(time.Second)
		w.say(channel, fmt.Sprint("p", i), "hello")
	}
	w.ok("POST", "/v1/conversations/"+w.of(channel, "p1")+"/messages", "agent", `{"text":"hi"}`)
	var got []string
	for cursor := ""; ; {
		page := w.ok("GET", "/v1/conversations?sort=waiting&limit=2&channel="+channel+"&cursor="+cursor, "read", "")
		var p struct {
			Items []struct {
				Thread struct{ Address string }
			}
			Next string
		}
		w.must(json.Unmarshal([]byte(page.body), &p))
		for _, c := range p.Items {
			got = append(got, c.Thread.Address)
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	if strings.Join(got, " ") != "ada p0 p2 p3" {
		t.Errorf("waiting: %v", got)
	}
}

// of is the conversation of somebody.
func (w *world) of(channel, address string) string {
	w.t.Helper()
	var list struct {
		Items []struct {
			ID     string
			Thread struct{ Address string }
		}
	}
	w.must(json.Unmarshal([]byte(w.ok("GET", "/v1/conversations?channel="+channel, "admin", "").body), &list))
	for _, c := range list.Items {
		if c.Thread.Address == address {
			return c.ID
		}
	}
	w.t.Fatal("no conversation of", address)
	return ""
}

// TestTagsAtTheSameTime: whatever many callers do to the same tags, the conversation and the list of tags agree.
func TestTagsAtTheSameTime(t *testing.T) {
	w := newWorld(t)
	_, conversation := w.talk("admin")
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			body := []string{`{"tags":{"add":["a","b"]}}`, `{"tags":{"remove":["a"]}}`}[i%2]
			w.ok("PATCH", "/v1/conversations/"+conversation, "agent", body)
		})
	}
	all.Wait()
	tags := w.ok("GET", "/v1/conversations/"+conversation, "read", "").json(t)["tags"]
	listed := []any{}
	for _, x := range w.ok("GET", "/v1/tags", "read", "").json(t)["items"].([]any) {
		listed = append(listed, x.(map[string]any)["name"])
	}
	if fmt.Sprint(tags) != fmt.Sprint(listed) {
		t.Errorf("the conversation has %v, the list %v", tags, listed)
	}
}

// TestTagsWithinReach: the tags of conversations that somebody does not see are not told.
func TestTagsWithinReach(t *testing.T) {
	w := people(t)
	ann := w.joined("ann@example.com", "agent")
	w.ok("PUT", "/v1/agents/"+ann.id, "admin", `{"name":"Ann"}`)
	_, conv := w.talk("admin")
	w.ok("PATCH", "/v1/conversations/"+conv, "admin", `{"tags":{"add":["debts"]}}`)
	if got := ann.want(200, "GET", "/v1/tags", ""); !strings.Contains(got.body, `"items":[]`) {
		t.Error("of a conversation that she does not see:", got.body)
	}
	w.ok("POST", "/v1/conversations/"+conv+"/assign", "admin", fmt.Sprintf(`{"assignee":%q}`, ann.id))
	if got := ann.want(200, "GET", "/v1/tags?q=de", ""); got.at(t, "items", 0, "name") != "debts" || got.at(t, "items", 0, "conversations") != "1" {
		t.Error(got.body)
	}
}
