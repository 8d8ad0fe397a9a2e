package store

import (
	"encoding/json"
	"time"
)

// serviceLevels are what a queue's settings say of when its conversations want an answer.
type serviceLevels struct {
	FirstReplySeconds int64 `json:"first_reply_seconds"`
	NextReplySeconds  int64 `json:"next_reply_seconds"`
	TargetSeconds     int64 `json:"target_seconds"`
}

// levels keeps them where they can be reckoned with.
func (c *PutQueue) levels() stmt {
	var l serviceLevels
	_ = json.Unmarshal(c.Queue.Settings, &l) // the settings are the desk's: what does not fit is none
	const second = int64(time.Second / time.Microsecond)
	return stmt{
		sql: "UPDATE queues SET first_reply = $1, next_reply = $2, target = $3 WHERE workspace = $4 AND name = $5",
		args: []any{
			max(l.FirstReplySeconds, 0) * second, max(l.NextReplySeconds, 0) * second, max(l.TargetSeconds, 0) * second, c.ws, c.Queue.Name,
		},
	}
}

// dueAt is when a conversation c is due, 0 for never; q is its queue, if that is stored.
const dueAt = `CASE WHEN c.waiting_since = 0 OR c.state NOT IN ('queued', 'assigned') THEN 0
 WHEN c.first_reply_at = 0 THEN CASE WHEN COALESCE(q.first_reply, 0) > 0 THEN c.waiting_since + q.first_reply ELSE 0 END
 WHEN COALESCE(q.next_reply, 0) > 0 THEN c.waiting_since + q.next_reply ELSE 0 END`

// dueQueue joins what dueAt needs.
const dueQueue = " LEFT JOIN queues q ON q.workspace = c.workspace AND q.name = c.queue "
