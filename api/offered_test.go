package api_test

import (
	"fmt"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// TestReachOfTheAsked: whoever sees her own conversations only may look at one that is offered to her, accept it or decline it, and nothing
// else; for others it is not there.
func TestReachOfTheAsked(t *testing.T) {
	w := people(t)
	w.ok("PUT", "/v1/roles/own", "admin", `{"rights":["conversations.read","conversations.write"],"reach":"own"}`)
	ada, eve := w.joined("ada@example.com", "own"), w.joined("eve@example.com", "own")
	for _, id := range []string{ada.id, eve.id} {
		w.ok("PUT", "/v1/agents/"+id, "admin", `{"name":"x"}`)
	}
	_, conv := w.talk("admin")
	path := "/v1/conversations/" + conv
	w.desk("admin", "support")
	w.ok("POST", path+"/queue", "admin", `{"queue":"support"}`)
	ada.want(404, "GET", path, "")
	_, err := w.store.Append(t.Context(), &store.Offer{Workspace: w.ws, Conversation: chat.ConversationID(conv), Agents: []string{ada.id}})
	w.must(err)
	ada.want(200, "GET", path, "")
	ada.want(200, "GET", path+"/events", "")
	ada.want(404, "POST", path+"/notes", `{"text":"x"}`)
	ada.want(404, "POST", path+"/close", "")
	for _, act := range []string{"accept", "decline"} {
		eve.want(404, "POST", path+"/"+act, fmt.Sprintf(`{"agent":%q}`, eve.id))
	}
	ada.want(200, "POST", path+"/accept", fmt.Sprintf(`{"agent":%q}`, ada.id))
	ada.want(200, "GET", path, "")
	eve.want(404, "GET", path, "")
}
