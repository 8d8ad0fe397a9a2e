// Package wake carries "workspace W has head N", typing signals, who looks at what, drafts of messages and letters between nodes to whoever
// waits for them: inside one process, or between nodes over NATS.
//
// Nothing here is durable and nothing depends on arrival: the truth is in the database, and a lost wake-up costs
// latency only. It must not read the log or decide who follows what.
package wake

import (
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Bus takes news from publishers and hands them to subscribers. Publishing never blocks and never fails: a slow
// subscriber costs one entry per workspace, and a lost connection only costs latency.
type Bus interface {
	// Head says that the log of a workspace has grown to pos.
	Head(workspace chat.WorkspaceID, pos int64)
	// Typing says that somebody began or stopped to write. It is never stored.
	Typing(t Typing)
	// Presence says that somebody of ours looks at a conversation, writes in it or has left it. It is never stored.
	Presence(p Presence)
	// Draft shows how far a message is that is still being written. It is never stored; the message itself is, when it is complete.
	Draft(d Draft)
	// Post hands a letter to the mailboxes of its topic on all nodes, this one too.
	Post(l Letter)
	// Subscribe begins to collect news, but no letters; the subscriber closes what it gets.
	Subscribe() *Subscription
	// Mailbox begins to collect the letters of a topic, and nothing else.
	Mailbox(topic string) *Subscription
}

// Typing tells that somebody writes in a conversation, or no longer does.
type Typing struct {
	Workspace    chat.WorkspaceID    `json:"-"`
	Conversation chat.ConversationID `json:"conversation"`
	Sender       chat.Party          `json:"sender"`
	On           bool                `json:"on"`
}

// Presence tells what one of us does in a conversation. It counts for PresenceFor; who stays says it again before.
type Presence struct {
	Workspace    chat.WorkspaceID    `json:"-"`
	Conversation chat.ConversationID `json:"conversation"`
	User         string              `json:"user"`
	Name         string              `json:"name"`
	Doing        Doing               `json:"doing"`
	At           time.Time           `json:"at"`
}

// Doing is what somebody does.
type Doing string

// What can be done.
const (
	Looking  Doing = "looking"
	Writing  Doing = "typing"
	GoneAway Doing = "gone"
)

// PresenceFor is how long a presence counts.
const PresenceFor = 45 * time.Second

// Draft is a message that grows, such as an answer that a model is still writing. Each one has all that was written so far.
type Draft struct {
	Workspace    chat.WorkspaceID    `json:"-"`
	Conversation chat.ConversationID `json:"conversation"`
	ID           string              `json:"id"` // of the message to be, unique in its conversation
	Message      chat.Message        `json:"message"`
}

// News is what came since the last Take.
type News struct {
	// Heads has the highest head of each workspace that was heard of.
	Heads map[chat.WorkspaceID]int64
	// Typing has the signals in the order in which they came, the newest TypingLimit of them.
	Typing []Typing
	// Presences has what people did, in the order in which it came, the newest PresenceLimit of it.
	Presences []Presence
	// Drafts has the newest draft of each message, in any order; DraftLimit messages at the most, others are left out.
	Drafts []Draft
	// Letters are those of a mailbox's topic, in order; LetterLimit of them at the most, what is more is lost.
	Letters []Letter
	// Missed says that other nodes may have spoken unheard (the connection was away): look at everything.
	Missed bool
}

// TypingLimit is how many typing signals a subscription keeps, PresenceLimit how many presences; the oldest goes first. DraftLimit is
// how many messages it keeps drafts of.
const (
	TypingLimit   = 256
	PresenceLimit = 1024
	DraftLimit    = 4096
)

var (
	_ Bus = (*LocalBus)(nil)
	_ Bus = (*NATSBus)(nil)
)
