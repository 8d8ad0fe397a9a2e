package rpc

import "github.com/dragoman-hub/dragoman/chat"

// seats remember which worker had a conversation: the newest maxSeats of them for certain.
type seats struct {
	young, old map[chat.ConversationID]*member
}

// maxSeats bounds one generation.
const maxSeats = 1 << 15

func (s *seats) find(id chat.ConversationID) *member {
	m := s.young[id]
	if m == nil {
		m = s.old[id]
	}
	if m == nil || m.left {
		return nil
	}
	return m
}

func (s *seats) put(id chat.ConversationID, m *member) {
	if s.young == nil || len(s.young) >= maxSeats {
		s.young, s.old = map[chat.ConversationID]*member{}, s.young
	}
	s.young[id] = m
}
