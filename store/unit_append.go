package store

import "github.com/dragoman-hub/dragoman/chat"

// append puts an event at the end of the conversation (or of the channel's own stream, when c is nil) and of the log.
// Nothing is written before flush.
func (u *unit) append(c *conversationRow, ch *channelRow, e chat.Event, once string) chat.Event {
	conv := -ch.no
	if c != nil {
		conv = c.no
		c.lastSeq++
		c.updated = micros(u.now)
		c.dirty = true
		e.Conversation, e.Seq = c.uid, c.lastSeq
	} else {
		ch.lastSeq++
		ch.dirty = true
		e.Seq = ch.lastSeq
	}
	w := u.workspaces[ch.ws]
	w.head++
	w.dirty = true
	e.Pos, e.At, e.Channel = w.head, u.now, ch.uid
	kept := e
	u.fresh = append(u.fresh, freshEvent{ws: ch.ws, conv: conv, once: once, event: &kept})
	if once != "" {
		k := onceKey{ch.ws, once}
		u.asked[k] = true
		u.once[k] = &kept
	}
	if e.Kind == chat.KindMessage {
		k := eventKey{ch.ws, conv, e.Seq}
		u.asked[k] = true
		u.events[k] = &eventRow{status: e.Status, externalID: e.ExternalID}
	}
	u.route(c, ch, &kept)
	u.stand(c, &kept)
	return e
}

// appendOwn puts an event of the workspace itself into the log: of no conversation and no channel, named by its position.
func (u *unit) appendOwn(ws int64, e chat.Event) chat.Event {
	w := u.workspaces[ws]
	w.head++
	w.dirty = true
	e.Pos, e.Seq, e.At = w.head, w.head, u.now
	kept := e
	u.fresh = append(u.fresh, freshEvent{ws: ws, event: &kept})
	return e
}

// route gives birth to the jobs that an event means: at most one for each kind of work, named by the event's position.
func (u *unit) route(c *conversationRow, ch *channelRow, e *chat.Event) {
	for _, r := range u.s.routes {
		lane := r.Lane(e)
		if lane == "" {
			continue
		}
		conv := -ch.no
		if c != nil {
			conv = c.no
		}
		u.jobs[jobKey{ch.ws, r.Work, e.Pos}] = &jobRow{
			ws: ch.ws, work: r.Work, pos: e.Pos, lane: lane, group: string(ch.uid), conv: conv, seq: e.Seq,
			state: jobReady, created: micros(u.now), fresh: true, dirty: true,
		}
	}
}
