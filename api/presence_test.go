package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/wake"
)

// TestPresence: two agents in one conversation see each other, live and at once when they come; nothing of it is stored.
func TestPresence(t *testing.T) {
	w := people(t)
	url := w.serve()
	_, conversation := w.talk("admin")
	path := "/v1/conversations/" + conversation + "/presence"
	head := w.head(w.ws)
	ada, eve := w.joined("ada@example.com", "supervisor"), w.joined("eve@example.com", "supervisor")
	live := w.stream(url, "?kinds=presence", "read")
	live.next() // the first mark: from here on it is live

	if got := ada.want(200, "POST", path, `{"doing":"looking"}`); !strings.Contains(got.body, `"others":[]`) {
		t.Error(got.body)
	}
	if e := live.event(); e.kind != "presence" || e.id != "" || !strings.Contains(e.data, `"doing":"looking"`) || !strings.Contains(e.data, ada.id) || !strings.Contains(e.data, conversation) {
		t.Errorf("%+v", e)
	}
	if got := eve.want(200, "POST", path, `{"doing":"typing"}`); got.at(t, "others", 0, "user") != ada.id || got.at(t, "others", 0, "doing") != "looking" {
		t.Error(got.body)
	}
	if got := ada.want(200, "POST", path, `{"doing":"gone"}`); got.at(t, "others", 0, "user") != eve.id || got.at(t, "others", 0, "doing") != "typing" {
		t.Error(got.body)
	}
	for _, want := range []string{"typing", "gone"} {
		if e := live.event(); !strings.Contains(e.data, `"doing":"`+want+`"`) {
			t.Errorf("%+v, want %s", e, want)
		}
	}
	if got := eve.want(200, "POST", path, `{"doing":"looking"}`); !strings.Contains(got.body, `"others":[]`) {
		t.Error("who has gone is still there:", got.body)
	}
	eve.want(422, "POST", path, `{"doing":"sleeping"}`)
	eve.want(404, "POST", "/v1/conversations/none/presence", `{"doing":"looking"}`)
	if got := w.head(w.ws); got != head {
		t.Errorf("the log grew by %d", got-head)
	}
}

// TestPresenceEnds: who says nothing for a while is not there any more.
func TestPresenceEnds(t *testing.T) {
	w := newWorld(t)
	w.pass(0) // the clock stands from now on
	_, conversation := w.talk("admin")
	path := "/v1/conversations/" + conversation + "/presence"
	w.ok("POST", path, "write", `{"doing":"looking"}`)
	w.pass(wake.PresenceFor - time.Second)
	if got := w.ok("POST", path, "agent", `{"doing":"looking"}`); got.at(t, "others", 0, "name") != "write" {
		t.Error(got.body)
	}
	w.pass(time.Second)
	if got := w.ok("POST", path, "agent", `{"doing":"looking"}`); !strings.Contains(got.body, `"others":[]`) {
		t.Error(got.body)
	}
}

// TestPresenceOfOtherNodes: what was said on another node is known here, within the reader's sight only.
func TestPresenceOfOtherNodes(t *testing.T) {
	w := people(t)
	url := w.serve()
	_, conversation := w.talk("admin")
	live := w.stream(url, "?kinds=presence", "read")
	live.next()
	w.bus.Presence(wake.Presence{Workspace: w.ws, Conversation: chat.ConversationID(conversation), User: "far", Name: "Far", Doing: wake.Looking, At: time.Now()})
	live.event()
	if got := w.ok("POST", "/v1/conversations/"+conversation+"/presence", "write", `{"doing":"looking"}`); got.at(t, "others", 0, "user") != "far" {
		t.Error(got.body)
	}
	ann := w.joined("ann@example.com", "agent")
	ann.want(404, "POST", "/v1/conversations/"+conversation+"/presence", `{"doing":"looking"}`)
}
