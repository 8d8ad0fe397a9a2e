package desk

import (
	"strconv"
	"strings"
	"time"
)

// estimateWindow is how many minutes an estimate looks back.
const estimateWindow = 60

// longestEstimate is where guessing ends.
const longestEstimate = 24 * time.Hour

// Estimate says how long who stands at a position of the line (from 1) waits for an agent. For as many as agents have room now, that is
// not at all (free below 0: there is no limit). Who stands behind them moves up as fast as conversations were accepted lately: accepts
// counts them by minutes, the newest first, and the best rate of the last 10, 30 and 60 minutes is taken, for a quiet hour says nothing
// about a busy minute. False: fewer than two were accepted, and nobody knows.
func Estimate(position, free int, accepts []int) (time.Duration, bool) {
	ahead := position - free
	if free < 0 || ahead <= 0 {
		return 0, true
	}
	rate, sum := 0.0, 0 // a minute
	for i, n := range accepts {
		sum += n
		if minutes := i + 1; sum >= 2 && (minutes == 10 || minutes == 30 || minutes == estimateWindow) {
			rate = max(rate, float64(sum)/float64(minutes))
		}
	}
	if rate == 0 {
		return 0, false
	}
	return min(time.Duration(float64(ahead)/rate*float64(time.Minute)), longestEstimate), true
}

// Minutes rounds a wait up for people: 0 is at once.
func Minutes(d time.Duration) int { return int((d + time.Minute - 1) / time.Minute) }

// placeholders are what the text that tells of the wait may have in it.
const (
	placePosition = "{{position}}"
	placeMinutes  = "{{minutes}}"
)

// tellText fills in a template; "" if it needs what nobody knows.
func tellText(template string, position int, wait time.Duration, known bool) string {
	if !known && strings.Contains(template, placeMinutes) {
		return ""
	}
	return strings.NewReplacer(placePosition, strconv.Itoa(position), placeMinutes, strconv.Itoa(max(Minutes(wait), 1))).Replace(template)
}

// badTemplate names the first placeholder that is not known; "" if all are.
func badTemplate(template string) string {
	rest := strings.NewReplacer(placePosition, "", placeMinutes, "").Replace(template)
	if i := strings.Index(rest, "{{"); i >= 0 {
		text, _, _ := strings.Cut(rest[i:], "}}")
		return text + "}}"
	}
	return ""
}
