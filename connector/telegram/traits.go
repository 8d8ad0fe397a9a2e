package telegram

import (
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

const mib = 1 << 20

// traits are Telegram's limits as published. Two cannot be said in them: about 20 messages a minute to one group
// (ThreadRate holds for all threads), and the smaller sizes of files that Telegram fetches by link (5 MB for photos, 20 MB
// for the rest, 1 MB for voice).
func traits() connector.Traits {
	return connector.Traits{
		TextLimit:    4096,
		TextUnit:     connector.UTF16,
		CaptionLimit: 1024,
		Spans:        true,
		Elements: []chat.ElementType{
			chat.Text, chat.Image, chat.Audio, chat.Voice, chat.Video, chat.File, chat.Sticker, chat.Location,
			chat.Contact, chat.Poll, chat.Buttons, chat.QuickReplies, chat.Card,
		},
		Media:      mediaTraits(),
		Controls:   controlsTraits(),
		Album:      10,
		Rate:       connector.Rate{N: 30, Per: time.Second},
		ThreadRate: connector.Rate{N: 1, Per: time.Second, Burst: 3},
		GroupRate:  connector.Rate{N: 20, Per: time.Minute, Burst: 5},
		TypingFor:  5 * time.Second,
		Groups:     true,
	}
}

// mediaTraits: links to documents are left out, for Telegram fetches PDF and ZIP only.
func mediaTraits() map[chat.ElementType]connector.MediaTrait {
	return map[chat.ElementType]connector.MediaTrait{
		chat.Image: {
			MaxBytes: 10 * mib, Caption: true, ByURL: true, Upload: true,
			MIME: []string{"image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp"},
		},
		chat.Audio: {
			MaxBytes: 50 * mib, Caption: true, ByURL: true, Upload: true,
			MIME: []string{"audio/mpeg", "audio/mp3", "audio/mp4", "audio/m4a", "audio/x-m4a"},
		},
		chat.Voice: {
			MaxBytes: 50 * mib, Caption: true, ByURL: true, Upload: true,
			MIME: []string{"audio/ogg", "audio/opus", "audio/mpeg", "audio/mp3", "audio/mp4", "audio/m4a", "audio/x-m4a"},
		},
		chat.Video:   {MaxBytes: 50 * mib, Caption: true, ByURL: true, Upload: true, MIME: []string{"video/mp4"}},
		chat.File:    {MaxBytes: 50 * mib, Caption: true, Upload: true},
		chat.Sticker: {MaxBytes: mib / 2, ByURL: true, Upload: true, MIME: []string{"image/webp", "video/webm", mimeLottie}},
	}
}

func controlsTraits() map[chat.ElementType]connector.ControlsTrait {
	return map[chat.ElementType]connector.ControlsTrait{
		chat.Buttons:      {Max: 100, TitleLimit: 64, PayloadLimit: 64, URL: true, Phone: true, Request: true, NeedsText: true},
		chat.QuickReplies: {Max: 100, TitleLimit: 64, Request: true, NeedsText: true, TitleOnly: true},
		chat.Card:         {Max: 100, TitleLimit: 64, PayloadLimit: 64, TextLimit: 1024, URL: true, Phone: true},
	}
}
