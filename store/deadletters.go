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

// LetterFilter narrows a list of dead letters; empty members do not.
type LetterFilter struct {
	Work    string
	Kind    chat.Kind // of the event
	Channel chat.ChannelID
	Class   string // of the failure
	Since   time.Time
	Text    string // in what the message says, or in the failure; letter case does not count
	Cursor  string
	Limit   int
}

// Bounds of a search for a text: how many letters are read at once, and for one page. A page that ends there can be short, even empty,
// and has a cursor.
const (
	letterChunk = 500
	letterReach = 5000
)

// DeadLetters lists what could not be done, newest first, with the cursor of the next page.
func (s *Store) DeadLetters(ctx context.Context, ws chat.WorkspaceID, cursor string, limit int) ([]DeadLetter, string, error) {
	return s.FindDeadLetters(ctx, ws, LetterFilter{Cursor: cursor, Limit: limit})
}

// FindDeadLetters is DeadLetters for those that pass a filter.
func (s *Store) FindDeadLetters(ctx context.Context, ws chat.WorkspaceID, f LetterFilter) ([]DeadLetter, string, error) {
	limit := max(f.Limit, 1)
	at, err := readLetterCursor(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	var out []DeadLetter
	text := strings.ToLower(f.Text)
	for seen := 0; ; {
		chunk := limit + 1
		if text != "" {
			chunk = letterChunk
		}
		found, err := s.letters(ctx, ws, f, at, chunk)
		if err != nil {
			return nil, "", err
		}
		for _, j := range found {
			l := letterOf(j)
			if says := l.says(text); says && len(out) == limit {
				return out, at.cursor(), nil
			} else if says {
				out = append(out, l)
			}
			at = letterMark{j.row.pos, j.Work}
		}
		if seen += len(found); len(found) < chunk {
			return out, "", nil
		}
		if seen >= letterReach {
			return out, at.cursor(), nil
		}
	}
}

// letters reads a stretch of those that the database can tell apart.
func (s *Store) letters(ctx context.Context, ws chat.WorkspaceID, f LetterFilter, at letterMark, limit int) ([]*Job, error) {
	where, args := []string{"w.uid = $1", "j.state = 'dead'", "(j.pos < $2 OR j.pos = $2 AND j.work > $3)"}, []any{string(ws), at.pos, at.work}
	add := func(text string, v any) {
		args = append(args, v)
		where = append(where, fmt.Sprintf(text, len(args)))
	}
	for _, c := range []struct{ text, value string }{{"j.work = $%d", f.Work}, {"e.kind = $%d", string(f.Kind)}, {"j.grp = $%d", string(f.Channel)}} {
		if c.value != "" {
			add(c.text, c.value)
		}
	}
	if f.Class != "" {
		add(`j.failure LIKE $%d ESCAPE '\'`, likePart(member("class", f.Class)))
	}
	if !f.Since.IsZero() {
		add("j.created_at >= $%d", micros(f.Since))
	}
	return list(ctx, s, s.scanJob, letterRead+"WHERE "+strings.Join(where, " AND ")+fmt.Sprintf(" ORDER BY j.pos DESC, j.work LIMIT %d", limit), args...)
}

const letterRead = "SELECT " + jobColumns + ", " + eventColumns + `, COALESCE(c.uid, ''), w.uid FROM jobs j
 JOIN workspaces w ON w.id = j.workspace
 JOIN events e ON e.workspace = j.workspace AND e.conversation = j.conversation AND e.seq = j.seq
 LEFT JOIN conversations c ON c.workspace = j.workspace AND c.no = j.conversation `

// DeadLetter reads one.
func (s *Store) DeadLetter(ctx context.Context, ws chat.WorkspaceID, id string) (DeadLetter, error) {
	work, pos, err := readLetterID(id)
	if err != nil {
		return DeadLetter{}, err
	}
	j, err := one(ctx, s, "dead letter", s.scanJob, letterRead+"WHERE w.uid = $1 AND j.state = 'dead' AND j.work = $2 AND j.pos = $3", string(ws), work, pos)
	if err != nil {
		return DeadLetter{}, err
	}
	return letterOf(j), nil
}

func letterOf(j *Job) DeadLetter {
	return DeadLetter{
		ID: j.Work + "-" + strconv.FormatInt(j.row.pos, 10), Work: j.Work, Event: j.Event, Attempts: j.Attempts,
		Failure: failureOf(j.row.failure), Progress: j.Progress, CreatedAt: j.Created,
	}
}

// says looks for a text, which is in small letters.
func (l DeadLetter) says(text string) bool {
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), text) }
	if text == "" || l.Failure != nil && has(l.Failure.Code+" "+l.Failure.Detail) {
		return true
	}
	if l.Event.Message == nil {
		return false
	}
	return slices.ContainsFunc(l.Event.Message.Stack, func(e chat.Element) bool {
		var v any
		return json.Unmarshal(e.Payload, &v) == nil && saysIn(v, has)
	})
}

// saysIn looks through all texts of a payload. Its depth was bounded when it was taken in.
func saysIn(v any, has func(string) bool) bool {
	switch v := v.(type) {
	case string:
		return has(v)
	case []any:
		return slices.ContainsFunc(v, func(x any) bool { return saysIn(x, has) })
	case map[string]any:
		for _, x := range v {
			if saysIn(x, has) {
				return true
			}
		}
	}
	return false
}

func readLetterID(id string) (work string, pos int64, err error) {
	i := strings.LastIndexByte(id, '-')
	if i >= 1 {
		pos, err = strconv.ParseInt(id[i+1:], 10, 64)
	}
	if i < 1 || err != nil {
		return "", 0, chat.Faultf(chat.CodeNotFound, "no such dead letter")
	}
	return id[:i], pos, nil
}

// letterMark is where a page ended. One event can have several dead letters, one for each kind of work.
type letterMark struct {
	pos  int64
	work string
}

func (m letterMark) cursor() string { return fmt.Sprintf("%d.%s", m.pos, m.work) }

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

func (c *Requeue) resolve(ctx context.Context, s *Store) (err error) {
	c.key, err = s.letterKey(ctx, c.Workspace, c.ID)
	return err
}

// letterKey finds the job of a dead letter that can be repeated.
func (s *Store) letterKey(ctx context.Context, workspace chat.WorkspaceID, id string) (jobKey, error) {
	ws, err := s.workspaceNo(ctx, workspace)
	if err != nil {
		return jobKey{}, err
	}
	work, pos, err := readLetterID(id)
	if err == nil && !slices.ContainsFunc(s.routes, func(r Route) bool { return r.Work == work }) {
		err = chat.Faultf(chat.CodeConflict, "an event that a follower could not handle cannot be repeated, only looked at")
	}
	return jobKey{ws, work, pos}, err
}

// letter is the job of a dead letter, while it is one.
func (u *unit) letter(k jobKey) (*jobRow, error) {
	job := u.jobs[k]
	if job == nil || job.gone || job.state != jobDead {
		return nil, chat.Faultf(chat.CodeNotFound, "no such dead letter")
	}
	return job, nil
}

func (c *Requeue) workspace() int64 { return c.key.ws }
func (c *Requeue) want(u *unit)     { u.wantJob(c.key) }

// apply appends an event that tells of it and gives the job that event's position, for whoever does this work reads jobs forward.
func (c *Requeue) apply(ctx context.Context, u *unit) (Result, error) {
	job, err := u.letter(c.key)
	if err != nil {
		return Result{}, err
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
