package visitor

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub/fit"
)

// message is one message as a visitor sees it. Key names it among the visitor's; Pos orders it.
type message struct {
	Key    string    `json:"key"`
	Pos    int64     `json:"pos"`
	At     time.Time `json:"at"`
	From   string    `json:"from"`         // me, bot, agent, system
	ID     string    `json:"id,omitempty"` // of the client's own making
	Name   string    `json:"name,omitempty"`
	Unread bool      `json:"unread,omitempty"`
	Gone   bool      `json:"gone,omitempty"` // it was taken back
	Parts  []part    `json:"parts"`
}

// part is one thing in a message. Links to files are paths on this server.
type part struct {
	Type    string   `json:"type"` // text, image, audio, video, file, buttons, quick_replies, card
	Text    string   `json:"text,omitempty"`
	Words   []word   `json:"words,omitempty"` // the text in stretches, where it is more than plain
	Title   string   `json:"title,omitempty"`
	URL     string   `json:"url,omitempty"`
	Name    string   `json:"name,omitempty"`
	MIME    string   `json:"mime,omitempty"`
	Size    int64    `json:"size,omitempty"`
	Width   int      `json:"width,omitempty"`
	Height  int      `json:"height,omitempty"`
	Buttons []button `json:"buttons,omitempty"`
}

type button struct {
	Title   string `json:"title"`
	Payload string `json:"payload,omitempty"`
	URL     string `json:"url,omitempty"`
}

// keyOf names the place of an event: its conversation, as far as needed, and its number there.
func keyOf(conv chat.ConversationID, seq int64) string {
	c := string(conv)
	return c[max(0, len(c)-8):] + "." + strconv.FormatInt(seq, 10)
}

// message shows a message; false: there is nothing in it for a visitor.
func (s *Server) message(x *site, e chat.Event) (message, bool) {
	if e.Message == nil {
		return message{}, false
	}
	m := message{Key: keyOf(e.Conversation, e.Seq), Pos: e.Pos, At: e.At, From: string(chat.PartySystem)}
	switch {
	case e.Direction == chat.In:
		m.From, m.ID = "me", e.ExternalID
	case e.Sender != nil:
		m.From = string(e.Sender.Type)
		if e.Sender.Type == chat.PartyAgent {
			m.Name = e.Sender.Name
		}
	}
	m.Unread = e.Direction == chat.Out && e.Status != chat.Read
	m.Parts = s.parts(x, *e.Message)
	return m, len(m.Parts) > 0
}

// carried are the elements that the widget draws; all others become the nearest of these, or nothing.
func carried() connector.Traits {
	t := connector.Traits{
		Spans:    true,
		Elements: []chat.ElementType{chat.Text, chat.Image, chat.Audio, chat.Video, chat.File, chat.Buttons, chat.QuickReplies, chat.Card},
		Media:    map[chat.ElementType]connector.MediaTrait{}, Controls: map[chat.ElementType]connector.ControlsTrait{},
	}
	for _, e := range t.Elements {
		if e.IsMedia() {
			t.Media[e] = connector.MediaTrait{Caption: true, ByURL: true, Upload: true}
		}
	}
	for _, e := range []chat.ElementType{chat.Buttons, chat.QuickReplies, chat.Card} {
		t.Controls[e] = connector.ControlsTrait{Max: 100, TitleLimit: 1000, PayloadLimit: 4000, URL: true, Phone: true}
	}
	return t
}

// parts shows what is in a message, and nothing that a payload says besides.
func (s *Server) parts(x *site, m chat.Message) []part {
	link := func(p chat.Media) string {
		if p.File != "" {
			return s.Hub.FileLink(x.workspace, p.File)
		}
		return safe(p.URL)
	}
	fitted, _, err := fit.Fit(m, carried(), fit.Options{LinkFor: link})
	if err != nil {
		return nil
	}
	var out []part
	for _, f := range fitted {
		for _, e := range f.Elements {
			if p, ok := partOf(e, link); ok {
				out = append(out, p)
			}
		}
	}
	return out
}

