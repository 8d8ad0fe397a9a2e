package visitor

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// said is what a visitor sends. ID is of the client's making, the same for every repetition: whatever happens on the way, the message is
// stored once.
type said struct {
	ID     string            `json:"id" pattern:"^[A-Za-z0-9_-]{16,64}$" doc:"Made at random for this message."`
	Text   string            `json:"text,omitempty"`
	Choice *choice           `json:"choice,omitempty"`
	Files  []string          `json:"files,omitempty"` // as uploads were answered
	Form   map[string]string `json:"form,omitempty"`
	About  about             `json:"about,omitzero"`
}

// choice is a pressed button.
type choice struct {
	Title   string `json:"title"`
	Payload string `json:"payload"`
}

// about is what the client says of itself; it is kept with a new conversation.
type about struct {
	Page  string `json:"page,omitempty"`
	Title string `json:"title,omitempty"`
}

// taken answers what is durable.
type taken struct {
	ID     string `json:"id"`
	Status string `json:"status" enum:"sent"`
}

// Bounds of what is said.
const (
	maxText    = 8000 // code points
	maxPayload = 4000 // bytes
	maxFiles   = 10
	maxAbout   = 1000 // bytes
	maxAnswer  = 1000 // bytes, of one answer in the form
)

// clientID is a name that nobody makes twice by chance.
var clientID = regexp.MustCompile(`^[A-Za-z0-9_-]{16,64}$`)

// say stores a message. The answer comes when it is durable; its event is on the stream.
func (s *Server) say(c *call) error {
	if err := s.paces.messages.take(c.who.address(), s.Now()); err != nil {
		return err
	}
	var in said
	if err := s.body(c, &in); err != nil {
		return err
	}
	m, err := s.read(c, in)
	if err != nil {
		return err
	}
	e, err := s.incoming(c, in, chat.KindMessage, "say:")
	if err != nil {
		return err
	}
	e.ID, e.Message = in.ID, &m
	if err := s.Hub.Accept(c.r.Context(), c.site.channel, []chat.Incoming{e}); err != nil {
		return err
	}
	return c.answer(http.StatusCreated, taken{in.ID, "sent"})
}

// begin opens a visitor's first conversation before anything was said, so that its flow may speak first, where the channel wants that.
func (s *Server) begin(c *call) error {
	if err := s.paces.messages.take(c.who.address(), s.Now()); err != nil {
		return err
	}
	_, err := s.Store.ThreadConversation(c.r.Context(), c.site.channel, c.who.thread())
	if code := chat.CodeOf(err); !c.site.SpeaksFirst || code != chat.CodeNotFound {
		if code == chat.CodeNotFound {
			err = nil
		}
		return orDone(c, err)
	}
	var in said
	if err := s.body(c, &in); err != nil {
		return err
	}
	e, err := s.incoming(c, in, chat.KindOpened, "open:")
	if err != nil {
		return err
	}
	return orDone(c, s.Hub.Accept(c.r.Context(), c.site.channel, []chat.Incoming{e}))
}

func orDone(c *call, err error) error {
	if err != nil {
		return err
	}
	return c.done()
}

// incoming begins the event of something that a visitor does.
func (s *Server) incoming(c *call, in said, kind chat.Kind, key string) (chat.Incoming, error) {
	if !clientID.MatchString(in.ID) {
		return chat.Incoming{}, chat.Faultf(chat.CodeInvalid, "id: 16 to 64 letters, digits, - and _, made at random for this message")
	}
	who := c.who.person()
	answers, err := s.answers(c, in, &who)
	if err != nil {
		return chat.Incoming{}, err
	}
	who.Language = mainLanguage(c.r.Header.Get("Accept-Language"))
	known := map[string]any{"page": clip(in.About.Page, maxAbout), "title": clip(in.About.Title, maxAbout)}
	if len(answers) > 0 {
		known["form"] = answers
	}
	raw, err := json.Marshal(known)
	return chat.Incoming{
		Key: key + c.who.ID + ":" + in.ID, Kind: kind, Thread: c.who.thread(), Sender: who, Metadata: raw,
	}, err
}

// mainLanguage is the first language of a list, if it looks like one.
func mainLanguage(accepted string) string {
	first, _, _ := strings.Cut(accepted, ",")
	first, _, _ = strings.Cut(first, ";")
	if first = strings.TrimSpace(first); !language.MatchString(first) {
		return ""
	}
	return first
}

