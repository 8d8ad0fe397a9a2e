package whatsapp

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// Receive takes Meta's handshake (GET) and its webhook calls (POST).
//
// One Meta app may have many numbers and sends the events of all of them to one address: only those of this channel's
// number count. The others are answered and ignored, for they belong to other channels (Register asks Meta to send
// each number's events to its own channel).
func (n *number) Receive(_ context.Context, req connector.Request) (connector.Delivery, error) {
	switch req.Method {
	case http.MethodGet:
		return n.challenge(req.URL)
	case http.MethodPost:
	default:
		return connector.Delivery{}, connector.Malformedf("method %q: want GET or POST", req.Method)
	}
	if !signed(n.set.AppSecret, req.Body, req.Header.Get(signatureHeader)) {
		return connector.Delivery{}, connector.ErrUnsigned
	}
	body := bytes.ToValidUTF8(req.Body, []byte("\uFFFD")) // raw parts of it are stored
	env, err := readEnvelope(body)
	if err != nil {
		return connector.Delivery{}, err
	}
	return connector.Delivery{Events: n.events(env, body)}, nil
}

// events translates a whole call. What it cannot read becomes an event too.
func (n *number) events(env envelope, body []byte) []chat.Incoming {
	if env.Object != "whatsapp_business_account" {
		return []chat.Incoming{ignored(hashKey("object", body))}
	}
	var out []chat.Incoming
	for _, e := range env.Entry {
		for _, raw := range e.Changes {
			out = append(out, n.change(e, raw)...)
		}
	}
	return out
}

// dropped names the fields whose events are of no use to the hub: copies of old messages and of the address book that
// the phone app hands over in thousands when a number is connected.
var dropped = map[string]bool{"history": true, "smb_app_state_sync": true}

// change translates one change. Fields without a translation are kept as events of the channel.
func (n *number) change(e entry, raw json.RawMessage) []chat.Incoming {
	var c change
	var v value
	k := func(what string) string { return hashKey(what, []byte(e.ID), []byte(e.Time), raw) }
	if json.Unmarshal(raw, &c) != nil {
		return []chat.Incoming{unreadable(k("change"), seconds(e.Time), raw)}
	}
	unread := json.Unmarshal(c.Value, &v) != nil
	switch id := string(v.Metadata.PhoneNumberID); {
	case dropped[c.Field]:
		return []chat.Incoming{ignored(k(c.Field))}
	case id != "" && id != n.set.PhoneNumberID, id == "" && n.set.WABAID != "" && string(e.ID) != n.set.WABAID:
		return []chat.Incoming{ignored(k("other"))}
	case unread:
		return []chat.Incoming{unreadable(k(c.Field), seconds(e.Time), raw)}
	}
	out := n.contents(v)
	if len(v.Errors) > 0 || len(out) == 0 {
		out = append(out, unreadable(k(c.Field), seconds(e.Time), raw))
	}
	return out
}

// contents translates the lists of a change that hold events.
func (n *number) contents(v value) []chat.Incoming {
	people := directory{list: v.Contacts, by: n.set.AddressBy}
	var out []chat.Incoming
	for _, raw := range v.Messages {
		out = append(out, n.incoming(raw, people, false))
	}
	for _, raw := range v.Echoes {
		out = append(out, n.incoming(raw, people, true))
	}
	for _, raw := range v.Statuses {
		out = append(out, n.status(raw, people))
	}
	for _, raw := range v.Groups {
		out = append(out, n.group(raw)...)
	}
	return out
}
