package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/outbound"
	"github.com/dragoman-hub/dragoman/store"
)

// QueueChange is a queue as somebody wants it.
type QueueChange struct {
	Workspace chat.WorkspaceID
	Queue     store.Queue // Settings, Secret and Tells are not taken from here
	Settings  Settings
	Secret    *string // of the rule "http"; nil: as before
	By        chat.Party
	Action    chat.ActionID
}

// PutQueue checks a queue and stores it. It works as it is from the next conversation on: nothing has to be started anew.
func PutQueue(ctx context.Context, s *store.Store, secrets Sealer, c QueueChange) error {
	known, err := readNames(ctx, s, c.Workspace)
	if err != nil {
		return err
	}
	if err := known.check(&c); err != nil {
		return err
	}
	if c.Queue.Secret, err = sealed(secrets, c, known.queues[c.Queue.Name].Secret); err != nil {
		return err
	}
	if c.Queue.Settings, err = json.Marshal(c.Settings); err != nil {
		return err
	}
	c.Queue.Tells = c.Settings.TellWait != ""
	_, err = s.Append(ctx, &store.PutQueue{Workspace: c.Workspace, Queue: c.Queue, By: c.By, Action: c.Action})
	return err
}

// sealed is what is kept of the secret of the rule "http".
func sealed(secrets Sealer, c QueueChange, before string) (string, error) {
	switch {
	case Rule(c.Queue.Rule) != Outside:
		return "", nil
	case c.Secret == nil && before != "":
		return before, nil
	case c.Secret == nil || len(*c.Secret) > 500:
		return "", bad("settings.secret", "the rule http needs one, of at most 500 bytes: it proves that we ask")
	}
	if _, err := outbound.HookKey(*c.Secret); err != nil {
		return "", bad("settings.secret", err.Error())
	}
	return secrets.Seal(SecretPlace(c.Workspace, c.Queue.Name), []byte(*c.Secret)), nil
}

func bad(path, why string) error { return chat.Faultf(chat.CodeInvalid, path+": "+why) }

// names are what queues can name.
type names struct {
	queues              map[string]store.Queue
	teams, hours, flows map[string]bool
}

func readNames(ctx context.Context, s *store.Store, ws chat.WorkspaceID) (n names, err error) {
	n = names{queues: map[string]store.Queue{}, teams: map[string]bool{}, hours: map[string]bool{}, flows: map[string]bool{}}
	queues, err := s.Queues(ctx, ws)
	if err != nil {
		return n, err
	}
	for _, q := range queues {
		n.queues[q.Name] = q
	}
	teams, err := s.Teams(ctx, ws)
	if err != nil {
		return n, err
	}
	for _, t := range teams {
		n.teams[t.Name] = true
	}
	hours, err := s.Hours(ctx, ws)
	if err != nil {
		return n, err
	}
	for _, h := range hours {
		n.hours[h.Name] = true
	}
	flows, err := s.Flows(ctx, ws)
	for _, f := range flows {
		n.flows[f.Name] = true
	}
	return n, err
}

// check finds what is wrong with a queue.
func (n names) check(c *QueueChange) error {
	s := &c.Settings
	if !slices.Contains(Rules(), Rule(c.Queue.Rule)) {
		return bad("rule", "no such rule")
	}
	for _, m := range c.Queue.Members {
		if team, ok := strings.CutPrefix(m, store.TeamPrefix); ok && !n.teams[team] {
			return bad("members", "no such team: "+team)
		}
	}
	if s.Hours != "" && !n.hours[s.Hours] {
		return bad("settings.hours", "no such business hours")
	}
	for _, x := range []struct {
		name  string
		what  *Consequence
		lacks bool
		needs string
	}{
		{"when_closed", s.WhenClosed, s.Hours == "", "hours"},
		{"when_full", s.WhenFull, s.Limit == 0, "limit"},
		{"after_max_wait", s.AfterMaxWait, s.MaxWaitSeconds == 0, "max_wait_seconds"},
	} {
		if x.what == nil {
			continue
		}
		if x.lacks {
			return bad("settings."+x.name, "it needs settings."+x.needs)
		}
		if err := n.checkConsequence(c.Queue.Name, *x.what); err != nil {
			return bad("settings."+x.name, err.Error())
		}
	}
	return s.check(Rule(c.Queue.Rule))
}

func (n names) checkConsequence(queue string, c Consequence) error {
	ways := 0
	for _, is := range []bool{c.Queue != "", c.Flow != "", c.Close} {
		if is {
			ways++
		}
	}
	_, there := n.queues[c.Queue]
	switch {
	case ways > 1 || ways == 0 && c.Say == "":
		return errors.New("it says one of queue, flow and close, or something to say")
	case c.Queue == queue && c.Queue != "":
		return errors.New("a queue cannot pass on to itself")
	case c.Queue != "" && !there:
		return fmt.Errorf("no such queue: %s", c.Queue)
	case c.Flow != "" && !n.flows[c.Flow]:
		return fmt.Errorf("no such flow: %s", c.Flow)
	case len(c.Say) > maxText:
		return fmt.Errorf("say has at most %d bytes", maxText)
	}
	return nil
}

// Bounds of settings.
const (
	maxText        = 4000 // bytes of what contacts are told
	maxLimit       = 1_000_000
	maxExtendTimes = 20
	leastMaxWait   = 10
	mostMaxWait    = 31 * 24 * 3600
	maxServiceURL  = 2000
)

// check finds what is wrong with settings that name nothing.
func (s *Settings) check(rule Rule) error {
	switch {
	case s.ExtendTimes != nil && (*s.ExtendTimes < 0 || *s.ExtendTimes > maxExtendTimes):
		return bad("settings.extend_times", fmt.Sprintf("0 to %d", maxExtendTimes))
	case s.Limit < 0 || s.Limit > maxLimit:
		return bad("settings.limit", fmt.Sprintf("0 to %d", maxLimit))
	case s.MaxWaitSeconds != 0 && (s.MaxWaitSeconds < leastMaxWait || s.MaxWaitSeconds > mostMaxWait):
		return bad("settings.max_wait_seconds", fmt.Sprintf("%d to %d", leastMaxWait, mostMaxWait))
	case len(s.TellWait) > maxText:
		return bad("settings.tell_wait", fmt.Sprintf("at most %d bytes", maxText))
	case len(s.CloseText) > maxText:
		return bad("settings.close_text", fmt.Sprintf("at most %d bytes", maxText))
	case badTemplate(s.TellWait) != "":
		return bad("settings.tell_wait", "no such placeholder: "+badTemplate(s.TellWait)+"; there are "+placePosition+" and "+placeMinutes)
	}
	if rule == Expression || s.Expression != "" {
		if _, err := CompileScore(s.Expression); err != nil {
			return bad("settings.expression", err.Error())
		}
	}
	if rule == Outside || s.URL != "" {
		u, err := url.Parse(s.URL)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(s.URL) > maxServiceURL {
			return bad("settings.url", "an http or https address of at most 2000 bytes")
		}
	}
	if ms := s.TimeoutMS; ms != 0 && (ms < 100 || ms > int(maxAskTime.Milliseconds())) {
		return bad("settings.timeout_ms", fmt.Sprintf("100 to %d", maxAskTime.Milliseconds()))
	}
	return nil
}
