package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Hours are the business hours of a place, as people write them.
type Hours struct {
	TimeZone string                 `json:"time_zone" minLength:"1" maxLength:"100" example:"Europe/Berlin" doc:"A name of the IANA time zone database."`
	Week     map[string][][2]string `json:"week" doc:"Spans by day (mon, tue, wed, thu, fri, sat, sun), from and to in local time, as 09:00; 24:00 is the end of the day. A day that is not named is closed."`
	Closed   []string               `json:"closed,omitempty" maxItems:"400" nullable:"false" example:"2026-12-25" doc:"Days on which nobody works, whatever the week says."`
}

// Bounds of business hours.
const (
	maxSpans  = 12   // in a day
	maxClosed = 400  // days
	maxAhead  = 1000 // days that a wait is followed
)

// weekdays are the names of days, as time.Weekday counts them.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// Calendar is business hours, ready to be asked. A nil one is always open.
type Calendar struct {
	zone   *time.Location
	week   [7][]span
	closed map[string]bool
}

// span is a time of the day, from its beginning.
type span struct{ from, to time.Duration }

// Calendar checks the hours.
func (h Hours) Calendar() (*Calendar, error) {
	zone, err := time.LoadLocation(h.TimeZone)
	if err != nil || h.TimeZone == "" || h.TimeZone == "Local" {
		return nil, chat.Faultf(chat.CodeInvalid, "time_zone: no such time zone")
	}
	c := &Calendar{zone: zone, closed: map[string]bool{}}
	ok := false
	for name, spans := range h.Week {
		day := slices.Index(weekdays, name)
		if day < 0 || len(spans) > maxSpans {
			return nil, chat.Faultf(chat.CodeInvalid, fmt.Sprintf("week: the days are %s, with at most %d spans each", strings.Join(weekdays, ", "), maxSpans))
		}
		for _, s := range spans {
			from, begins := clock(s[0])
			to, ends := clock(s[1])
			if !begins || !ends || from >= to {
				return nil, chat.Faultf(chat.CodeInvalid, "week."+name+`: spans are from and to, as ["09:00","17:30"]; what goes over midnight is two`)
			}
			c.week[day] = append(c.week[day], span{from, to})
		}
		if c.week[day], ok = inOrder(c.week[day]); !ok {
			return nil, chat.Faultf(chat.CodeInvalid, "week."+name+": spans overlap")
		}
	}
	if len(h.Closed) > maxClosed {
		return nil, chat.Faultf(chat.CodeInvalid, fmt.Sprintf("closed: at most %d days", maxClosed))
	}
	for _, day := range h.Closed {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return nil, chat.Faultf(chat.CodeInvalid, "closed: days are written as 2026-12-25")
		}
		c.closed[day] = true
	}
	return c, nil
}

// clock reads a time of the day.
func clock(s string) (time.Duration, bool) {
	if s == "24:00" {
		return 24 * time.Hour, true
	}
	t, err := time.Parse("15:04", s)
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, err == nil && len(s) == len("15:04")
}

func inOrder(spans []span) ([]span, bool) {
	slices.SortFunc(spans, func(a, b span) int { return int(a.from - b.from) })
	for i := 1; i < len(spans); i++ {
		if spans[i].from < spans[i-1].to {
			return spans, false
		}
	}
	return spans, true
}

// Open tells whether somebody works at a moment: whether the clock on the wall there stands within a span.
func (c *Calendar) Open(t time.Time) bool {
	if c == nil {
		return true
	}
	open := false
	c.spans(t, func(from, _ time.Time) bool {
		open = !from.After(t)
		return false
	})
	return open
}

// After is when so much open time will have passed since a moment; zero if that is too far away.
func (c *Calendar) After(t time.Time, d time.Duration) (at time.Time) {
	if c == nil {
		return t.Add(d)
	}
	c.spans(t, func(from, to time.Time) bool {
		if left := to.Sub(from); left < d {
			d -= left
			return true
		}
		at = from.Add(d)
		return false
	})
	return at
}

// spans tells the open spans from a moment on, in order, until yield says that it is enough. Where clocks are changed a span has the part
// of the time that they show: an hour that does not exist is not there, one that comes twice is there twice.
func (c *Calendar) spans(at time.Time, yield func(from, to time.Time) bool) {
	for range maxAhead {
		local := at.In(c.zone)
		_, offset := local.Zone()
		_, change := local.ZoneBounds()
		y, m, d := local.Date()
		midnight := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Add(-time.Duration(offset) * time.Second)
		next := midnight.Add(24 * time.Hour)
		if !change.IsZero() && change.Before(next) {
			next = change
		}
		if !c.closed[local.Format(time.DateOnly)] {
			for _, s := range c.week[local.Weekday()] {
				from, to := later(midnight.Add(s.from), at), midnight.Add(s.to)
				if to.After(next) {
					to = next
				}
				if from.Before(to) && !yield(from, to) {
					return
				}
			}
		}
		at = next
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// NamedHours are business hours as they are stored.
type NamedHours struct {
	Name string
	Hours
	*Calendar
}

// ReadHours lists the business hours of a workspace.
func ReadHours(ctx context.Context, s *store.Store, ws chat.WorkspaceID) ([]NamedHours, error) {
	rows, err := s.Hours(ctx, ws)
	out := make([]NamedHours, len(rows))
	for i, row := range rows {
		out[i].Name = row.Name
		if json.Unmarshal(row.Body, &out[i].Hours) == nil { // checked when they were stored; what does not fit is always open
			out[i].Calendar, _ = out[i].Hours.Calendar()
		}
	}
	return out, err
}

// PutHours checks business hours and stores them.
func PutHours(ctx context.Context, s *store.Store, ws chat.WorkspaceID, name string, h Hours, by chat.Party, action chat.ActionID) error {
	if _, err := h.Calendar(); err != nil {
		return err
	}
	body, err := json.Marshal(h)
	if err != nil {
		return err
	}
	_, err = s.Append(ctx, &store.PutHours{Workspace: ws, Hours: store.Hours{Name: name, Body: body}, By: by, Action: action})
	return err
}
