package access

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/chat"
)

func drawWho(t *rapid.T) Who {
	w := Who{
		Workspace: chat.WorkspaceID(rapid.SampledFrom([]string{"", "one", "two"}).Draw(t, "workspace")),
		User:      rapid.SampledFrom([]string{"", "ada", "bob"}).Draw(t, "user"),
		Grant:     drawGrant(t),
		Queues:    rapid.SliceOf(rapid.SampledFrom([]string{"", "sales", "support"})).Draw(t, "queues"),
	}
	return w
}

func drawGrant(t *rapid.T) Grant {
	all := RightsOf(ScopeAdmin)
	return Grant{
		All:    rapid.Bool().Draw(t, "all"),
		Rights: rapid.SliceOfDistinct(rapid.SampledFrom(all), func(r Right) Right { return r }).Draw(t, "rights"),
		Reach:  rapid.SampledFrom([]Reach{"", ReachOwn, ReachQueues, ReachAll}).Draw(t, "reach"),
	}
}

func drawOn(t *rapid.T) On {
	on := On{Workspace: chat.WorkspaceID(rapid.SampledFrom([]string{"", "one", "two"}).Draw(t, "on"))}
	if rapid.Bool().Draw(t, "conversation") {
		on.Conversation = &Place{
			Assignee: rapid.SampledFrom([]string{"", "ada", "bob"}).Draw(t, "assignee"),
			Queue:    rapid.SampledFrom([]string{"", "sales", "support"}).Draw(t, "queue"),
		}
	}
	return on
}

// TestAllowed holds the one check against laws that say the same in other words.
func TestAllowed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		who, on, right := drawWho(t), drawOn(t), rapid.SampledFrom(RightsOf(ScopeAdmin)).Draw(t, "right")
		got := Allowed(who, right, on)
		if got && (who.Workspace == "" || on.Workspace != who.Workspace) {
			t.Fatal("another workspace")
		}
		if got && !who.All && !slices.Contains(who.Rights, right) {
			t.Fatal("without the right")
		}
		if c := on.Conversation; got && c != nil && !who.All && who.Reach != ReachAll {
			mine := who.User != "" && c.Assignee == who.User
			queued := who.Reach == ReachQueues && c.Queue != "" && slices.Contains(who.Queues, c.Queue)
			if !mine && !queued {
				t.Fatal("beyond the reach")
			}
		}
		if !got && who.All && who.Workspace != "" && who.Workspace == on.Workspace {
			t.Fatal("admins may do everything at home")
		}
	})
}

// TestMoreIsMore: whoever has more is never refused what somebody with less is allowed, and covering is an order.
func TestMoreIsMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		more, less := drawWho(t), drawWho(t)
		more.Workspace, more.User, more.Queues = less.Workspace, less.User, less.Queues
		on, right := drawOn(t), rapid.SampledFrom(RightsOf(ScopeAdmin)).Draw(t, "right")
		if more.Covers(less.Grant) && Allowed(less, right, on) && !Allowed(more, right, on) {
			t.Fatalf("%+v covers %+v and may less", more.Grant, less.Grant)
		}
		if g := drawGrant(t); g.Reach != "" && !g.Covers(g) {
			t.Fatal("a grant does not cover itself")
		}
	})
}

// TestScopesAreRights: each right belongs to one scope, and a token has the rights of its scopes.
func TestScopesAreRights(t *testing.T) {
	for _, m := range Meanings() {
		if m.What == "" || m.Right.Scope() != m.Scope || !m.Right.Known() {
			t.Errorf("%+v", m)
		}
		for _, s := range []string{ScopeRead, ScopeWrite, ScopeChannels, ScopeFlows, ScopeTokens, "unknown"} {
			if has := ScopeGrant([]string{s}).Has(m.Right); has != (s == m.Scope) {
				t.Errorf("scope %s, right %s: %v", s, m.Right, has)
			}
		}
		if !ScopeGrant([]string{"read", "admin"}).Has(m.Right) {
			t.Errorf("admin has not got %s", m.Right)
		}
	}
	agent, _ := BuiltIn(RoleAgent)
	supervisor, _ := BuiltIn(RoleSupervisor)
	admin, _ := BuiltIn(RoleAdmin)
	for _, c := range []struct {
		grant Grant
		scope string
		want  bool
	}{
		{admin.Grant(), ScopeAdmin, true},
		{admin.Grant(), "unknown", true},
		{supervisor.Grant(), ScopeAdmin, false},
		{supervisor.Grant(), ScopeRead, true},
		{supervisor.Grant(), ScopeWrite, false}, // erasing
		{supervisor.Grant(), "unknown", false},
		{agent.Grant(), ScopeRead, false},
		{Grant{Rights: RightsOf(ScopeRead), Reach: ReachQueues}, ScopeRead, false}, // tokens reach all conversations
	} {
		if got := c.grant.CoversScope(c.scope); got != c.want {
			t.Errorf("%+v covers %s: %v", c.grant, c.scope, got)
		}
	}
	if !admin.Grant().Covers(supervisor.Grant()) || !supervisor.Grant().Covers(agent.Grant()) || agent.Grant().Covers(supervisor.Grant()) {
		t.Error("the built-in roles are no ladder")
	}
}
