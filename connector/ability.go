package connector

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// The abilities: what some platforms can do. The hub looks them up once, when a channel opens (AbilitiesOf).
type (
	// Typer shows the contact that somebody writes, for Traits.TypingFor.
	Typer interface {
		Typing(ctx context.Context, thread chat.Thread, newest string) error
	}
	// Reader marks the contact's messages as read, up to the one with this external id.
	Reader interface {
		MarkRead(ctx context.Context, thread chat.Thread, id string) error
	}
	// Editor replaces the content of a message that we sent.
	Editor interface {
		Edit(ctx context.Context, id string, part Part) error
	}
	// Deleter takes back a message that we sent.
	Deleter interface {
		Delete(ctx context.Context, thread chat.Thread, id string) error
	}
	// Reactor sets our reaction to a message; an empty emoji removes it.
	Reactor interface {
		React(ctx context.Context, thread chat.Thread, id, emoji string) error
	}
	// Profiler looks up who somebody is.
	Profiler interface {
		Profile(ctx context.Context, address string) (chat.Profile, error)
	}
	// Downloader fetches an attachment. The caller closes the body and stops reading at its own limit.
	Downloader interface {
		Download(ctx context.Context, src chat.Source) (Attachment, error)
	}
	// Registrar tells the platform our webhook's address, and takes that back.
	Registrar interface {
		Register(ctx context.Context) error
		Unregister(ctx context.Context) error
	}
	// Checker asks the platform whether the settings work; the answer is for people: "bot @name".
	Checker interface {
		Check(ctx context.Context) (string, error)
	}
	// Renewer gets a new session when a call was answered Unauthorized. The hub calls it once at a time per channel and
	// repeats the call after it. The answer is when the session ends; zero if that is not known.
	Renewer interface {
		Renew(ctx context.Context) (time.Time, error)
	}
	// Abler is a connector whose abilities depend on its settings; it is believed instead of its type. A nil connector (see
	// Platform.Shapes) tells all that there may be.
	Abler interface {
		Abilities() Abilities
	}
	// Traiter is a connector whose traits depend on its settings; they take the place of Platform.Traits.
	Traiter interface {
		Traits() Traits
	}
	// Acknowledger tells the platform that an event with Incoming.Ack is stored (Telegram's callback queries).
	Acknowledger interface {
		Acknowledge(ctx context.Context, ack string) error
	}
)

// Attachment is a download. Size is -1 if it is not known.
type Attachment struct {
	Name string
	MIME string
	Size int64
	Body io.ReadCloser
}

// TraitsOf are the traits of an open channel.
func TraitsOf(p Platform, c Connector) Traits {
	if t, ok := c.(Traiter); ok {
		return t.Traits()
	}
	return p.Traits
}

// AbilityNames lists what connectors of a platform can do, some of it only with certain settings.
func (p Platform) AbilityNames() []string {
	var names []string
	for _, c := range p.Shapes {
		for _, name := range AbilitiesOf(c).Names() {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// Abilities are a connector's abilities, each nil if it has not got it.
type Abilities struct {
	Receive     Receiver
	Listen      Listener
	Typing      Typer
	MarkRead    Reader
	Edit        Editor
	Delete      Deleter
	React       Reactor
	Profile     Profiler
	Download    Downloader
	Register    Registrar
	Check       Checker
	Renew       Renewer
	Acknowledge Acknowledger
}

// AbilitiesOf is the one place where a connector is asked what it can do.
func AbilitiesOf(c Connector) Abilities {
	if own, ok := c.(Abler); ok {
		return own.Abilities()
	}
	var a Abilities
	a.Receive, _ = c.(Receiver)
	a.Listen, _ = c.(Listener)
	a.Typing, _ = c.(Typer)
	a.MarkRead, _ = c.(Reader)
	a.Edit, _ = c.(Editor)
	a.Delete, _ = c.(Deleter)
	a.React, _ = c.(Reactor)
	a.Profile, _ = c.(Profiler)
	a.Download, _ = c.(Downloader)
	a.Register, _ = c.(Registrar)
	a.Check, _ = c.(Checker)
	a.Renew, _ = c.(Renewer)
	a.Acknowledge, _ = c.(Acknowledger)
	return a
}

// Names lists the abilities that are there, in a fixed order, as the API shows them.
func (a Abilities) Names() []string {
	all := []struct {
		name string
		has  bool
	}{
		{"receive", a.Receive != nil},
		{"listen", a.Listen != nil},
		{"typing", a.Typing != nil},
		{"mark_read", a.MarkRead != nil},
		{"edit", a.Edit != nil},
		{"delete", a.Delete != nil},
		{"react", a.React != nil},
		{"profile", a.Profile != nil},
		{"download", a.Download != nil},
		{"register", a.Register != nil},
		{"check", a.Check != nil},
		{"renew", a.Renew != nil},
		{"acknowledge", a.Acknowledge != nil},
	}
	names := make([]string, 0, len(all))
	for _, x := range all {
		if x.has {
			names = append(names, x.name)
		}
	}
	return names
}
