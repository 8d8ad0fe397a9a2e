package report

import (
	"fmt"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Step is how far apart the points of a series are.
type Step string

// The steps. Days and longer ones begin at midnight of the time zone, weeks on Monday.
const (
	Quarter Step = "15m"
	Hour    Step = "hour"
	Day     Step = "day"
	Week    Step = "week"
	Month   Step = "month"
)

// Bounds of one series.
const (
	maxPoints = 1500
	maxSpan   = 5 * 366 * 24 * time.Hour
)

// stepFor is a step that suits a span.
func stepFor(span time.Duration) Step {
	switch {
	case span <= 24*time.Hour:
		return Quarter
	case span <= 7*24*time.Hour:
		return Hour
	default:
		return Day
	}
}

// Times are the beginnings of the points from the one that holds from to the one before to, and the end of the last one. The step may
// be empty: one that suits.
func Times(from, to time.Time, step Step, zone *time.Location) (Step, []time.Time, error) {
	if !from.Before(to) || to.Sub(from) > maxSpan {
		return "", nil, chat.Faultf(chat.CodeInvalid, "to is after from, by five years at the most")
	}
	if step == "" {
		step = stepFor(to.Sub(from))
	}
	at, err := step.begin(from.In(zone))
	if err != nil {
		return "", nil, err
	}
	times := []time.Time{at}
	for at.Before(to) {
		if len(times) > maxPoints {
			return "", nil, chat.Faultf(chat.CodeInvalid, fmt.Sprintf("more than %d points: a longer step, or a shorter time", maxPoints))
		}
		at = step.next(at)
		times = append(times, at)
	}
	return step, times, nil
}

// begin is the beginning of the point that holds a time.
func (s Step) begin(t time.Time) (time.Time, error) {
	y, m, d := t.Date()
	switch s {
	case Quarter:
		return t.Truncate(store.ReportSlot), nil
	case Hour:
		// of the local hour: some zones are half an hour off, and an hour may come twice
		return t.Add(-time.Duration(t.Minute())*time.Minute - time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond())), nil
	case Day:
		return midnight(y, m, d, t.Location()), nil
	case Week:
		return midnight(y, m, d-(int(t.Weekday())+6)%7, t.Location()), nil
	case Month:
		return midnight(y, m, 1, t.Location()), nil
	default:
		return t, chat.Faultf(chat.CodeInvalid, "no such step: "+string(s))
	}
}

func (s Step) next(t time.Time) time.Time {
	y, m, d := t.Date()
	switch s {
	case Quarter:
		return t.Add(store.ReportSlot)
	case Hour:
		return t.Add(time.Hour)
	case Day:
		return midnight(y, m, d+1, t.Location())
	case Week:
		return midnight(y, m, d+7, t.Location())
	default:
		return midnight(y, m+1, 1, t.Location())
	}
}

// midnight is when a day begins. Where the clock is put forward at midnight, that is the first hour there is; a later day's noon keeps
// the walk from standing still.
func midnight(y int, m time.Month, d int, zone *time.Location) time.Time {
	at := time.Date(y, m, d, 0, 0, 0, 0, zone)
	noon := time.Date(y, m, d, 12, 0, 0, 0, zone)
	for at.Day() != noon.Day() {
		at = at.Add(store.ReportSlot)
	}
	return at
}
