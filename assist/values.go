package assist

import (
	"encoding/json"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Values are what variables stand for; what is not known is not there.
type Values map[string]string

// maxValue bounds what is put in for one variable, in bytes.
const maxValue = 1000

// ValuesOf gives the values for an agent who writes in a conversation. Queue and channel are as people read them.
func ValuesOf(conv chat.Conversation, contact store.Contact, agent chat.Party, queue, channel string) Values {
	v := Values{}
	who := person(conv, contact)
	first, last := names(who, contact.Name)
	for name, value := range map[string]string{
		"contact.id": string(contact.ID), "contact.name": contact.Name, "contact.first_name": first, "contact.last_name": last,
		"contact.username": who.Username, "contact.language": contact.Language, "contact.phone": who.Phone, "contact.email": who.Email,
		"agent.id": agent.ID, "agent.name": agent.Name, "agent.first_name": firstWord(agent.Name), "conversation.id": string(conv.ID),
		"conversation.queue": queue, "conversation.channel": channel,
	} {
		v.set(name, value)
	}
	var properties map[string]json.RawMessage
	if json.Unmarshal(contact.Properties, &properties) == nil {
		for name, raw := range properties {
			v.set("contact.fields."+name, shown(raw))
		}
	}
	for name, raw := range conv.Fields {
		v.set("fields."+name, shown(raw))
	}
	return v
}

func (v Values) set(name, value string) {
	if value = strings.TrimSpace(value); value != "" && len(value) <= maxValue {
		v[name] = value
	}
}

// person is who the platform of a conversation knows the contact as; what it does not tell, the other channels may.
func person(conv chat.Conversation, contact store.Contact) chat.Person {
	var out chat.Person
	fill := func(p chat.Person) {
		for _, m := range []struct {
			to   *string
			from string
		}{
			{&out.FirstName, p.FirstName},
			{&out.LastName, p.LastName},
			{&out.Username, p.Username},
			{&out.Phone, p.Phone},
			{&out.Email, p.Email},
		} {
			if *m.to == "" {
				*m.to = m.from
			}
		}
	}
	for _, i := range contact.Identities {
		if i.Channel == conv.Channel && i.Address == conv.Thread.Address {
			fill(i.Person)
		}
	}
	for _, i := range contact.Identities {
		fill(i.Person)
	}
	return out
}

// names are the first and last name: as the platform tells them, else the words of the whole name, if it has two.
func names(p chat.Person, whole string) (first, last string) {
	if p.FirstName != "" || p.LastName != "" {
		return p.FirstName, p.LastName
	}
	words := strings.Fields(whole)
	switch len(words) {
	case 1:
		return words[0], ""
	case 2:
		return words[0], words[1]
	default:
		return "", ""
	}
}

func firstWord(s string) string {
	if words := strings.Fields(s); len(words) > 0 {
		return words[0]
	}
	return ""
}

// shown is a field's value as people read it.
func shown(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return ""
	}
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return string(raw) // its digits as they were written
	case bool:
		if v {
			return "yes"
		}
		return "no"
	default:
		return ""
	}
}
