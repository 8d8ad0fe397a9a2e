package widget

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/dragoman-hub/dragoman/compat/chatfaq/mml"
)

// chained is one message of a conversation's history.
type chained struct {
	ID           int64           `json:"id"`
	Created      string          `json:"created_date"`
	Updated      string          `json:"updated_date"`
	Conversation int64           `json:"conversation"`
	Prev         *int64          `json:"prev"`
	Sender       agent           `json:"sender"`
	Receiver     *agent          `json:"receiver"`
	SendTime     string          `json:"send_time"`
	Confidence   *int            `json:"confidence"`
	Threshold    *int            `json:"threshold"`
	Meta         json.RawMessage `json:"meta"`
	Stack        []mml.Layer     `json:"stack"`
	StackID      *string         `json:"stack_id"`
	StackGroupID *string         `json:"stack_group_id"`
	Last         bool            `json:"last"`
	LastChunk    bool            `json:"last_chunk"`
	State        *string         `json:"fsm_state"`
}

// maxHistory is how many events of a thread, its newest ones, make its history.
const maxHistory = 5000

// chain is the history that clients see: terminators are in it, what was taken back is not. Files that it asks for become the newest
// conversation's.
func (s *Server) chain(r *http.Request, t thread) ([]chained, error) {
	var all []item
	for n, left := 0, maxHistory; n < len(t) && left > 0; n++ {
		events, err := s.Store.LastEvents(r.Context(), t[n].site.workspace, t[n].ID, 0, left)
		if err != nil {
			return nil, err
		}
		part, _ := items(t[n].State, events)
		all, left = append(part, all...), left-len(events)
	}
	now := t[0]
	v := view{
		workspace: now.site.workspace, channel: now.Channel, conversation: now.ID, number: now.number, user: now.Thread.Address, base: s.base(r),
	}
	out := make([]chained, len(all))
	for n, i := range all {
		out[n] = s.chained(v, i)
		if n > 0 {
			out[n].Prev = &out[n-1].ID
		}
	}
	return out, nil
}

func (s *Server) chained(v view, i item) chained {
	at := isoTime(i.event.At)
	c := chained{
		ID: s.numbers.of(i.id), Created: at, Updated: at, Conversation: v.number, SendTime: at, Meta: json.RawMessage("null"), Stack: s.stack(v, i),
		Last: i.last, LastChunk: true,
	}
	human := agent{Type: "human", ID: v.user}
	if i.human {
		human.Platform, c.LastChunk = "WS", false
		c.Sender = human
		return c
	}
	one := 1
	c.Sender, c.Receiver, c.Confidence = speaker(i, c.Stack), &human, &one
	c.StackID, c.StackGroupID = &i.stackID, &i.groupID
	if i.state != "" {
		c.State = &i.state
	}
	return c
}

// transcript is the history as a text: a line for each message.
func transcript(chain []chained) string {
	var b strings.Builder
	for _, c := range chain {
		if len(c.Stack) == 0 {
			continue
		}
		var said []string
		for _, l := range c.Stack {
			var p struct {
				Content string `json:"content"`
			}
			if json.Unmarshal(l.Payload, &p) == nil && p.Content != "" {
				said = append(said, p.Content)
			}
		}
		b.WriteString(c.SendTime + " " + c.Sender.Type + ": " + strings.Join(said, "") + "\n")
	}
	return b.String()
}
