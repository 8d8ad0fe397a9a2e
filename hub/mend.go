package hub

import (
	"time"

	"github.com/dragoman-hub/dragoman/store"
)

const (
	// mendPause is how often what waits looks whether its channel was mended or switched on. A look costs no request.
	mendPause = time.Second
	// refusedFor is how long a platform that did not take our account is not asked again, unless the channel is mended.
	refusedFor = time.Minute
)

// refuse notes that the platform does not take the account.
func (l *line) refuse(work string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused[work] = now
}

// mended lets work go on that was refused. A channel with new settings has a new line, which was never refused.
func (l *line) mended() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.refused)
}

// judged takes over what the channel's row says of it: somebody may have found out that it works again.
func (l *line) judged(s store.ChannelStatus) {
	ill := s == store.ChannelError
	if l.ailing.Swap(ill) && !ill {
		l.mended()
	}
}

// refuses tells whether the platform did not take the account a short while ago.
func (l *line) refuses(work string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.refused[work]
	since := now.Sub(at)
	return ok && since >= 0 && since < refusedFor
}

// untilMended lets work wait, without a trace: it was no attempt, and what was interrupted stays so. Meanwhile the channel's row is
// looked at more often.
func (h *Hub) untilMended(l *line) store.Verdict {
	soon := h.Now().Add(mendPause)
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.until.After(soon) {
		l.until = soon
	}
	return store.LaterAll(mendPause)
}
