package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Offered is a waiting conversation that agents may accept.
type Offered struct {
	Conversation chat.ConversationID `json:"conversation"`
	Queue        string              `json:"queue,omitempty"`
	Agents       []string            `json:"agents" nullable:"false"`
	At           time.Time           `json:"at"`
	Until        time.Time           `json:"until,omitzero" doc:"Absent: as long as it waits."`
	Longest      time.Time           `json:"longest,omitzero" doc:"Until when that can be extended."`
}

// offeredLimit bounds how many offers one agent is shown.
const offeredLimit = 200

// Offers lists what is offered to an agent, the oldest first.
func (s *Store) Offers(ctx context.Context, ws chat.WorkspaceID, agent string) ([]Offered, error) {
	all, err := list(ctx, s, func(r scanner) (o Offered, err error) {
		var row offerRow
		err = row.scan(frontScanner{r, []any{&o.Conversation, &o.Queue}})
		o.Agents, o.At, o.Until = row.agents, moment(row.offered), moment(row.until)
		return o, err
	}, `SELECT c.uid, c.queue, o.agents, o.declined, o.offered_at, o.until_at FROM offers o
 JOIN conversations c ON c.workspace = o.workspace AND c.no = o.conversation JOIN workspaces w ON w.id = o.workspace
 WHERE w.uid = $1 AND c.state = 'queued' AND o.agents LIKE $2 ESCAPE '\' ORDER BY o.offered_at, c.no LIMIT $3`,
		string(ws), likePart(strings.Trim(listText([]string{agent}), "[]")), offeredLimit)
	return slices.DeleteFunc(all, func(o Offered) bool { return !slices.Contains(o.Agents, agent) }), err
}