// language is the form of a language's name (BCP 47).
var language = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$`)

// answers reads the form. It is wanted with the message that opens the conversation.
func (s *Server) answers(c *call, in said, who *chat.Person) (map[string]string, error) {
	if len(c.site.Form) == 0 || c.who.Known != "" {
		return nil, nil
	}
	out, missing := map[string]string{}, ""
	for _, f := range c.site.Form {
		v := strings.TrimSpace(in.Form[f.Name])
		if len(v) > maxAnswer {
			return nil, chat.Faultf(chat.CodeInvalid, "form."+f.Name+": too long")
		}
		if v == "" && f.Required && missing == "" {
			missing = f.Name
		}
		if v != "" {
			out[f.Name] = v
		}
	}
	if missing != "" {
		open, err := s.Store.OpenConversation(c.r.Context(), c.site.channel, c.who.thread())
		if err != nil {
			return nil, err
		}
		if open == "" {
			return nil, refusal{http.StatusUnprocessableEntity, "form_wanted", "form." + missing + ": is needed"}
		}
	}
	for name, dst := range map[string]*string{"name": &who.Name, "email": &who.Email, "phone": &who.Phone} {
		if v := out[name]; v != "" {
			*dst, who.Username = clip(v, maxFact), ""
		}
	}
	return out, nil
}

// read makes a message of what was sent.
func (s *Server) read(c *call, in said) (chat.Message, error) {
	var m chat.Message
	if in.Choice != nil {
		if in.Choice.Payload == "" || len(in.Choice.Payload) > maxPayload || utf8.RuneCountInString(in.Choice.Title) > maxText {
			return m, chat.Faultf(chat.CodeInvalid, "choice: a payload of at most 4000 bytes and its title")
		}
		m.Stack = append(m.Stack, chat.NewElement(chat.Choice, chat.ChoicePayload{Title: in.Choice.Title, Payload: in.Choice.Payload}))
	}
	if utf8.RuneCountInString(in.Text) > maxText {
		return m, chat.Faultf(chat.CodeTooLarge, "text: at most 8000 characters")
	}
	if strings.TrimSpace(in.Text) != "" {
		m.Stack = append(m.Stack, chat.Plain(in.Text))
	}
	if len(in.Files) > maxFiles {
		return m, chat.Faultf(chat.CodeInvalid, "files: at most 10")
	}
	for _, ticket := range in.Files {
		e, err := s.attachment(c, ticket)
		if err != nil {
			return m, err
		}
		m.Stack = append(m.Stack, e)
	}
	if len(m.Stack) == 0 {
		return m, chat.Faultf(chat.CodeInvalid, "text, choice or files: one of them is needed")
	}
	return m, nil
}

// clip cuts a text between two characters.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "")
}

// typing shows that the visitor writes.
func (s *Server) typing(c *call) error {
	if err := s.paces.signals.take(c.who.address(), s.Now()); err != nil {
		return err
	}
	err := s.Hub.Accept(c.r.Context(), c.site.channel, []chat.Incoming{{Kind: chat.KindTyping, Thread: c.who.thread(), Sender: c.who.person()}})
	if err != nil {
		return err
	}
	return c.done()
}

// receipt is how far our messages have come.
type receipt struct {
	Status chat.Status `json:"status" enum:"delivered,read"`
	Pos    int64       `json:"pos" doc:"Of a message of ours: it, and what came before it."`
}

// receipt tells that the visitor has got, or read, our messages up to a position.
func (s *Server) receipt(c *call) error {
	if err := s.paces.signals.take(c.who.address(), s.Now()); err != nil {
		return err
	}
	var in receipt
	if err := s.body(c, &in); err != nil {
		return err
	}
	if in.Status != chat.Delivered && in.Status != chat.Read {
		return chat.Faultf(chat.CodeInvalid, "status: delivered or read")
	}
	at, err := s.ours(c.r.Context(), c, in.Pos)
	if err != nil {
		return err
	}
	err = s.Hub.Accept(c.r.Context(), c.site.channel, []chat.Incoming{{
		Key: string(in.Status) + ":" + c.who.ID + ":" + strconv.FormatInt(in.Pos, 10), Kind: chat.KindReceipt, Thread: c.who.thread(),
		Sender: c.who.person(), Status: in.Status, UpTo: at,
	}})
	if err != nil {
		return err
	}
	return c.done()
}

// ours finds the time of a message by its position, if it is one of this visitor's thread.
func (s *Server) ours(ctx context.Context, c *call, pos int64) (at time.Time, err error) {
	no := chat.Faultf(chat.CodeNotFound, "no such message")
	e, err := s.Store.EventAt(ctx, c.site.workspace, pos)
	if chat.CodeOf(err) == chat.CodeNotFound || err == nil && (e.Kind != chat.KindMessage || e.Conversation == "") {
		return at, no
	}
	if err != nil {
		return at, err
	}
	conv, err := s.Store.Conversation(ctx, c.site.workspace, e.Conversation)
	if err == nil && (conv.Channel != c.site.channel || conv.Thread != c.who.thread()) {
		err = no
	}
	return e.At, err
}

// KindRated is a visitor's rating of a conversation: {"value": 1 to 5, "comment"}.
const KindRated chat.Kind = "rated"

// rating is a visitor's opinion.
type rating struct {
	Value   int    `json:"value" minimum:"1" maximum:"5"`
	Comment string `json:"comment,omitempty"`
}

// rate keeps a rating of the newest conversation. It is given once.
func (s *Server) rate(c *call) error {
	if err := s.paces.signals.take(c.who.address(), s.Now()); err != nil {
		return err
	}
	var in rating
	if err := s.body(c, &in); err != nil {
		return err
	}
	if in.Value < 1 || in.Value > 5 || utf8.RuneCountInString(in.Comment) > maxText/4 {
		return chat.Faultf(chat.CodeInvalid, "value: 1 to 5; comment: at most 2000 characters")
	}
	conv, err := s.conversation(c.r.Context(), c)
	if err != nil {
		return err
	}
	if !on(c.site.Rating) || conv.State != chat.StateClosed && conv.State != chat.StateAssigned {
		return chat.Faultf(chat.CodeConflict, "there is nothing to rate yet")
	}
	raw, err := json.Marshal(in)
	if err != nil {
		return err
	}
	res, err := s.Store.Append(c.r.Context(), &store.Record{
		Workspace: c.site.workspace, Conversation: conv.ID, Kind: KindRated, Data: raw, Once: "rated/" + string(conv.ID),
		Sender: chat.Party{Type: chat.PartyContact, ID: c.who.address(), Name: c.who.Name},
	})
	if err == nil && res.Duplicate && string(res.Events[0].Data) != string(raw) {
		err = chat.Faultf(chat.CodeConflict, "this conversation was rated already")
	}
	if err != nil {
		return err
	}
	return c.done()
}
