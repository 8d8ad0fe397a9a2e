package store

import (
	"context"
	"encoding/json"

	"github.com/dragoman-hub/dragoman/chat"
)

// Record appends an event that only tells: a flow's step, a call to a worker and its result, a profile.
type Record struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Kind         chat.Kind
	Sender       chat.Party
	Data         json.RawMessage
	Profile      *chat.Profile // of kind profile: the contact's facts are brought up to date
	Once         string
	Action       chat.ActionID

	deed
}

// acts are the kinds that have commands of their own, which do more than tell.
var acts = map[chat.Kind]bool{
	"": true, chat.KindMessage: true, chat.KindNote: true, chat.KindOpened: true, chat.KindQueued: true, chat.KindAssigned: true,
	chat.KindBot: true, chat.KindClosed: true, chat.KindReceipt: true, chat.KindErased: true, chat.KindRepeated: true,
	chat.KindSnoozed: true, chat.KindAwoken: true,
	chat.KindTyping: true, chat.KindIgnored: true, chat.KindPresence: true, chat.KindChanged: true, chat.KindAction: true,
}

func (c *Record) resolve(ctx context.Context, s *Store) error {
	if acts[c.Kind] {
		return chat.Faultf(chat.CodeInvalid, "an event of kind "+string(c.Kind)+" is more than a record")
	}
	return c.find(ctx, s, c.Workspace, c.Conversation, "r:", c.Once)
}

func (c *Record) apply(ctx context.Context, u *unit) (Result, error) {
	conv, ch, before, err := c.look(ctx, u)
	if err != nil || before != nil {
		return repeated(before), err
	}
	if c.Profile != nil {
		if err := u.learn(ctx, conv, *c.Profile); err != nil {
			return Result{}, err
		}
		c.Data = data(c.Profile)
	}
	sender := c.Sender
	e := chat.Event{Kind: c.Kind, Sender: &sender, Data: c.Data, Action: c.Action}
	return Result{Events: []chat.Event{u.append(conv, ch, e, c.once.key)}}, nil
}

// learn brings the identity behind a conversation up to date.
func (u *unit) learn(ctx context.Context, conv *conversationRow, p chat.Profile) error {
	k := addressKey{conv.ws, conv.channel, conv.threadBody.Address}
	u.wantIdentity(k)
	if err := u.fetch(ctx); err != nil {
		return err
	}
	who := u.identities[k]
	if who == nil {
		return nil
	}
	(&Receive{}).refresh(u, who, p.Person)
	who.profileAt, who.dirty = micros(u.now), true
	return nil
}

// Report tells what became of an outgoing message: it moves the status and names the message at its platform.
type Report struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Seq          int64
	Receipt      chat.ReceiptData
	MovedTo      string            // the contact's new address, learnt from the platform's answer
	Blocked      bool              // the platform says that the contact has blocked us
	Titles       map[string]string // quick replies of the message that come back as text: payloads by title
	Quiet        bool              // change the status only, append no event (queued and sending)
	Action       chat.ActionID

	deed
}

func (c *Report) resolve(ctx context.Context, s *Store) error {
	ids := make([]string, 0, len(c.Receipt.ExternalIDs))
	for _, id := range c.Receipt.ExternalIDs {
		// an id that is too long cannot be found again; the report must not fail for it
		if len(id) <= maxName {
			ids = append(ids, cleanText(id))
		}
	}
	c.Receipt.ExternalIDs = ids
	c.MovedTo = cleanText(c.MovedTo)
	return c.find(ctx, s, c.Workspace, c.Conversation, "", "")
}

func (c *Report) want(u *unit) {
	c.deed.want(u)
	conv := u.byUID[uidKey{string(c.conv)}]
	if conv == nil {
		return
	}
	u.wantEvent(eventKey{conv.ws, conv.no, c.Seq})
	for _, id := range c.Receipt.ExternalIDs {
		u.wantTarget(targetKey{conv.ws, conv.channel, id})
	}
}

func (c *Report) apply(ctx context.Context, u *unit) (Result, error) {
	conv, ch, err := u.conversationAndChannel(ctx, c.ws, c.Conversation)
	if err != nil {
		return Result{}, err
	}
	c.want(u)
	row, err := u.event(ctx, eventKey{conv.ws, conv.no, c.Seq})
	if err != nil {
		return Result{}, err
	}
	u.moveStatus(row, c.Receipt.Status, c.Receipt.Error)
	var res Result
	for _, id := range c.Receipt.ExternalIDs {
		k := targetKey{conv.ws, conv.channel, id}
		gone, err := c.takeBack(ctx, u, conv, ch, row, k)
		if err != nil {
			return Result{}, err
		}
		res.Events = append(res.Events, gone...)
		c.name(u, conv, row, k)
	}
	if c.MovedTo != "" {
		if err := u.moveAddress(ctx, addressKey{conv.ws, conv.channel, conv.threadBody.Address}, c.MovedTo); err != nil {
			return Result{}, err
		}
	}
	c.offer(u, conv)
	if c.Blocked {
		if err := u.block(ctx, conv); err != nil {
			return Result{}, err
		}
	}
	if c.Quiet {
		return res, nil
	}
	c.Receipt.Seq = c.Seq
	e := chat.Event{
		Kind: chat.KindReceipt, Direction: chat.Out, Sender: &chat.Party{Type: chat.PartySystem}, Data: data(c.Receipt), Action: c.Action,
	}
	res.Events = append(res.Events, u.append(conv, ch, e, ""))
	return res, nil
}

// name binds an external id to the message; a receipt that came earlier counts now.
func (c *Report) name(u *unit, conv *conversationRow, row *eventRow, k targetKey) {
	if row.externalID == "" {
		row.externalID, row.dirty = k.external, true
	}
	if t := u.targets[k]; t != nil && t.seq == 0 && t.early != "" {
		u.prove(row, t.early, failureOf(t.failure))
	}
	u.nameMessage(k, conv, c.Seq)
}

// block remembers that the contact behind a conversation cannot be reached on its channel.
func (u *unit) block(ctx context.Context, conv *conversationRow) error {
	k := addressKey{conv.ws, conv.channel, conv.threadBody.Address}
	u.wantIdentity(k)
	if err := u.fetch(ctx); err != nil {
		return err
	}
	if who := u.identities[k]; who != nil && !who.blocked {
		who.blocked, who.dirty = true, true
	}
	return nil
}
