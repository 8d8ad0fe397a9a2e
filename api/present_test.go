package api

import (
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/wake"
)

// TestPresentForgets: nothing is kept of conversations that everybody has left.
func TestPresentForgets(t *testing.T) {
	k, now := &present{}, time.Now()
	for i := range 100 {
		for _, doing := range []wake.Doing{wake.Looking, wake.GoneAway} {
			k.note(wake.Presence{Workspace: "w", Conversation: chat.ConversationID(fmt.Sprint(i)), User: "u", Doing: doing, At: now})
		}
	}
	if k.size != 0 || len(k.there) != 0 {
		t.Errorf("%d presences in %d conversations", k.size, len(k.there))
	}
}
