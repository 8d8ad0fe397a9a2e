package store

import (
	"context"

	"github.com/dragoman-hub/dragoman/chat"
)

// Start begins a conversation with words of ours: with somebody known by an address of a channel, or with somebody new. Whether the platform
// allows it is for the caller to know.
type Start struct {
	Workspace chat.WorkspaceID
	Channel   chat.ChannelID
	Person    chat.Person    // by Address; the rest is kept of somebody new
	To        chat.PlaceData // queued or assigned
	Known     bool           // only into a queue that is stored
	Message   chat.Message
	By        chat.Party
	Once      string
	Action    chat.ActionID

	at   channelName
	once onceKey
}

// startPrefix keeps the names of beginnings apart from those of messages.
const startPrefix = "s:"

func (c *Start) resolve(ctx context.Context, s *Store) (err error) {
	if c.To.State != chat.StateQueued && c.To.State != chat.StateAssigned || c.To.State == chat.StateAssigned && c.To.Assignee == "" {
		return chat.Faultf(chat.CodeInvalid, "a conversation that we begin has an agent, or waits in a queue")
	}
	c.Person.Address = cleanText(c.Person.Address)
	if c.Person.Address == "" || len(c.Person.Address) > maxName || len(c.Once) > maxName || len(c.Message.Stack) == 0 {
		return chat.Faultf(chat.CodeInvalid, "a conversation needs an address of at most 500 bytes and a message")
	}
	ws, err := s.workspaceNo(ctx, c.Workspace)
	if err != nil {
		return err
	}
	c.at, err = s.channelNo(ctx, c.Channel)
	if err == nil && c.at.ws != ws {
		err = chat.Faultf(chat.CodeNotFound, "no such channel")
	}
	if c.Once != "" {
		c.once = onceKey{ws, startPrefix + cleanText(c.Once)}
	}
	return err
}

func (c *Start) workspace() int64     { return c.at.ws }
func (c *Start) thread() chat.Thread  { return chat.Thread{Address: c.Person.Address} }
func (c *Start) threadKey() threadKey { return threadKey{c.at.ws, c.at.no, c.thread().Key()} }

func (c *Start) want(u *unit) {
	u.wantChannel(c.at.ws, c.at.no)
	u.wantIdentity(addressKey{c.at.ws, c.at.no, c.Person.Address})
	u.wantLatest(c.threadKey())
	if c.once.key != "" {
		u.wantOnce(c.once)
	}
}

func (c *Start) apply(ctx context.Context, u *unit) (Result, error) {
	before, err := u.seen(ctx, c.once)
	if err != nil || before != nil {
		return repeated(before), err
	}
	ch, err := u.channel(ctx, c.at.ws, c.at.no)
	if err != nil {
		return Result{}, err
	}
	if c.Known {
		if err := u.hasQueue(ctx, c.at.ws, c.To.Queue); err != nil {
			return Result{}, err
		}
	}
	if !ch.active {
		return Result{}, chat.Faultf(chat.CodeForbidden, "the channel is switched off")
	}
	last := u.latest[c.threadKey()]
	if last != nil && last.state != chat.StateClosed {
		return Result{}, chat.Faultf(chat.CodeConflict, "there is an open conversation with this contact")
	}
	if who := u.identities[addressKey{c.at.ws, c.at.no, c.Person.Address}]; who != nil && who.blocked {
		return Result{}, chat.Faultf(chat.CodeBlocked, "the contact has blocked us")
	}
	in := Receive{at: c.at, In: chat.Incoming{Thread: c.thread(), Sender: c.Person}}
	who, err := in.identity(ctx, u)
	if err != nil {
		return Result{}, err
	}
	by := c.By
	conv, opened := u.begin(ch, who.contact, c.thread(), last, c.To, chat.Event{Kind: chat.KindOpened, Sender: &by, Action: c.Action}, chat.OpenedData{})
	conv.waiting = 0 // it is the contact's turn
	conv.preview = preview(&c.Message)
	conv.answered(u.now, by.Type)
	msg := c.Message
	e := chat.Event{Kind: chat.KindMessage, Direction: chat.Out, Status: chat.Queued, Sender: &by, Message: &msg, Action: c.Action}
	return Result{Events: append([]chat.Event{u.append(conv, ch, e, c.once.key)}, opened...)}, nil
}

// Started tells whether a conversation was begun under a name.
func (s *Store) Started(ctx context.Context, ws chat.WorkspaceID, once string) (bool, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return false, err
	}
	found, err := list(ctx, s, scanID, "SELECT pos FROM events WHERE once_key IS NOT NULL AND workspace = $1 AND once_key = $2", no, startPrefix+cleanText(once))
	return len(found) > 0, err
}
