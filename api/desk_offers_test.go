package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

// TestMyOffers: an agent is told what she may accept, and nobody else's offers.
func TestMyOffers(t *testing.T) {
	for name, w := range map[string]*world{"sqlite": people(t), "postgres": newWorldOn(t, storetest.Postgres(t), quickly)} {
		t.Run(name, func(t *testing.T) {
			ada, eve := w.joined("ada@example.com", "agent"), w.joined("eve@example.com", "agent")
			for _, id := range []string{ada.id, eve.id} {
				w.ok("PUT", "/v1/agents/"+id, "admin", `{"name":"x"}`)
			}
			w.desk("admin", "support")
			_, conv := w.talk("admin")
			w.ok("POST", "/v1/conversations/"+conv+"/queue", "admin", `{"queue":"support"}`)
			_, err := w.store.Append(t.Context(), &store.Offer{Workspace: w.ws, Conversation: chat.ConversationID(conv), Agents: []string{ada.id}, Until: w.clock().Add(time.Minute)})
			w.must(err)
			if got := ada.want(200, "GET", "/v1/conversations?ids=x,"+conv, ""); got.at(t, "items", 0, "id") != conv {
				t.Errorf("what is offered, by its id: %s", got.body)
			}
			if got := eve.want(200, "GET", "/v1/conversations?ids="+conv, ""); strings.Contains(got.body, conv) {
				t.Errorf("by its id eve sees %s", got.body)
			}
			extend := "/v1/conversations/" + conv + "/extend"
			eve.want(404, "POST", extend, `{"agent":"`+eve.id+`"}`) // she does not see it
			ada.want(403, "POST", extend, `{"agent":"`+eve.id+`"}`)
			if got := ada.want(200, "POST", extend, `{"agent":"`+ada.id+`"}`); got.at(t, "kind") != "offer_extended" {
				t.Errorf("extended: %s", got.body)
			}
			if got := ada.want(200, "GET", "/v1/me/offers", ""); !strings.Contains(got.body, conv) || !strings.Contains(got.body, ada.id) {
				t.Errorf("ada is told %s", got.body)
			}
			if got := eve.want(200, "GET", "/v1/me/offers", ""); strings.Contains(got.body, conv) {
				t.Errorf("eve is told %s", got.body)
			}
			ada.want(200, "POST", "/v1/conversations/"+conv+"/accept", `{"agent":"`+ada.id+`"}`)
			if got := ada.want(200, "GET", "/v1/me/offers", ""); strings.Contains(got.body, conv) {
				t.Errorf("what was accepted is still offered: %s", got.body)
			}
		})
	}
}

// TestDeskChannels: agents see what channels can carry, and none of their settings.
func TestDeskChannels(t *testing.T) {
	w := people(t)
	channel, _ := w.talk("admin")
	ada := w.joined("ada@example.com", "agent")
	ada.want(403, "GET", "/v1/channels", "")
	got := ada.want(200, "GET", "/v1/desk/channels", "")
	if !strings.Contains(got.body, channel) || !strings.Contains(got.body, `"traits":{`) || strings.Contains(got.body, "settings") {
		t.Errorf("ada sees %s", got.body)
	}
}
