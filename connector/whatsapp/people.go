package whatsapp

import (
	"regexp"

	"github.com/dragoman-hub/dragoman/chat"
)

// userID is the form of a business-scoped user id: a country code, a dot and letters or digits, "US.1349…"; one that
// is shared by several businesses of a group has ENT between: "US.ENT.118…".
var userID = regexp.MustCompile(`^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$`)

// directory holds the profiles that came with a change and knows how people are addressed.
type directory struct {
	list []profile
	by   string // byUserID or byPhone
}

// address picks the one address under which the hub shall know somebody. It is stable as long as WhatsApp gives
// the same facts; Send takes both forms.
func (d directory) address(waID, user loose) string {
	first, second := user, waID
	if d.by == byPhone {
		first, second = waID, user
	}
	if first != "" {
		return string(first)
	}
	return string(second)
}

// find looks a person up by whichever id is known. The only profile of a call is the person's, unless its ids are others.
func (d directory) find(waID, user loose) (profile, bool) {
	for _, p := range d.list {
		if (user != "" && p.UserID == user) || (waID != "" && p.WaID == waID) {
			return p, true
		}
	}
	if len(d.list) == 1 && !differ(waID, d.list[0].WaID) && !differ(user, d.list[0].UserID) {
		return d.list[0], true
	}
	return profile{}, false
}

func differ(a, b loose) bool { return a != "" && b != "" && a != b }

// person describes the one with these ids; either may be empty.
func (d directory) person(waID, user loose) chat.Person {
	p, found := d.find(waID, user)
	if found {
		waID, user = either(waID, p.WaID), either(user, p.UserID)
	}
	return chat.Person{
		Address: d.address(waID, user), Name: p.Profile.Name, Username: p.Profile.Username, Phone: phone(waID),
	}
}

// phone writes a WhatsApp id as a telephone number; other forms of id give none.
func phone(waID loose) string {
	if waID == "" || !graphID.MatchString(string(waID)) {
		return ""
	}
	return "+" + string(waID)
}

func either(a, b loose) loose {
	if a != "" {
		return a
	}
	return b
}
