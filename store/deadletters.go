package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// DeadLetter is a job that was given up, with what its platform said.
type DeadLetter struct {
	ID        string          `json:"id"`
	Work      string          `json:"work"`
	Event     chat.Event      `json:"event"`
	Attempts  int             `json:"attempts"`
	Failure   *chat.Failure   `json:"failure,omitempty"`
	Progress  json.RawMessage `json:"progress,omitempty"`
	CreatedAt time.Time       `json:"created_at"`
}

// DeadLetters lists what could not be done, newest first, with the cursor of the next page.
func (s *Store) DeadLetters(ctx context.Context, ws chat.WorkspaceID, cursor string, limit int) ([]DeadLetter, string, error) {
	limit = max(limit, 1)
	at, err := readLetterCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	found, err := list(ctx, s, s.scanJob, "SELECT "+jobColumns+", "+eventColumns+`, COALESCE(c.uid, ''), w.uid FROM jobs j
 JOIN workspaces w ON w.id = j.workspace
 JOIN events e ON e.workspace = j.workspace AND e.conversation = j.conversation AND e.seq = j.seq
 LEFT JOIN conversations c ON c.workspace = j.workspace AND c.no = j.conversation
 WHERE w.uid = $1 AND j.state = 'dead' AND (j.pos < $2 OR j.pos = $2 AND j.work > $3) ORDER BY j.pos DESC, j.work LIMIT $4`, string(ws), at.pos, at.work, limit+1)
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(found) > limit {
		found = found[:limit]
		next = fmt.Sprintf("%d.%s", found[limit-1].row.pos, found[limit-1].Work)
	}
	out := make([]DeadLetter, len(found))
	for i, j := range found {
		out[i] = DeadLetter{
			ID: j.Work + "-" + strconv.FormatInt(j.row.pos, 10), Work: j.Work, Event: j.Event, Attempts: j.Attempts,
			Failure: failureOf(j.row.failure), Progress: j.Progress, CreatedAt: j.Created,
		}
	}
	return out, next, nil
}

// letterMark is where a page ended. One event can have several dead letters, one for each kind of work.
type letterMark struct {
	pos  int64
	work string
}

func readLetterCursor(text string) (m letterMark, err error) {
	if text == "" {
		return letterMark{pos: 1 << 62}, nil
	}
	pos, work, ok := strings.Cut(text, ".")
	if m.pos, err = strconv.ParseInt(pos, 10, 64); err != nil || !ok {
		return m, chat.Faultf(chat.CodeInvalid, "that is no cursor of this list")
	}
	m.work = work
	return m, nil
}

// Requeue gives a dead letter another life: its attempts begin again. It goes behind what its lane does now, not before it.
type Requeue struct {
	Workspace chat.WorkspaceID
	ID        string
	By        chat.Party
	Action    chat.ActionID

	key jobKey
}

func (c *Requeue) resolve(ctx context.Context, s *Store) error {
	ws, err := s.workspaceNo(ctx, c.Workspace)
	if err != nil {
		return err
	}
	i := strings.LastIndexByte(c.ID, '-')
	if i < 1 {
		return chat.Faultf(chat.CodeNotFound, "no such dead letter")
	}
	pos, err := strconv.ParseInt(c.ID[i+1:], 10, 64)
	if err != nil {
		return chat.Faultf(chat.CodeNotFound, "no such dead letter")
	}
	c.key = jobKey{ws, c.ID[:i], pos}
	if !slices.ContainsFunc(s.routes, func(r Route) bool { return r.Work == c.key.work }) {
		return chat.Faultf(chat.CodeConflict, "an event that a follower could not handle cannot be repeated, only looked at")
	}
	return nil
}

func (c *Requeue) workspace() int64 { return c.key.ws }
func (c *Requeue) want(u *unit)     { u.wantJob(c.key) }

// apply appends an event that tells of it and gives the job that event's position, for whoever does this work reads jobs forward.
func (c *Requeue) apply(ctx context.Context, u *unit) (Result, error) {
	job := u.jobs[c.key]
	if job == nil || job.gone || job.state != jobDead {
		return Result{}, chat.Faultf(chat.CodeNotFound, "no such dead letter")
	}
	conv, ch, err := u.place(ctx, convKey{job.ws, job.conv})
	if err != nil {
		return Result{}, err
	}
	message, err := u.event(ctx, eventKey{job.ws, job.conv, job.seq})
	if err != nil {
		return Result{}, err
	}
	by := c.By
	e := u.append(conv, ch, chat.Event{
		Kind: chat.KindRepeated, Sender: &by, Data: data(chat.TargetData{Seq: job.seq}), Action: c.Action,
	}, "")
	if message.status == chat.Failed || message.status == chat.Unsure {
		message.status, message.failure, message.dirty = chat.Queued, "", true
	}
	again := *job
	again.pos, again.state, again.attempts, again.due, again.failure, again.fresh, again.dirty = e.Pos, jobReady, 0, 0, "", true, true
	again.created = micros(u.now) // its age begins again too: one that died of age would not outlive the first hitch
	u.jobs[jobKey{job.ws, job.work, e.Pos}] = &again
	job.gone = true
	return Result{Events: []chat.Event{e}}, nil
}

// place finds what an event's inner conversation number stands for: a conversation and its channel, or the channel alone.
func (u *unit) place(ctx context.Context, k convKey) (*conversationRow, *channelRow, error) {
	if k.no < 0 {
		ch, err := u.channel(ctx, k.ws, -k.no)
		return nil, ch, err
	}
	conv, err := u.conversationNo(ctx, k)
	if err != nil {
		return nil, nil, err
	}
	ch, err := u.channel(ctx, k.ws, conv.channel)
	return conv, ch, err
}
