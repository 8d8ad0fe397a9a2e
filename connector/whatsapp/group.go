package whatsapp

import (
	"encoding/json"

	"github.com/dragoman-hub/dragoman/chat"
)

// groupEvent is one entry of groups[]: fields group_lifecycle_update and group_participants_update.
type groupEvent struct {
	Timestamp loose         `json:"timestamp"`
	GroupID   loose         `json:"group_id"`
	Type      string        `json:"type"`
	Request   loose         `json:"request_id"`
	Subject   string        `json:"subject"`
	Added     []participant `json:"added_participants"`
	Removed   []participant `json:"removed_participants"`
}

type participant struct {
	WaID   loose `json:"wa_id"`
	UserID loose `json:"user_id"`
}

// group translates who came into a group and who left; everything else about groups is kept as an event of the channel.
func (n *number) group(raw json.RawMessage) []chat.Incoming {
	var g groupEvent
	var out []chat.Incoming
	if json.Unmarshal(raw, &g) == nil && g.GroupID != "" {
		if added := n.people(g.Added); len(added) > 0 {
			out = append(out, g.came(chat.KindJoined, added, raw))
		}
		if removed := n.people(g.Removed); len(removed) > 0 {
			out = append(out, g.came(chat.KindLeft, removed, raw))
		}
	}
	if len(out) == 0 {
		out = append(out, unreadable(hashKey("group", raw), seconds(g.Timestamp), raw))
	}
	return out
}

// people describes the participants that have an id.
func (n *number) people(list []participant) []chat.Person {
	known := directory{by: n.set.AddressBy}
	var out []chat.Person
	for _, p := range list {
		if p.WaID != "" || p.UserID != "" {
			out = append(out, known.person(p.WaID, p.UserID))
		}
	}
	return out
}

func (g groupEvent) came(kind chat.Kind, people []chat.Person, raw json.RawMessage) chat.Incoming {
	return chat.Incoming{
		Key: hashKey(string(kind), raw), Kind: kind, At: seconds(g.Timestamp), People: people,
		Thread: chat.Thread{Address: string(g.GroupID), Group: true, Title: g.Subject},
	}
}
