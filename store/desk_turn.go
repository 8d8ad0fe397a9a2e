package store

import (
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// asked notes that the contact has written: from the first message on that nobody has answered the contact waits.
func (c *conversationRow) asked(now time.Time) {
	c.lastIn = micros(now)
	c.waits(now)
}

// waits notes that somebody owes the contact a word.
func (c *conversationRow) waits(now time.Time) {
	if c.waiting == 0 {
		c.waiting = micros(now)
	}
}

// answered notes a message of ours. What a person says is an answer, and what the bot says while it has the conversation; what the
// system says by itself, or a bot to somebody who waits for a person, is none.
func (c *conversationRow) answered(now time.Time, by chat.PartyType) {
	c.lastOut = micros(now)
	switch {
	case by == chat.PartyAgent:
		c.waiting = 0
		if c.firstReply == 0 {
			c.firstReply = micros(now)
		}
	case by == chat.PartyBot && c.state == chat.StateBot:
		c.waiting = 0
	}
}
