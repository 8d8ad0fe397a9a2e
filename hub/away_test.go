package hub_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store/pgtest"
)

// The database goes while a message of ours is on its way and while a call of several events comes in, and is back later.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t)
	arrived, gate := make(chan struct{}, 10), make(chan struct{})
	api := newBotAPI(t, func(c botCall, _ http.ResponseWriter, _ *http.Request) bool {
		if c.method == "sendMessage" {
			arrived <- struct{}{}
			<-gate
		}
		return false
	})
	w := newWorld(t, setup{dsn: server.Database(t), lease: 2 * time.Second}).run()
	phone := w.channel("whatsapp", number("https://graph.facebook.com"))
	if _, err := w.MaxBody(t.Context(), phone); err != nil { // opens the channel
		t.Fatal(err)
	}
	conv := w.meet(w.channel("telegram", api.bot()), "100")
	one := w.say(conv, "one")
	two := w.say(conv, "two")
	hear(t, "the request", arrived)
	server.Stop(t)
	close(gate)
	call := graph(graphText(1, "15551"), graphText(2, "15552"), graphText(3, "15551"))
	if got, err := w.Receive(t.Context(), phone, call); chat.CodeOf(err) != chat.CodeUnavailable || got.Status != 0 {
		t.Fatalf("got %+v, %v", got, err)
	}
	server.Start(t)
	for range 3 { // the platform repeats it
		if _, err := w.Receive(t.Context(), phone, call); err != nil {
			t.Fatal(err)
		}
	}
	var came []string
	for _, e := range w.all(chat.KindMessage) {
		if e.Channel == phone {
			came = append(came, e.Message.Text())
		}
	}
	if !slices.Equal(came, []string{"m1", "m2", "m3"}) {
		t.Errorf("stored: %q", came)
	}
	w.awaitStatus(conv, one, chat.Sent)
	w.awaitStatus(conv, two, chat.Sent)
	if got, want := texts(api.all()), []string{"100 one", "100 two"}; !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
}
