package wake

import (
	"sync"

	"github.com/dragoman-hub/dragoman/chat"
)

// Subscription collects news until its owner takes them. Its size is bounded: one number per workspace,
// TypingLimit typing signals, PresenceLimit presences and DraftLimit drafts.
type Subscription struct {
	closed func()
	topic  string        // of a mailbox
	ready  chan struct{} // holds a token while there are news

	mu    sync.Mutex
	news  News
	at    map[draftKey]int // where the draft of a message stands in news
	bytes int              // of the letters in news
}

// draftKey names a message to be.
type draftKey struct {
	workspace    chat.WorkspaceID
	conversation chat.ConversationID
	id           string
}

func newSubscription() *Subscription {
	return &Subscription{ready: make(chan struct{}, 1), closed: func() {}}
}

// Ready gives a value when there are news; one owner waits on it and then calls Take.
func (s *Subscription) Ready() <-chan struct{} { return s.ready }

// Take gives what came since the last Take; it may be empty. It never blocks.
func (s *Subscription) Take() News {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.news
	s.news, s.at, s.bytes = News{}, nil, 0
	return n
}

// Close ends the subscription; Ready gives nothing new afterwards.
func (s *Subscription) Close() { s.closed() }

// head keeps the highest: another node's news may overtake ours.
func (s *Subscription) head(w chat.WorkspaceID, pos int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.news.Heads == nil {
		s.news.Heads = map[chat.WorkspaceID]int64{}
	}
	if s.news.Heads[w] < pos {
		s.news.Heads[w] = pos
		s.signal()
	}
}

func (s *Subscription) typing(t Typing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.news.Typing = newest(s.news.Typing, t, TypingLimit)
	s.signal()
}

func (s *Subscription) presence(p Presence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.news.Presences = newest(s.news.Presences, p, PresenceLimit)
	s.signal()
}

// newest appends to a list of at most limit; the oldest makes room.
func newest[T any](list []T, v T, limit int) []T {
	if n := len(list); n == limit {
		copy(list, list[1:])
		list = list[:n-1]
	}
	return append(list, v)
}

// draft replaces what came before of the same message.
func (s *Subscription) draft(d Draft) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := draftKey{d.Workspace, d.Conversation, d.ID}
	switch i, known := s.at[k]; {
	case known:
		s.news.Drafts[i] = d
	case len(s.news.Drafts) == DraftLimit:
		return
	default:
		if s.at == nil {
			s.at = map[draftKey]int{}
		}
		s.at[k] = len(s.news.Drafts)
		s.news.Drafts = append(s.news.Drafts, d)
	}
	s.signal()
}

func (s *Subscription) missed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.news.Missed = true
	s.signal()
}

func (s *Subscription) signal() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}
