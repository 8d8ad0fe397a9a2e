package report

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// The points hold the span without a gap, begin at quarters of an hour, and get on, also where clocks are put forward and back.
func TestTimes(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/Santiago", "Australia/Lord_Howe"}
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		step := rapid.SampledFrom([]Step{"", Quarter, Hour, Day, Week, Month}).Draw(t, "step")
		from := time.Unix(rapid.Int64Range(946684800, 1900000000).Draw(t, "from"), 0)
		to := from.Add(time.Duration(rapid.Int64Range(1, int64(400*24*time.Hour)).Draw(t, "span")))
		got, times, err := Times(from, to, step, zone)
		if chat.CodeOf(err) == chat.CodeInvalid {
			return // too many
		}
		if err != nil {
			t.Fatal(err)
		}
		last := len(times) - 1
		if times[0].After(from) || times[last].Before(to) || last > 1 && !times[last-1].Before(to) || !times[1].After(from) {
			t.Fatalf("%s from %v to %v: %v to %v", got, from, to, times[0], times[last])
		}
		for i, at := range times {
			if at.Unix()%int64(store.ReportSlot.Seconds()) != 0 || i > 0 && !at.After(times[i-1]) {
				t.Fatalf("%s: %v", got, times)
			}
		}
	})
}

func TestDaysOfAZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	_, times, err := Times(at("2026-03-28T12:00:00Z"), at("2026-03-30T12:00:00Z"), Day, berlin)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "2026-03-30T22:00:00Z"} {
		if !times[i].Equal(at(want)) {
			t.Errorf("day %d begins at %v, want %s", i, times[i].UTC(), want)
		}
	}
	for _, bad := range [][2]string{{"2026-03-28T12:00:00Z", "2026-03-28T12:00:00Z"}, {"2000-01-01T00:00:00Z", "2026-01-01T00:00:00Z"}, {"2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"}} {
		if _, _, err := Times(at(bad[0]), at(bad[1]), Quarter, time.UTC); chat.CodeOf(err) != chat.CodeInvalid {
			t.Errorf("%v: %v", bad, err)
		}
	}
}
