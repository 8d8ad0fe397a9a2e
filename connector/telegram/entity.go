package telegram

import (
	"unicode/utf16"

	"github.com/dragoman-hub/dragoman/chat"
)

// entity is Telegram's MessageEntity. Offset and length count UTF-16 code units, as chat.Span does.
type entity struct {
	Type     string `json:"type"`
	Offset   int    `json:"offset"`
	Length   int    `json:"length"`
	URL      string `json:"url,omitempty"`
	User     *who   `json:"user,omitempty"`
	Language string `json:"language,omitempty"`
	Emoji    string `json:"custom_emoji_id,omitempty"`
}

// who is as much of a User as a mention needs.
type who struct {
	ID int64 `json:"id"`
}

// spanTypes translates the types of entities. Those not listed (bank cards, dates) say nothing about the form of the text.
var spanTypes = map[string]string{
	"bold": "bold", "italic": "italic", "underline": "underline", "strikethrough": "strike", "spoiler": "spoiler",
	"code": "code", "pre": "pre", "url": "link", "text_link": "link", "mention": "mention", "text_mention": "mention",
	"hashtag": "hashtag", "cashtag": "hashtag", "bot_command": "command", "email": "email", "phone_number": "phone",
	"blockquote": "quote", "expandable_blockquote": "quote", "custom_emoji": "custom_emoji",
}

// entityTypes is the way back, where it does not depend on the rest of the span (link, mention).
var entityTypes = map[string]string{
	"bold": "bold", "italic": "italic", "underline": "underline", "strike": "strikethrough", "spoiler": "spoiler",
	"code": "code", "pre": "pre", "hashtag": "hashtag", "command": "bot_command", "email": "email",
	"phone": "phone_number", "quote": "blockquote", "custom_emoji": "custom_emoji",
}

// spans translates entities; those that do not lie inside the text are left out.
func spans(text string, entities []entity) []chat.Span {
	if len(entities) == 0 {
		return nil
	}
	units := utf16.Encode([]rune(text))
	var list []chat.Span
	for _, e := range entities {
		t, ok := spanTypes[e.Type]
		if !ok || !inside(e.Offset, e.Length, len(units)) {
			continue
		}
		s := chat.Span{Type: t, Offset: e.Offset, Length: e.Length, URL: e.URL, Lang: e.Language, ID: e.Emoji}
		if e.Type == "url" {
			s.URL = stretch(units, e.Offset, e.Length)
		}
		if e.Type == "text_mention" && e.User != nil {
			s.ID = formatID(e.User.ID)
		}
		list = append(list, s)
	}
	return list
}

// entities translates spans. They are sent instead of a parse_mode, so no text has to be escaped.
func entities(text string, list []chat.Span) []entity {
	if len(list) == 0 {
		return nil
	}
	units := utf16.Encode([]rune(text))
	var found []entity
	for _, s := range list {
		if !inside(s.Offset, s.Length, len(units)) {
			continue
		}
		if e, ok := newEntity(s, stretch(units, s.Offset, s.Length)); ok {
			found = append(found, e)
		}
	}
	return found
}

// newEntity translates one span over these words.
func newEntity(s chat.Span, words string) (entity, bool) {
	e := entity{Type: entityTypes[s.Type], Offset: s.Offset, Length: s.Length}
	switch s.Type {
	case "link":
		e.Type, e.URL = "text_link", s.URL
		if s.URL == "" || s.URL == words {
			e.Type, e.URL = "url", ""
		}
	case "mention":
		e.Type = "mention"
		if id, ok := parseID(s.ID); ok {
			e.Type, e.User = "text_mention", &who{ID: id}
		}
	case "pre":
		e.Language = s.Lang
	case "custom_emoji":
		e.Emoji = s.ID
	}
	return e, e.Type != ""
}

func inside(offset, length, total int) bool {
	return offset >= 0 && length > 0 && offset < total && length <= total-offset
}

func stretch(units []uint16, offset, length int) string {
	return string(utf16.Decode(units[offset : offset+length]))
}

func utf16Len(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}
