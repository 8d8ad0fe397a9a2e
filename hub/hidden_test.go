package hub_test

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/telemetry"
)

// A connector that writes its token into the log, as authors do by mistake.
func TestTheLogHidesWhatChannelsKnow(t *testing.T) {
	t.Parallel()
	s := &script{send: func(ctx context.Context, env connector.Env, part connector.Part) (connector.Sent, error) {
		env.Log.InfoContext(ctx, "sending with "+string(env.Settings))
		return connector.Sent{ID: part.Key}, nil
	}}
	hidden := &telemetry.Secrets{}
	w := newWorld(t, setup{hidden: hidden, platforms: []connector.Platform{s.platform("chatty", connector.Traits{})}}).run()
	const first, second, mood = "SECRETchattyTOKEN0001", "SECRETchattyTOKEN0002", "rather good"
	ch := w.channel("chatty", map[string]any{"token": first, "mood": mood})
	conv := w.meet(ch, "ann")
	w.awaitStatus(conv, w.say(conv, "x"), chat.Sent)
	if _, err := w.PatchChannel(t.Context(), w.workspace, ch, hub.ChannelPatch{Settings: asJSON(map[string]any{"token": second})}); err != nil {
		t.Fatal(err)
	}
	w.remember(ch)
	w.awaitStatus(conv, w.say(conv, "y"), chat.Sent)
	if text := w.log.text(); strings.Contains(text, "TOKEN000") || strings.Count(text, mood) != 2 {
		t.Errorf("logged: %s", text)
	}
	eventually(t, "the old token to be forgotten", func() bool {
		runtime.GC() // nobody has the old line any more
		return hidden.Hide(first) == first
	})
	if hidden.Hide(second) == second {
		t.Error("the new token is forgotten too")
	}
}

func TestJobsUnderWayAreCounted(t *testing.T) {
	t.Parallel()
	arrived, gate := make(chan struct{}), make(chan struct{})
	s := &script{send: func(_ context.Context, _ connector.Env, part connector.Part) (connector.Sent, error) {
		close(arrived)
		<-gate
		return connector.Sent{ID: part.Key}, nil
	}}
	w := newWorld(t, setup{platforms: []connector.Platform{s.platform("slow", connector.Traits{})}}).run()
	conv := w.meet(w.channel("slow", map[string]any{"token": "SECRETslowTOKEN000001"}), "ann")
	seq := w.say(conv, "x")
	hear(t, "the request", arrived)
	if n := w.count("jobs_in_flight", `work="out"`); n != 1 {
		t.Errorf("%v under way", n)
	}
	close(gate)
	w.awaitStatus(conv, seq, chat.Sent)
	eventually(t, "the end of the job", func() bool { return w.count("jobs_in_flight", `work="out"`) == 0 })
}
