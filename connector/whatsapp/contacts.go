package whatsapp

import (
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// card is a person's card, the same shape in both directions.
type card struct {
	Name   cardName    `json:"name"`
	Org    *cardOrg    `json:"org,omitempty"`
	Phones []cardPhone `json:"phones,omitempty"`
	Emails []cardEmail `json:"emails,omitempty"`
	VCard  string      `json:"vcard,omitempty"`
}

type (
	cardName struct {
		Formatted string `json:"formatted_name"`
		First     string `json:"first_name,omitempty"`
		Last      string `json:"last_name,omitempty"`
	}
	cardOrg struct {
		Company string `json:"company,omitempty"`
	}
	cardPhone struct {
		Phone string `json:"phone,omitempty"`
		WaID  loose  `json:"wa_id,omitempty"`
		Type  string `json:"type,omitempty"`
	}
	cardEmail struct {
		Email string `json:"email,omitempty"`
		Type  string `json:"type,omitempty"`
	}
)

// cards makes one element of each card.
func cards(list []card) []chat.Element {
	out := make([]chat.Element, 0, len(list))
	for _, c := range list {
		out = append(out, chat.NewElement(chat.Contact, c.payload()))
	}
	return out
}

func (c card) payload() chat.ContactCard {
	p := chat.ContactCard{Name: c.Name.Formatted, FirstName: c.Name.First, LastName: c.Name.Last, VCard: c.VCard}
	if c.Org != nil {
		p.Company = c.Org.Company
	}
	for _, t := range c.Phones {
		if number := either(loose(t.Phone), t.WaID); number != "" {
			p.Phones = append(p.Phones, string(number))
		}
		if p.UserID == "" {
			p.UserID = string(t.WaID)
		}
	}
	for _, e := range c.Emails {
		if e.Email != "" {
			p.Emails = append(p.Emails, e.Email)
		}
	}
	if p.Name == "" {
		p.Name = strings.TrimSpace(p.FirstName + " " + p.LastName)
	}
	return p
}

// sendable writes a card. WhatsApp wants one more part of the name beside the formatted one.
func sendable(p chat.ContactCard) card {
	c := card{Name: cardName{Formatted: p.Name, First: p.FirstName, Last: p.LastName}}
	if c.Name.Formatted == "" {
		c.Name.Formatted = strings.TrimSpace(p.FirstName + " " + p.LastName)
	}
	if c.Name.First == "" && c.Name.Last == "" {
		c.Name.First = c.Name.Formatted
	}
	if p.Company != "" {
		c.Org = &cardOrg{Company: p.Company}
	}
	for i, t := range p.Phones {
		entry := cardPhone{Phone: t, Type: "CELL"}
		if i == 0 && graphID.MatchString(p.UserID) {
			entry.WaID = loose(p.UserID)
		}
		c.Phones = append(c.Phones, entry)
	}
	for _, e := range p.Emails {
		c.Emails = append(c.Emails, cardEmail{Email: e, Type: "HOME"})
	}
	return c
}
