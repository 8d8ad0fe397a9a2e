package connectortest

import (
	"encoding/json"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// incoming is chat.Incoming as transcripts write it.
type incoming struct {
	Key      string             `json:"key,omitempty"`
	Kind     chat.Kind          `json:"kind,omitempty"`
	Thread   *chat.Thread       `json:"thread,omitempty"`
	Sender   *chat.Person       `json:"sender,omitempty"`
	At       time.Time          `json:"at,omitzero"`
	ID       string             `json:"id,omitempty"`
	Target   string             `json:"target,omitempty"`
	Message  *chat.Message      `json:"message,omitempty"`
	Reaction *chat.ReactionData `json:"reaction,omitempty"`
	Status   chat.Status        `json:"status,omitempty"`
	UpTo     time.Time          `json:"up_to,omitzero"`
	Failure  *chat.Failure      `json:"failure,omitempty"`
	People   []chat.Person      `json:"people,omitempty"`
	MovedTo  string             `json:"moved_to,omitempty"`
	Echo     bool               `json:"echo,omitempty"`
	Start    string             `json:"start,omitempty"`
	Ack      string             `json:"ack,omitempty"`
	Raw      json.RawMessage    `json:"raw,omitempty"`
}

func writeEvents(events []chat.Incoming) []incoming {
	list := make([]incoming, 0, len(events))
	for _, e := range events {
		i := incoming{
			Key: e.Key, Kind: e.Kind, At: e.At.UTC(), ID: e.ID, Target: e.Target, Message: e.Message, Reaction: e.Reaction,
			Status: e.Status, UpTo: e.UpTo.UTC(), Failure: e.Failure, People: e.People, MovedTo: e.MovedTo, Echo: e.Echo,
			Start: e.Start, Ack: e.Ack,
		}
		if e.Thread != (chat.Thread{}) {
			i.Thread = &e.Thread
		}
		if e.Sender != (chat.Person{}) {
			i.Sender = &e.Sender
		}
		if e.Kind == chat.KindUnsupported {
			i.Raw = e.Raw
		}
		list = append(list, i)
	}
	return list
}

// partForm is connector.Part as transcripts write it.
type partForm struct {
	Key      string                   `json:"key"`
	Thread   chat.Thread              `json:"thread"`
	Elements []chat.Element           `json:"elements"`
	ReplyTo  string                   `json:"reply_to"`
	Context  string                   `json:"context"`
	Media    map[chat.FileID]fileForm `json:"media"`
}

// fileForm is a stored file, or one that was downloaded.
type fileForm struct {
	Name   string `json:"name,omitempty"`
	MIME   string `json:"mime,omitempty"`
	URL    string `json:"url,omitempty"`
	Size   *int64 `json:"size,omitempty"`
	Text   string `json:"text,omitempty"`
	Base64 []byte `json:"base64,omitempty"`
	Bytes  int    `json:"bytes,omitempty"`
}

func (f fileForm) content() []byte {
	switch {
	case f.Bytes > 0:
		data := make([]byte, f.Bytes)
		for i := range data {
			data[i] = byte(i % 251)
		}
		return data
	case f.Base64 != nil:
		return f.Base64
	default:
		return []byte(f.Text)
	}
}

// defaultKey is the idempotency key of parts that do not name one.
const defaultKey = "01930000-0000-7000-8000-000000000001"

func (p partForm) part() connector.Part {
	if p.Key == "" {
		p.Key = defaultKey
	}
	part := connector.Part{Key: p.Key, Thread: p.Thread, Elements: p.Elements, ReplyTo: p.ReplyTo, Context: p.Context}
	if len(p.Media) > 0 {
		part.Media = map[chat.FileID]connector.Media{}
	}
	for id, f := range p.Media {
		data := f.content()
		part.Media[id] = connector.Media{Name: f.Name, MIME: f.MIME, URL: f.URL, Size: int64(len(data)), Open: opener(data)}
	}
	return part
}

// sentForm is connector.Sent as transcripts write it.
type sentForm struct {
	ID     string   `json:"id,omitempty"`
	More   []string `json:"more,omitempty"`
	Notice string   `json:"notice,omitempty"`
}

// errorForm is *connector.Error as transcripts write it.
type errorForm struct {
	Policy  connector.Policy `json:"policy"`
	Code    string           `json:"code,omitempty"`
	Detail  string           `json:"detail,omitempty"`
	After   string           `json:"after,omitempty"`
	Thread  bool             `json:"thread,omitempty"`
	MovedTo string           `json:"moved_to,omitempty"`
}

func writeError(err error) errorForm {
	e := connector.AsError(err)
	f := errorForm{Policy: e.Policy, Code: e.Code, Detail: e.Detail, Thread: e.Thread, MovedTo: e.MovedTo}
	if e.After != 0 {
		f.After = e.After.String()
	}
	return f
}