func partOf(e chat.Element, link func(chat.Media) string) (part, bool) {
	p := part{Type: string(e.Type)}
	switch e.Type {
	case chat.Text:
		var t chat.TextPayload
		if e.Into(&t) != nil || t.Content == "" {
			return p, false
		}
		p.Text, p.Words = t.Content, words(t.Content, t.Spans)
	case chat.Image, chat.Audio, chat.Video, chat.File:
		var t chat.Media
		if e.Into(&t) != nil {
			return p, false
		}
		p.Text, p.Words, p.URL, p.Name, p.MIME = t.Caption, words(t.Caption, t.Spans), link(t), t.Name, t.MIME
		p.Size, p.Width, p.Height = t.Size, t.Width, t.Height
	case chat.Buttons, chat.QuickReplies:
		var t chat.ButtonsPayload
		if e.Into(&t) != nil {
			return p, false
		}
		p.Text, p.Words, p.Buttons = t.Content, words(t.Content, t.Spans), buttons(t.Buttons)
	case chat.Card:
		var t chat.CardPayload
		if e.Into(&t) != nil {
			return p, false
		}
		p.Title, p.Text, p.Buttons = t.Title, t.Subtitle, buttons(t.Buttons)
		p.URL = link(chat.Media{File: t.File, URL: t.Image})
		if to := safe(t.URL); to != "" {
			p.Buttons = append(p.Buttons, button{Title: t.Title, URL: to})
		}
	default:
		return p, false
	}
	return p, true
}

// buttons shows those that can be pressed here.
func buttons(all []chat.Button) []button {
	var out []button
	for _, b := range all {
		to := b.URL
		if to == "" && b.Phone != "" {
			to = "tel:" + b.Phone
		}
		switch {
		case b.Request != "":
		case to != "":
			if to = safe(to); to != "" {
				out = append(out, button{Title: b.Title, URL: to})
			}
		default:
			out = append(out, button{Title: b.Title, Payload: b.Value()})
		}
	}
	return out
}

// safe lets links through that a click may follow.
func safe(link string) string {
	u, err := url.Parse(link)
	if err != nil || !slices.Contains([]string{"http", "https", "mailto", "tel"}, u.Scheme) {
		return ""
	}
	return u.String()
}

// frame is what goes to a reader. State is made when it is written, for then it is true.
type frame struct {
	pos   int64 // in the log; 0: it is not in the log
	kind  string
	data  []byte
	state bool
}

func newFrame(pos int64, kind string, v any) *frame {
	raw, _ := json.Marshal(v) // plain data: cannot fail
	return &frame{pos: pos, kind: kind, data: raw}
}

// frame shows an event; nil: it is nothing to visitors. What is said inside (notes, steps of flows, offers, calls) is no case here.
func (s *Server) frame(x *site, e chat.Event) *frame {
	switch e.Kind {
	case chat.KindMessage:
		if m, ok := s.message(x, e); ok {
			return newFrame(e.Pos, "message", m)
		}
	case chat.KindEdited, chat.KindDeleted:
		if m, ok := s.changed(x, e); ok {
			return newFrame(e.Pos, "changed", m)
		}
	case chat.KindRead:
		return newFrame(e.Pos, "read", map[string]int64{"pos": e.Pos}) // what was said before it
	case chat.KindOpened, chat.KindQueued, chat.KindAssigned, chat.KindBot, chat.KindClosed:
		return &frame{pos: e.Pos, kind: "state", state: true}
	case chat.KindErased, chat.KindRewound, chat.KindMoved:
		return newFrame(e.Pos, "reset", struct{}{})
	default:
	}
	return nil
}

// changed is a message of ours that was edited or taken back; its key is that of the message.
func (s *Server) changed(x *site, e chat.Event) (message, bool) {
	var d chat.TargetData
	if e.Direction == chat.In || json.Unmarshal(e.Data, &d) != nil || d.Seq == 0 {
		return message{}, false
	}
	m := message{Gone: true}
	if e.Kind == chat.KindEdited {
		var ok bool
		if m, ok = s.message(x, e); !ok {
			return m, false
		}
	}
	m.Key, m.Pos, m.At = keyOf(e.Conversation, d.Seq), e.Pos, e.At
	return m, true
}
