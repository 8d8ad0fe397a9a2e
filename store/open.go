package store

import (
	"context"

	"github.com/dragoman-hub/dragoman/chat"
)

// open finds the open conversation of the thread or begins a new one: where the channel has a flow the bot gets
// it, else it waits in the channel's queue; soon after a close it goes back to where it was. The events of a new one come back too.
func (c *Receive) open(ctx context.Context, u *unit, ch *channelRow) (*conversationRow, []chat.Event, error) {
	tk := threadKey{c.at.ws, c.at.no, c.In.Thread.Key()}
	u.wantLatest(tk)
	who, err := c.identity(ctx, u)
	if err != nil {
		return nil, nil, err
	}
	last := u.latest[tk]
	if last != nil && last.state != chat.StateClosed {
		return last, nil, nil
	}
	to, err := u.goesOn(ctx, last)
	if err != nil {
		return nil, nil, err
	}
	if to.State == "" {
		to = ch.start()
	}
	opened := c.event(chat.KindOpened)
	conv, events := u.begin(ch, who.contact, c.In.Thread, last, to, opened, chat.OpenedData{
		Start: c.In.Start, Metadata: c.In.Metadata, Override: c.In.Override,
	})
	return conv, events, nil
}

// arrive opens a conversation before anything was said; an open one of the thread goes on.
func (c *Receive) arrive(ctx context.Context, u *unit, ch *channelRow) (Result, error) {
	if c.In.Thread.Address == "" {
		return Result{}, chat.Faultf(chat.CodeInvalid, "a conversation needs a thread")
	}
	_, opened, err := c.open(ctx, u, ch)
	return Result{Events: opened, Duplicate: len(opened) == 0}, err
}

// start is where new conversations of a channel go.
func (ch *channelRow) start() chat.PlaceData {
	if ch.flow != "" && ch.flowVersion > 0 {
		return chat.PlaceData{State: chat.StateBot, Flow: ch.flow, Version: ch.flowVersion}
	}
	return chat.PlaceData{State: chat.StateQueued, Queue: ch.queue, Reason: chat.ReasonNew}
}

// begin makes a conversation at its first place, behind the last one of its thread, and tells of it: opened begins the event, d its data.
func (u *unit) begin(ch *channelRow, contact int64, thread chat.Thread, last *conversationRow, to chat.PlaceData, opened chat.Event, d chat.OpenedData) (*conversationRow, []chat.Event) {
	w := u.workspaces[ch.ws]
	w.lastConversation++
	w.dirty = true
	conv := &conversationRow{
		ws: ch.ws, no: w.lastConversation, uid: chat.ConversationID(u.s.id()), channel: ch.no, contact: contact,
		thread: thread.Key(), threadBody: thread, opened: micros(u.now), updated: micros(u.now), tags: "[]", fields: "{}", fresh: true,
	}
	conv.settle(conv.opened, to)
	if last != nil {
		conv.previous, conv.lastIn = last.uid, last.lastIn // reply windows go on
	}
	u.keep(conv)
	tk := threadKey{ch.ws, ch.no, conv.thread}
	u.asked[tk], u.asked[convKey{conv.ws, conv.no}], u.asked[uidKey{string(conv.uid)}] = true, true, true
	u.latest[tk] = conv
	d.Contact, d.Previous, d.Flow, d.Version = u.contacts[convKey{ch.ws, contact}].uid, conv.previous, conv.flow, conv.flowVersion
	opened.Data = data(d)
	events := []chat.Event{u.append(conv, ch, opened, "")}
	if to.State != chat.StateBot {
		e := chat.Event{Kind: placeKinds[to.State], Sender: &chat.Party{Type: chat.PartySystem}, Action: opened.Action, Data: data(to)}
		if opened.Sender.Type == chat.PartyAgent {
			e.Sender = opened.Sender
		}
		events = append(events, u.append(conv, ch, e, ""))
	}
	return conv, events
}

// identity finds who has an address, or makes a contact for it, and keeps the person's facts up to date. For a group
// the group itself is the contact.
func (c *Receive) identity(ctx context.Context, u *unit) (*identityRow, error) {
	k := addressKey{c.at.ws, c.at.no, c.In.Thread.Address}
	u.wantIdentity(k)
	if err := u.fetch(ctx); err != nil {
		return nil, err
	}
	person := c.In.Sender
	if c.In.Thread.Group || person.Address != c.In.Thread.Address {
		person = chat.Person{Address: c.In.Thread.Address, Name: c.In.Thread.Title}
	}
	who := u.identities[k]
	if who == nil {
		contact := u.newContact(c.at.ws, person)
		who = &identityRow{ws: k.ws, channel: k.channel, address: k.address, contact: contact.no, person: person, fresh: true}
		u.asked[k] = true
		u.identities[k] = who
		return who, nil
	}
	c.refresh(u, who, person)
	return who, nil
}

func (u *unit) newContact(ws int64, p chat.Person) *contactRow {
	w := u.workspaces[ws]
	w.lastContact++
	w.dirty = true
	return u.keepContact(&contactRow{
		ws: ws, no: w.lastContact, uid: chat.ContactID(u.s.id()), name: cleanText(displayName(p)), language: p.Language,
		properties: "{}", created: micros(u.now), fresh: true,
	})
}

// refresh takes over facts that have changed; an empty fact never deletes a known one.
func (c *Receive) refresh(u *unit, who *identityRow, p chat.Person) {
	merged := mergePerson(who.person, p)
	if merged == who.person {
		return
	}
	contact := u.contacts[convKey{who.ws, who.contact}]
	if contact != nil {
		// a name that somebody gave the contact by hand stays
		if name := displayName(merged); contact.name == displayName(who.person) || contact.name == "" {
			contact.name, contact.dirty = cleanText(name), true
		}
		if merged.Language != "" && contact.language != merged.Language {
			contact.language, contact.dirty = merged.Language, true
		}
	}
	who.person, who.dirty = merged, true
}

func mergePerson(old, p chat.Person) chat.Person {
	set := func(dst *string, v string) {
		if v != "" {
			*dst = v
		}
	}
	set(&old.Address, p.Address)
	set(&old.Name, p.Name)
	set(&old.FirstName, p.FirstName)
	set(&old.LastName, p.LastName)
	set(&old.Username, p.Username)
	set(&old.Language, p.Language)
	set(&old.Phone, p.Phone)
	set(&old.Email, p.Email)
	old.Bot = old.Bot || p.Bot
	return old
}

// displayName is the best name for a person that we have.
func displayName(p chat.Person) string {
	for _, s := range []string{p.Name, joinNames(p.FirstName, p.LastName), p.Username, p.Phone, p.Email} {
		if s != "" {
			return s
		}
	}
	return p.Address
}

func joinNames(first, last string) string {
	if first != "" && last != "" {
		return first + " " + last
	}
	return first + last
}
