package telegram

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/connector"
)

// verdicts translate Telegram's answers: the first line whose code is the answer's and whose words are in its description
// (case does not matter) holds. Code 0 stands for 500 and above.
var verdicts = []struct {
	code   int
	words  string
	policy connector.Policy
}{
	{http.StatusBadRequest, "business_peer_usage_missing", connector.WindowClosed},
	{http.StatusBadRequest, "not enough rights", connector.Forbidden},
	{http.StatusBadRequest, "have no rights", connector.Forbidden},
	{http.StatusBadRequest, "need administrator rights", connector.Forbidden},
	{http.StatusBadRequest, "chat_write_forbidden", connector.Forbidden},
	{http.StatusBadRequest, "voice_messages_forbidden", connector.Forbidden},
	{http.StatusBadRequest, "chat_admin_required", connector.Forbidden},
	{http.StatusBadRequest, "", connector.Rejected},
	{http.StatusUnauthorized, "", connector.Unauthorized},
	{http.StatusForbidden, "blocked by the user", connector.Gone},
	{http.StatusForbidden, "user is deactivated", connector.Gone},
	{http.StatusForbidden, "", connector.Forbidden},
	{http.StatusNotFound, "", connector.Unauthorized}, // no such bot: the token has the wrong shape
	{http.StatusConflict, "", connector.Retry},        // another poller, or a webhook is set
	{http.StatusTooManyRequests, "", connector.Throttled},
	{0, "", connector.Retry},
}

func verdict(code int, description string) connector.Policy {
	if code >= http.StatusInternalServerError {
		code = 0
	}
	words := strings.ToLower(description)
	for _, v := range verdicts {
		if v.code == code && strings.Contains(words, v.words) {
			return v.policy
		}
	}
	return connector.Rejected
}

// longestWait bounds what retry_after may say.
const longestWait = 24 * time.Hour

// failure makes the error of an answer that is not ok.
func (b *bot) failure(ans connector.Answer, a answer) error {
	code := a.Code
	if code == 0 {
		code = ans.Status
	}
	e := &connector.Error{
		Policy: verdict(code, a.Description), Code: strconv.Itoa(code), Detail: b.redact(a.Description),
	}
	if a.Parameters.MigrateTo != 0 {
		e.Policy, e.MovedTo = connector.Retry, formatID(a.Parameters.MigrateTo)
	}
	if e.Policy == connector.Throttled {
		e.After = wait(ans, a, b.env.Now())
	}
	return e
}

func wait(ans connector.Answer, a answer, now time.Time) time.Duration {
	seconds := a.Parameters.RetryAfter
	switch {
	case seconds <= 0:
		return min(ans.RetryAfter(now), longestWait)
	case seconds > int64(longestWait/time.Second):
		return longestWait
	default:
		return time.Duration(seconds) * time.Second
	}
}

// redact keeps the token out of words that come from outside, such as a proxy's error page.
func (b *bot) redact(s string) string {
	const limit = 500
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "")
	}
	return strings.ReplaceAll(s, b.token, "***")
}

// inThread marks a throttled call that went to one chat: a flood there holds up that chat only.
func inThread(err error) error {
	if e := asError(err); e != nil && e.Policy == connector.Throttled {
		e.Thread = true
	}
	return err
}

// says tells whether Telegram's words contain these.
func says(err error, words string) bool {
	e := asError(err)
	return e != nil && e.Code == "400" && strings.Contains(strings.ToLower(e.Detail), words)
}

func asError(err error) *connector.Error {
	if err == nil {
		return nil
	}
	return connector.AsError(err)
}
