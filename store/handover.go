package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// handover is what commits of this node mean for one kind of work of a workspace: the jobs that they made, in order, as whoever reads
// them would get them. With read, they have to be read: not all of them are known here.
type handover struct {
	jobs []*Job
	read bool
}

// and joins what came later. More than a run can hold waits in the database.
func (h handover) and(later handover) handover {
	if h.read || later.read || len(h.jobs)+len(later.jobs) > groupWindow {
		return handover{read: true}
	}
	return handover{jobs: append(h.jobs, later.jobs...)}
}

// handovers are the jobs that were made in a workspace by this unit, which is committed. A job that was there before is known to
// whoever does it.
func (u *unit) handovers(w *workspaceRow) map[string]handover {
	out := map[string]handover{}
	var events map[int64]*freshEvent
	for k, row := range u.jobs {
		if k.ws != w.id || row == nil || !row.fresh || row.gone || row.state == jobDead {
			continue
		}
		if events == nil {
			events = u.freshAt(w.id)
		}
		out[k.work] = out[k.work].and(u.handOver(w, row, events[k.pos]))
	}
	for _, h := range out {
		slices.SortFunc(h.jobs, func(a, b *Job) int { return cmp.Compare(a.row.pos, b.row.pos) })
	}
	return out
}

func (u *unit) freshAt(ws int64) map[int64]*freshEvent {
	out := make(map[int64]*freshEvent, len(u.fresh))
	for i := range u.fresh {
		if f := &u.fresh[i]; f.ws == ws {
			out[f.event.Pos] = f
		}
	}
	return out
}

// handOver makes the job of a row. It is for reading when nobody on this node does such work, and when it is about an event of before.
func (u *unit) handOver(w *workspaceRow, row *jobRow, f *freshEvent) handover {
	if f == nil || f.conv != row.conv || f.event.Seq != row.seq || u.cold || !u.s.heads.worked(row.work) {
		return handover{read: true}
	}
	e, err := f.stored()
	if err != nil {
		return handover{read: true}
	}
	if known := u.events[eventKey{w.id, row.conv, row.seq}]; known != nil {
		e.Status, e.ExternalID, e.Error = known.status, known.externalID, failureOf(known.failure)
	}
	made := *row
	j := &Job{s: u.s, row: &made, Workspace: w.uid, Event: e}
	j.describe()
	if c := u.convs[convKey{w.id, row.conv}]; c != nil {
		if p := u.contacts[convKey{w.id, c.contact}]; p != nil {
			conv := c.public(chat.ContactRef{ID: p.uid, Name: p.name}, chat.ChannelID(row.group))
			j.conv = &conv
		}
	}
	return handover{jobs: []*Job{j}}
}

// justNow is how old a conversation may be that came with its job.
const justNow = time.Second

// Conversation is that of the event: as it is, or as it was a moment ago when the job was made.
func (j *Job) Conversation(ctx context.Context) (chat.Conversation, error) {
	if age := j.s.now().Sub(j.Created); j.conv != nil && j.Attempts == 0 && age >= 0 && age < justNow {
		return *j.conv, nil
	}
	return j.s.Conversation(ctx, j.Workspace, j.Event.Conversation)
}
