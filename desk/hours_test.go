package desk

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func calendar(t testing.TB, h Hours) *Calendar {
	t.Helper()
	c, err := h.Calendar()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestOpen asks at moments around what is easily got wrong.
func TestOpen(t *testing.T) {
	office := Hours{
		TimeZone: "Europe/Berlin", Week: map[string][][2]string{"sun": {{"01:00", "04:00"}}, "mon": {{"09:00", "12:00"}, {"13:00", "17:30"}}, "fri": {{"00:00", "24:00"}}},
		Closed: []string{"2026-12-25", "2026-03-30"},
	}
	c := calendar(t, office)
	for at, open := range map[string]bool{
		"2026-03-02T07:59:59Z": false, "2026-03-02T08:00:00Z": true, "2026-03-02T10:59:59Z": true, "2026-03-02T11:00:00Z": false,
		"2026-03-02T12:00:00Z": true, "2026-03-02T16:29:59Z": true, "2026-03-02T16:30:00Z": false,
		"2026-07-06T07:00:00Z": true, "2026-07-06T06:59:59Z": false, // summer time: two hours
		"2026-03-30T08:00:00Z": false, "2026-12-25T10:00:00Z": false, // closed days, a Monday and a Friday
		"2026-12-24T22:59:59Z": false, "2026-12-31T23:00:00Z": true, "2027-01-01T22:59:59Z": true, "2027-01-01T23:00:00Z": false,
		"2026-03-29T00:59:59Z": true, "2026-03-29T01:00:00Z": true, "2026-03-29T02:00:00Z": false, // 2:00 to 3:00 is not there
		"2026-10-24T23:00:00Z": true, "2026-10-25T00:30:00Z": true, "2026-10-25T01:30:00Z": true, "2026-10-25T02:59:59Z": true, "2026-10-25T03:00:00Z": false,
	} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Open(when); got != open {
			t.Errorf("%s: open is %v, want %v", at, got, open)
		}
	}
	if !(*Calendar)(nil).Open(noon) {
		t.Error("without hours it is closed")
	}
}

func TestBadHours(t *testing.T) {
	for name, h := range map[string]Hours{
		"no zone":          {},
		"zone of nowhere":  {TimeZone: "Mars/Olympus"},
		"the machine's":    {TimeZone: "Local"},
		"no such day":      {TimeZone: "UTC", Week: map[string][][2]string{"monday": {{"09:00", "17:00"}}}},
		"backwards":        {TimeZone: "UTC", Week: map[string][][2]string{"mon": {{"17:00", "09:00"}}}},
		"empty span":       {TimeZone: "UTC", Week: map[string][][2]string{"mon": {{"09:00", "09:00"}}}},
		"no time":          {TimeZone: "UTC", Week: map[string][][2]string{"mon": {{"9", "17:00"}}}},
		"25 hours":         {TimeZone: "UTC", Week: map[string][][2]string{"mon": {{"09:00", "25:00"}}}},
		"overlap":          {TimeZone: "UTC", Week: map[string][][2]string{"mon": {{"09:00", "12:00"}, {"11:00", "13:00"}}}},
		"too many spans":   {TimeZone: "UTC", Week: map[string][][2]string{"mon": make([][2]string, 13)}},
		"no such date":     {TimeZone: "UTC", Closed: []string{"2026-02-30"}},
		"too many holiday": {TimeZone: "UTC", Closed: make([]string, 401)},
	} {
		if _, err := h.Calendar(); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// zones have clocks that change by an hour, by half an hour, at midnight, or never; one left out a whole day.
var zones = []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago", "Africa/Cairo", "Pacific/Apia"}

func drawHours(t *rapid.T) Hours {
	h := Hours{TimeZone: rapid.SampledFrom(zones).Draw(t, "zone"), Week: map[string][][2]string{}}
	for _, day := range weekdays {
		at := 0
		for range rapid.IntRange(0, 3).Draw(t, "spans") {
			from := rapid.IntRange(at, 1438).Draw(t, "from")
			to := rapid.IntRange(from+1, 1440).Draw(t, "to")
			if at = to; at > 1438 {
				at = 1438
			}
			if n := len(h.Week[day]); n > 0 && h.Week[day][n-1][1] > fmt.Sprintf("%02d:%02d", from/60, from%60) {
				break
			}
			h.Week[day] = append(h.Week[day], [2]string{fmt.Sprintf("%02d:%02d", from/60, from%60), fmt.Sprintf("%02d:%02d", to/60, to%60)})
		}
	}
	return h
}

// onTheWall is Open as one would say it: what the clock on the wall shows lies in a span of its day.
func onTheWall(h Hours, zone *time.Location, at time.Time) bool {
	local := at.In(zone)
	for _, day := range h.Closed {
		if local.Format(time.DateOnly) == day {
			return false
		}
	}
	now := local.Format("15:04")
	for _, s := range h.Week[weekdays[local.Weekday()]] {
		if s[0] <= now && now < s[1] {
			return true
		}
	}
	return false
}

// TestHoursLaws: open is what the clock on the wall says, also on days on which clocks are changed; so much open time passes until After
// as was asked for, counted minute by minute.
func TestHoursLaws(t *testing.T) {
	changes := []time.Time{
		time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 4, 12, 0, 0, 0, time.UTC), time.Date(2026, 9, 6, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 4, 23, 20, 0, 0, 0, time.UTC), time.Date(2011, 12, 29, 12, 0, 0, 0, time.UTC), time.Date(2026, 6, 10, 0, 0, 0, 0, time.UTC),
	}
	rapid.Check(t, func(t *rapid.T) {
		h := drawHours(t)
		begin := rapid.SampledFrom(changes).Draw(t, "day").Add(time.Duration(rapid.IntRange(-1440, 1440).Draw(t, "minute")) * time.Minute)
		if rapid.IntRange(0, 3).Draw(t, "holiday") == 0 {
			h.Closed = []string{begin.Format(time.DateOnly)}
		}
		c, err := h.Calendar()
		if err != nil {
			t.Fatal(err, h)
		}
		want := time.Duration(rapid.IntRange(1, 2000).Draw(t, "wait")) * time.Minute
		after := c.After(begin, want)
		passed := time.Duration(0)
		for at := begin; at.Before(begin.Add(4 * 24 * time.Hour)); at = at.Add(time.Minute) {
			open := onTheWall(h, c.zone, at)
			if c.Open(at) != open {
				t.Fatalf("%s in %s: open is %v, the clock on the wall says %v: %v", at, h.TimeZone, !open, open, h)
			}
			if at.Equal(after) && passed != want {
				t.Fatalf("after %s from %s: %s, but %s of open time have passed: %v", want, begin, after, passed, h)
			}
			if open {
				passed += time.Minute
			}
			if passed > want && after.IsZero() {
				t.Fatalf("after %s from %s: never: %v", want, begin, h)
			}
		}
		if !after.IsZero() && after.Before(begin.Add(4*24*time.Hour)) && passed < want {
			t.Fatalf("after %s from %s: %s is too early: %v", want, begin, after, h)
		}
	})
}

func TestNeverOpen(t *testing.T) {
	c := calendar(t, Hours{TimeZone: "UTC"})
	if at := c.After(noon, time.Minute); !at.IsZero() || c.Open(noon) {
		t.Error(at)
	}
}
