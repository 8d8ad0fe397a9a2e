package whatsapp

import (
	"encoding/json"
	"strconv"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// receipt is one entry of statuses[].
type receipt struct {
	ID                string          `json:"id"` // of the message that we sent
	Status            string          `json:"status"`
	Timestamp         loose           `json:"timestamp"`
	RecipientID       loose           `json:"recipient_id"` // of a person or a group
	RecipientUserID   loose           `json:"recipient_user_id"`
	RecipientType     string          `json:"recipient_type"`
	GroupID           loose           `json:"group_id"`
	ParticipantID     loose           `json:"recipient_participant_id"`
	ParticipantUserID loose           `json:"recipient_participant_user_id"`
	Errors            []platformError `json:"errors"`
}

// statuses translates the platform's words. played is a voice note that was listened to: more than read.
var statuses = map[string]chat.Status{
	"sent": chat.Sent, "delivered": chat.Delivered, "read": chat.Read, "played": chat.Read, "failed": chat.Failed,
}

// status translates one status. "deleted" is not a step of a message's life but its end: the event deleted.
func (n *number) status(raw json.RawMessage, people directory) chat.Incoming {
	var r receipt
	if json.Unmarshal(raw, &r) != nil || r.ID == "" || r.Status == "" {
		return unreadable(hashKey("status", raw), seconds(r.Timestamp), raw)
	}
	in := r.addressed(people)
	status, known := statuses[r.Status]
	switch {
	case r.Status == "deleted":
		in.Kind = chat.KindDeleted
	case !known:
		return unreadable(in.Key, in.At, raw)
	default:
		in.Kind, in.Status = chat.KindReceipt, status
	}
	if status == chat.Failed {
		in.Failure = failure(r.Errors)
	}
	return in
}

// addressed fills in which message, where and when. In a group every participant has a status of his own.
func (r receipt) addressed(people directory) chat.Incoming {
	in := chat.Incoming{At: seconds(r.Timestamp), Target: r.ID, Key: key(r.ID, r.Status)}
	if r.RecipientType != "group" && r.GroupID == "" {
		in.Sender = people.person(r.RecipientID, r.RecipientUserID)
		in.Thread = chat.Thread{Address: in.Sender.Address}
		return in
	}
	in.Thread = chat.Thread{Address: string(either(r.GroupID, r.RecipientID)), Group: true}
	if who := either(r.ParticipantUserID, r.ParticipantID); who != "" {
		in.Sender = people.person(r.ParticipantID, r.ParticipantUserID)
		in.Key = key(r.ID, string(who), r.Status)
	}
	return in
}

// failure is the first of the errors in the hub's words.
func failure(errs []platformError) *chat.Failure {
	if len(errs) == 0 {
		return &chat.Failure{Class: string(connector.Rejected)}
	}
	e := errs[0]
	f := &chat.Failure{Class: string(connector.Rejected), Detail: cut(e.detail(), maxDetail)}
	if e.Code != nil {
		f.Code = strconv.Itoa(*e.Code)
		if policy, known := policyOf(*e.Code); known {
			f.Class = string(policy)
		}
	}
	return f
}
