package report

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// place counts a move. One that takes back the move before takes back what was counted then, too.
func (m memory) place(e chat.Event, at int64) (memory, []store.Count) {
	var to chat.PlaceData
	_ = json.Unmarshal(e.Data, &to) // erased: the kind tells the state
	if to.Undoes != 0 && m.Undo != nil {
		back := slices.Clone(m.Undo.Counts)
		for i := range back {
			back[i].N = -back[i].N
		}
		return m.Undo.Was, back
	}
	was := m
	was.Undo = nil
	next, out := was.goes(e, to, at)
	if !was.Fresh {
		next.Undo = &undo{was, out}
	}
	return next, out
}

// goes moves the conversation.
func (m memory) goes(e chat.Event, to chat.PlaceData, at int64) (memory, []store.Count) {
	var out []store.Count
	count := func(c store.Count) { out = append(out, c) }
	was := m
	m.enter(e.Kind, to)
	if m.State == chat.StateClosed {
		return was.close(e, at, count), out
	}
	m = m.opening(count)
	if moved := m.Queue != was.Queue || m.Agent != was.Agent; was.State == chat.StateAssigned && moved {
		count(was.one(e, Transferred))
		count(was.by(e, was.Agent, Transferred))
	}
	if m.State == chat.StateQueued && (was.State != chat.StateQueued || m.Queue != was.Queue) {
		count(m.one(e, Queued))
		m.InLine = at
	}
	if m.State != chat.StateQueued {
		m.InLine = 0
	}
	if m.State == chat.StateAssigned && m.Agent != was.Agent {
		count(m.by(e, m.Agent, Taken))
		if was.InLine != 0 {
			c := was.one(e, Wait)
			c.Bucket = Bucket(time.Duration(at-was.InLine) * time.Microsecond)
			count(c)
		}
	}
	return m.wants(was, at), out
}

// wants begins the time that the contact waits for a person, or ends it.
func (m memory) wants(was memory, at int64) memory {
	switch {
	case m.State == chat.StateBot:
		m.Waits = 0
	case m.State == chat.StateQueued || was.State == chat.StateBot:
		m.Asked = true
		if m.Waits == 0 {
			m.Waits = at
		}
	}
	return m
}

// enter is where the conversation is now.
func (m *memory) enter(kind chat.Kind, to chat.PlaceData) {
	if to.Queue != "" {
		m.Queue = to.Queue
	}
	m.Agent = ""
	switch kind {
	case chat.KindBot:
		m.State, m.Queue = chat.StateBot, ""
	case chat.KindQueued:
		m.State = chat.StateQueued
	case chat.KindAssigned:
		m.State, m.Agent = chat.StateAssigned, to.Assignee
	default:
		m.State = chat.StateClosed
	}
}

// close counts the end, where the conversation was before.
func (m memory) close(e chat.Event, at int64, count func(store.Count)) memory {
	m = m.opening(count)
	count(m.one(e, Closed))
	if m.Agent != "" {
		count(m.by(e, m.Agent, Closed))
	}
	if m.Asked && !m.Answered {
		count(m.one(e, Abandoned))
	}
	if m.Opened != 0 {
		c := m.one(e, Duration)
		c.Bucket = Bucket(time.Duration(at-m.Opened) * time.Microsecond)
		count(c)
	}
	m.State, m.InLine, m.Waits = chat.StateClosed, 0, 0
	return m
}
