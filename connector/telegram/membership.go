package telegram

import (
	"encoding/json"

	"github.com/dragoman-hub/dragoman/chat"
)

// readOwnMembership: in a private chat it tells that the person blocked or unblocked us, in a group that we came or went.
func readOwnMembership(_ *bot, u update) ([]chat.Incoming, error) {
	c, in, err := u.membership()
	if err != nil {
		return nil, err
	}
	if c.Chat.private() {
		in.Kind = blockKinds[c.New.Status]
		in.People = nil
	}
	if in.Kind == "" {
		return []chat.Incoming{u.ignored()}, nil
	}
	return []chat.Incoming{in}, nil
}

// blockKinds says what our new status in a private chat means.
var blockKinds = map[string]chat.Kind{"kicked": chat.KindBlocked, "member": chat.KindUnblocked}

// readMembership: somebody else came or went.
func readMembership(_ *bot, u update) ([]chat.Incoming, error) {
	_, in, err := u.membership()
	if err != nil {
		return nil, err
	}
	if in.Kind == "" {
		return []chat.Incoming{u.ignored()}, nil
	}
	return []chat.Incoming{in}, nil
}

// membership reads a change of status; Kind stays empty if the member was in before and after, or neither.
func (u update) membership() (memberChange, chat.Incoming, error) {
	var c memberChange
	if err := json.Unmarshal(u.what, &c); err != nil {
		return c, chat.Incoming{}, err
	}
	before, known := c.Old.present()
	after, knownToo := c.New.present()
	if c.Chat == nil || c.New.User == nil || !known || !knownToo {
		return c, chat.Incoming{}, errMembership
	}
	where := envelope{From: c.From, Chat: c.Chat}
	in := chat.Incoming{
		Key: u.key(), Thread: where.thread(), Sender: where.sender(), At: at(c.Date),
		People: []chat.Person{c.New.User.person()},
	}
	switch {
	case !before && after:
		in.Kind = chat.KindJoined
	case before && !after:
		in.Kind = chat.KindLeft
	}
	return c, in, nil
}

// presence says which statuses are inside. Somebody restricted may be either.
var presence = map[string]bool{
	"creator": true, "administrator": true, "member": true, "restricted": false, "left": false, "kicked": false,
}

// present tells whether the member is in, and whether we know the word for it.
func (m member) present() (in, known bool) {
	in, known = presence[m.Status]
	return in || (m.Status == "restricted" && m.IsMember), known
}

// comings reads the service messages about members. Our own coming and going is told by my_chat_member too, so we are left
// out here.
func (m *message) comings(self int64) (chat.Kind, []chat.Person, bool) {
	kind, users := chat.KindJoined, m.Joined
	if m.Left != nil {
		kind, users = chat.KindLeft, []user{*m.Left}
	}
	if len(users) == 0 {
		return "", nil, false
	}
	var people []chat.Person
	for _, x := range users {
		if x.ID != self {
			people = append(people, x.person())
		}
	}
	if len(people) == 0 {
		return chat.KindIgnored, nil, true
	}
	return kind, people, true
}
