package chat

import "encoding/json"

// ElementType says what an element of a stack is.
type ElementType string

// The element types that Dragoman knows. Others may be stored and passed on; a channel that cannot carry
// one gets the nearest thing that it can.
const (
	Text         ElementType = "text"          // TextPayload
	Image        ElementType = "image"         // Media
	Audio        ElementType = "audio"         // Media
	Voice        ElementType = "voice"         // Media
	Video        ElementType = "video"         // Media
	File         ElementType = "file"          // Media
	Sticker      ElementType = "sticker"       // Media
	Location     ElementType = "location"      // LocationPayload
	Contact      ElementType = "contact"       // ContactCard
	Buttons      ElementType = "buttons"       // ButtonsPayload
	QuickReplies ElementType = "quick_replies" // ButtonsPayload
	Card         ElementType = "card"          // CardPayload
	Carousel     ElementType = "carousel"      // CarouselPayload
	Template     ElementType = "template"      // TemplatePayload
	Poll         ElementType = "poll"          // PollPayload
	Choice       ElementType = "choice"        // ChoicePayload: a contact pressed a button
	Rating       ElementType = "rating"        // RatingPayload
	Feedback     ElementType = "feedback"      // RatingPayload
	HTML         ElementType = "html"          // TextPayload, content is HTML
	FileUpload   ElementType = "file_upload"   // open payload (ChatFAQ)
	FileUploaded ElementType = "file_uploaded" // open payload (ChatFAQ)
	ToolUse      ElementType = "tool_use"      // open payload (ChatFAQ)
	ToolResult   ElementType = "tool_result"   // open payload (ChatFAQ)
	GTMTag       ElementType = "gtm_tag"       // open payload (ChatFAQ): a word to the page
	Unsupported  ElementType = "unsupported"   // UnsupportedPayload
	// CloseConversation tells a client that nothing more will be read; its payload says nothing (ChatFAQ).
	CloseConversation ElementType = "close_conversation"
)

// Element is one layer of a message. Payload keeps the bytes as they came, so that nothing that we do not
// know is lost; Into reads it as one of the payload types below.
type Element struct {
	Type    ElementType     `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// Into decodes the payload; v is a pointer to one of the payload types.
func (e Element) Into(v any) error { return json.Unmarshal(e.Payload, v) }

// NewElement makes an element of a payload type below.
func NewElement(t ElementType, payload any) Element {
	raw, err := json.Marshal(payload)
	if err != nil { // payload types are plain data: this is a programmer's error
		panic("chat: payload of " + string(t) + ": " + err.Error())
	}
	return Element{Type: t, Payload: raw}
}

// TextPayload is text. Spans mark formatted stretches; without them the text is plain.
type TextPayload struct {
	Content string `json:"content"`
	Spans   []Span `json:"spans,omitempty"`
}

// Span is one formatted stretch. Offset and Length count UTF-16 code units, as browsers and Telegram do.
type Span struct {
	Type   string `json:"type"` // bold italic underline strike spoiler code pre link mention hashtag command email phone quote custom_emoji
	Offset int    `json:"offset"`
	Length int    `json:"length"`
	URL    string `json:"url,omitempty"`  // of link
	Lang   string `json:"lang,omitempty"` // of pre
	ID     string `json:"id,omitempty"`   // of mention and custom_emoji, the platform's
}

// Media is an image, audio, voice, video, file or sticker. It is found by File (stored with us), by URL
// (public), or, as long as it has not been downloaded yet, by Source.
type Media struct {
	File     FileID  `json:"file,omitempty"`
	URL      string  `json:"url,omitempty"`
	Source   *Source `json:"source,omitempty"`
	Name     string  `json:"name,omitempty"`
	MIME     string  `json:"mime,omitempty"`
	Size     int64   `json:"size,omitempty"` // bytes
	Caption  string  `json:"caption,omitempty"`
	Spans    []Span  `json:"spans,omitempty"`    // of the caption
	Width    int     `json:"width,omitempty"`    // pixels
	Height   int     `json:"height,omitempty"`   // pixels
	Duration float64 `json:"duration,omitempty"` // seconds
	Emoji    string  `json:"emoji,omitempty"`    // of a sticker
}

// Source tells a connector where on its platform an attachment is. It is never shown outside.
type Source struct {
	ID     string `json:"id,omitempty"`     // the platform's file id
	URL    string `json:"url,omitempty"`    // or a link that may need the channel's credentials
	SHA256 string `json:"sha256,omitempty"` // as the platform gave it, if it did
}

// LocationPayload is a place: degrees north and east; Name and Address when it is a venue.
type LocationPayload struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name,omitempty"`
	Address   string  `json:"address,omitempty"`
	URL       string  `json:"url,omitempty"`
	Live      int     `json:"live,omitempty"` // seconds that a live location is kept up to date
}

