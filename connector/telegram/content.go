package telegram

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// mimeLottie is Telegram's own form of animated stickers.
const mimeLottie = "application/x-tgsticker"

// contents are the readers of what a message can say, in the order in which they are asked: a GIF has document beside
// animation, a venue has location beside venue.
var contents = []func(*message) (chat.Element, bool){
	textElement, photoElement, animationElement, documentElement, audioElement, voiceElement, videoElement,
	videoNoteElement, stickerElement, livePhotoElement, venueElement, locationElement, contactElement, pollElement,
	webAppElement,
}

// stack gives the elements; false for a service message, which says nothing. Content that we do not know becomes an
// unsupported element, so that an agent sees that something came.
func (m *message) stack(raw json.RawMessage) ([]chat.Element, bool) {
	for _, read := range contents {
		if e, ok := read(m); ok {
			return []chat.Element{e}, true
		}
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		members = nil
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if serviceMembers[name] {
			return nil, false
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !envelopeMembers[name] {
			return unsupported(name, members[name]), true
		}
	}
	return unsupported("message", raw), true
}

func unsupported(what string, raw json.RawMessage) []chat.Element {
	return []chat.Element{chat.NewElement(chat.Unsupported, chat.UnsupportedPayload{What: what, Raw: raw})}
}

func textElement(m *message) (chat.Element, bool) {
	if m.Text == "" {
		return chat.Element{}, false
	}
	return chat.NewElement(chat.Text, chat.TextPayload{Content: m.Text, Spans: spans(m.Text, m.Entities)}), true
}

// media makes an element of a file; false if there is none.
func (m *message) media(t chat.ElementType, f *file, mime string) (chat.Element, bool) {
	if f == nil || f.ID == "" {
		return chat.Element{}, false
	}
	p := chat.Media{
		Source: &chat.Source{ID: f.ID}, Name: f.Name, MIME: f.MIME, Size: f.Size, Caption: m.Caption,
		Spans: spans(m.Caption, m.CaptionEntities), Width: f.Width, Height: f.Height, Duration: f.Duration, Emoji: f.Emoji,
	}
	if p.MIME == "" {
		p.MIME = mime
	}
	return chat.NewElement(t, p), true
}

// photoElement takes the largest of the sizes. Photos are always JPEG.
func photoElement(m *message) (chat.Element, bool) {
	return m.media(chat.Image, largest(m.Photo), "image/jpeg")
}

func largest(sizes []file) *file {
	var best *file
	for i := range sizes {
		f := &sizes[i]
		if best == nil || area(f) > area(best) || (area(f) == area(best) && f.Size > best.Size) {
			best = f
		}
	}
	return best
}

func area(f *file) int64 { return int64(f.Width) * int64(f.Height) }

// animationElement: Telegram keeps GIFs as soundless MP4.
func animationElement(m *message) (chat.Element, bool) {
	if m.Animation != nil && strings.HasPrefix(m.Animation.MIME, "image/") {
		return m.media(chat.Image, m.Animation, "")
	}
	return m.media(chat.Video, m.Animation, "video/mp4")
}

func documentElement(m *message) (chat.Element, bool) { return m.media(chat.File, m.Document, "") }

func audioElement(m *message) (chat.Element, bool) {
	f := m.Audio
	if f != nil && f.Name == "" {
		f.Name = strings.Trim(f.Performer+" - "+f.Title, " -")
	}
	return m.media(chat.Audio, f, "")
}

func voiceElement(m *message) (chat.Element, bool) { return m.media(chat.Voice, m.Voice, "audio/ogg") }

func videoElement(m *message) (chat.Element, bool) { return m.media(chat.Video, m.Video, "") }

// videoNoteElement: a round video; length is its diameter.
func videoNoteElement(m *message) (chat.Element, bool) {
	f := m.VideoNote
	if f != nil {
		f.Width, f.Height = f.Diameter, f.Diameter
	}
	return m.media(chat.Video, f, "video/mp4")
}

func stickerElement(m *message) (chat.Element, bool) {
	mime := "image/webp"
	if f := m.Sticker; f != nil && f.IsAnimated {
		mime = mimeLottie
	} else if f != nil && f.IsVideo {
		mime = "video/webm"
	}
	return m.media(chat.Sticker, m.Sticker, mime)
}

// livePhotoElement is asked after photoElement: the still picture is preferred.
func livePhotoElement(m *message) (chat.Element, bool) {
	return m.media(chat.Video, m.LivePhoto, "video/mp4")
}

func venueElement(m *message) (chat.Element, bool) {
	if m.Venue == nil {
		return chat.Element{}, false
	}
	return chat.NewElement(chat.Location, chat.LocationPayload{
		Latitude: m.Venue.Location.Latitude, Longitude: m.Venue.Location.Longitude, Name: m.Venue.Title, Address: m.Venue.Address,
	}), true
}

func locationElement(m *message) (chat.Element, bool) {
	if m.Location == nil {
		return chat.Element{}, false
	}
	return chat.NewElement(chat.Location, chat.LocationPayload{
		Latitude: m.Location.Latitude, Longitude: m.Location.Longitude, Live: m.Location.Live,
	}), true
}

func contactElement(m *message) (chat.Element, bool) {
	c := m.Contact
	if c == nil {
		return chat.Element{}, false
	}
	p := chat.ContactCard{
		Name: fullName(c.FirstName, c.LastName), FirstName: c.FirstName, LastName: c.LastName, VCard: c.VCard,
	}
	if c.Phone != "" {
		p.Phones = []string{c.Phone}
	}
	if c.UserID != 0 {
		p.UserID = formatID(c.UserID)
	}
	return chat.NewElement(chat.Contact, p), true
}

func pollElement(m *message) (chat.Element, bool) {
	if m.Poll == nil {
		return chat.Element{}, false
	}
	p := chat.PollPayload{
		Question: m.Poll.Question, Multiple: m.Poll.Multiple, Anonymous: m.Poll.Anonymous, ID: m.Poll.ID, Options: []string{},
	}
	for _, o := range m.Poll.Options {
		p.Options = append(p.Options, o.Text)
	}
	return chat.NewElement(chat.Poll, p), true
}

// webAppElement: a web app that was opened by a button of the reply keyboard sent its data.
func webAppElement(m *message) (chat.Element, bool) {
	if m.WebApp == nil {
		return chat.Element{}, false
	}
	return chat.NewElement(chat.Choice, chat.ChoicePayload{Title: m.WebApp.Title, Payload: m.WebApp.Data}), true
}
