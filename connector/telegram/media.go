package telegram

import (
	"strconv"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// mediaMethods: the method for each type of media, the parameter that has the file, and the type inside an album (empty: not
// there).
var mediaMethods = map[chat.ElementType]struct{ method, param, group string }{
	chat.Image:   {"sendPhoto", "photo", "photo"},
	chat.Audio:   {"sendAudio", "audio", "audio"},
	chat.Voice:   {"sendVoice", "voice", ""},
	chat.Video:   {"sendVideo", "video", "video"},
	chat.File:    {"sendDocument", "document", "document"},
	chat.Sticker: {"sendSticker", "sticker", ""},
}

const mimeGIF = "image/gif"

func composeMedia(d *draft, e chat.Element, part connector.Part) error {
	p, err := payload[chat.Media](e)
	if err != nil {
		return err
	}
	m := mediaMethods[e.Type]
	d.method = m.method
	if e.Type == chat.Image && mimeOf(p, part) == mimeGIF { // as a photo it would stand still
		d.method, m.param = "sendAnimation", "animation"
	}
	if e.Type == chat.Sticker {
		d.put("emoji", p.Emoji)
	} else {
		d.words("caption", "caption_entities", p.Caption, p.Spans)
	}
	d.measures(e.Type, p)
	return d.attach(m.param, p, part)
}

// measures tells what Telegram cannot always find out itself.
func (d *draft) measures(t chat.ElementType, p chat.Media) {
	for name, v := range measures(t, p) {
		d.params[name] = v
	}
}

func measures(t chat.ElementType, p chat.Media) params {
	m := params{}
	if p.Duration >= 1 && (t == chat.Video || t == chat.Audio || t == chat.Voice) {
		m["duration"] = int64(p.Duration)
	}
	if t == chat.Video && p.Width > 0 && p.Height > 0 {
		m["width"], m["height"] = p.Width, p.Height
	}
	return m
}

func mimeOf(p chat.Media, part connector.Part) string {
	if stored, ok := part.Media[p.File]; ok && p.File != "" && stored.MIME != "" {
		return stored.MIME
	}
	return p.MIME
}

// attach puts the file in: as an upload if it is stored with us, else as a link or as an id of Telegram's.
func (d *draft) attach(param string, p chat.Media, part connector.Part) error {
	value, err := d.file(param, p, part)
	if value != "" {
		d.params[param] = value
	}
	return err
}

// file gives the text that stands for a file in the parameters; empty if the upload has the parameter's own name.
func (d *draft) file(param string, p chat.Media, part connector.Part) (string, error) {
	stored, ok := part.Media[p.File]
	switch {
	case p.File != "" && ok:
		d.files = append(d.files, upload{field: param, media: stored, name: firstOf(p.Name, stored.Name, string(p.File))})
		return "", nil
	case p.URL != "":
		return p.URL, nil
	case p.Source != nil && p.Source.ID != "":
		return p.Source.ID, nil
	default:
		return "", rejected("no_file", "the attachment has neither a stored file nor a link")
	}
}

// groupItem is an InputMedia.
type groupItem struct {
	Type     string   `json:"type"`
	Media    string   `json:"media"`
	Caption  string   `json:"caption,omitempty"`
	Entities []entity `json:"caption_entities,omitempty"`
	Width    int      `json:"width,omitempty"`
	Height   int      `json:"height,omitempty"`
	Duration int64    `json:"duration,omitempty"`
}

// composeAlbum sends several files as one group; uploads are named by attach://.
func composeAlbum(d *draft, part connector.Part) error {
	d.method = "sendMediaGroup"
	var items []groupItem
	for i, e := range part.Elements {
		item, err := d.groupItem(e, part, "file"+strconv.Itoa(i))
		if err != nil {
			return err
		}
		items = append(items, item)
	}
	d.params["media"] = items
	return nil
}

func (d *draft) groupItem(e chat.Element, part connector.Part, field string) (groupItem, error) {
	m := mediaMethods[e.Type]
	if m.group == "" {
		return groupItem{}, rejected("bad_album", "Telegram has no albums with "+string(e.Type))
	}
	p, err := payload[chat.Media](e)
	if err != nil {
		return groupItem{}, err
	}
	value, err := d.file(field, p, part)
	if err != nil {
		return groupItem{}, err
	}
	item := groupItem{Type: m.group, Media: value, Caption: p.Caption, Entities: entities(p.Caption, p.Spans)}
	if value == "" {
		item.Media = "attach://" + field
	}
	if e.Type == chat.Video {
		item.Width, item.Height = p.Width, p.Height
	}
	if e.Type == chat.Video || e.Type == chat.Audio {
		item.Duration = int64(p.Duration)
	}
	return item, nil
}