// ContactCard is a person's card sent as a message.
type ContactCard struct {
	Name      string   `json:"name"`
	FirstName string   `json:"first_name,omitempty"`
	LastName  string   `json:"last_name,omitempty"`
	Company   string   `json:"company,omitempty"`
	Phones    []string `json:"phones,omitempty"`
	Emails    []string `json:"emails,omitempty"`
	UserID    string   `json:"user_id,omitempty"` // at the platform
	VCard     string   `json:"vcard,omitempty"`
}

// Button is one thing to press: a payload that comes back, or a link. Row groups buttons into lines
// where the platform has them.
type Button struct {
	Title       string `json:"title"`
	Payload     string `json:"payload,omitempty"` // default: the title
	URL         string `json:"url,omitempty"`
	Phone       string `json:"phone,omitempty"`
	Description string `json:"description,omitempty"`
	Image       string `json:"image,omitempty"`   // URL
	Request     string `json:"request,omitempty"` // ask the platform for: phone, email, location
	Row         int    `json:"row,omitempty"`
}

// Value is what comes back when the button is pressed.
func (b Button) Value() string {
	if b.Payload != "" {
		return b.Payload
	}
	return b.Title
}

// ButtonsPayload is a text with buttons below it. Buttons stay; quick replies vanish when one is pressed.
type ButtonsPayload struct {
	Content string   `json:"content,omitempty"`
	Spans   []Span   `json:"spans,omitempty"`
	Buttons []Button `json:"buttons"`
}

// CardPayload is a picture, a title, a line and buttons.
type CardPayload struct {
	Title    string   `json:"title"`
	Subtitle string   `json:"subtitle,omitempty"`
	Image    string   `json:"image,omitempty"` // URL
	File     FileID   `json:"file,omitempty"`  // or a stored image
	URL      string   `json:"url,omitempty"`   // opened by a tap on the card
	Buttons  []Button `json:"buttons,omitempty"`
}

// CarouselPayload is a row of cards.
type CarouselPayload struct {
	Cards []CardPayload `json:"cards"`
}

// TemplatePayload is a message that the platform has approved before, with its parameters. Components is
// passed to the platform as it is, for what the simple parameters cannot say.
type TemplatePayload struct {
	Name       string          `json:"name"`
	Language   string          `json:"language"` // BCP 47 or the platform's form
	Parameters []string        `json:"parameters,omitempty"`
	Components json.RawMessage `json:"components,omitempty"`
}

// PollPayload is a question with answers to vote for.
type PollPayload struct {
	Question  string   `json:"question"`
	Options   []string `json:"options"`
	Multiple  bool     `json:"multiple,omitempty"`
	Anonymous bool     `json:"anonymous,omitempty"`
	ID        string   `json:"id,omitempty"` // the platform's
}

// ChoicePayload is a pressed button, quick reply or list row.
type ChoicePayload struct {
	Title       string          `json:"title,omitempty"`
	Payload     string          `json:"payload"`
	Description string          `json:"description,omitempty"`
	Data        json.RawMessage `json:"data,omitempty"` // a form's answer
}

// RatingPayload asks for, or gives, a rating or a comment.
type RatingPayload struct {
	Content string `json:"content,omitempty"`
	Max     int    `json:"max,omitempty"`
	Value   int    `json:"value,omitempty"`
	Comment string `json:"comment,omitempty"`
}

// UnsupportedPayload stands for content that the hub cannot read: Raw has it as it came.
type UnsupportedPayload struct {
	What string          `json:"what"` // what it is, in the platform's word
	Raw  json.RawMessage `json:"raw,omitempty"`
}

// Plain makes a text element without formatting.
func Plain(s string) Element { return NewElement(Text, TextPayload{Content: s}) }

// Silent tells an element that has nothing for people in it: what one program says to another. Where a platform cannot carry it,
// nobody misses anything.
func (t ElementType) Silent() bool {
	switch t {
	case ToolUse, ToolResult, GTMTag, CloseConversation:
		return true
	default:
		return false
	}
}

// IsMedia tells whether elements of this type have a Media payload.
func (t ElementType) IsMedia() bool {
	switch t {
	case Image, Audio, Voice, Video, File, Sticker:
		return true
	default:
		return false
	}
}
