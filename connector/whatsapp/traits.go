package whatsapp

import (
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// Limits of the Cloud API, in code points unless named otherwise.
const (
	maxText        = 4096
	maxBody        = 1024 // of an interactive message, and of a caption
	maxButtons     = 3
	maxRows        = 10
	maxButtonTitle = 20
	maxRowText     = 72
	maxPayload     = 200 // bytes; a list row's id, the shorter of the two limits (a button's is 256)

	mib = 1 << 20
)

// traits tells the hub what the Cloud API carries.
func traits() connector.Traits {
	controls := connector.ControlsTrait{
		Max: maxRows, TitleLimit: maxButtonTitle, PayloadLimit: maxPayload, TextLimit: maxBody, URL: true, NeedsText: true,
	}
	card := controls
	card.Max = maxButtons // only buttons can stand below a picture, a list cannot
	return connector.Traits{
		TextLimit:    maxText,
		TextUnit:     connector.Runes,
		CaptionLimit: maxBody,
		Spans:        true,
		Elements: []chat.ElementType{
			chat.Text, chat.Image, chat.Audio, chat.Voice, chat.Video, chat.File, chat.Sticker,
			chat.Location, chat.Contact, chat.Buttons, chat.QuickReplies, chat.Card, chat.Template,
		},
		Media: mediaTraits(),
		Controls: map[chat.ElementType]connector.ControlsTrait{
			chat.Buttons: controls, chat.QuickReplies: controls, chat.Card: card,
		},
		Rate:        connector.Rate{N: 80, Per: time.Second},
		ThreadRate:  connector.Rate{N: 1, Per: pairPause, Burst: 45}, // 1 in 6 s sustained, 45 at once
		TypingFor:   25 * time.Second,
		ReplyWindow: 24 * time.Hour,
		Initiate:    true,
		Receipts:    []chat.Status{chat.Delivered, chat.Read, chat.Failed},
		Groups:      true,
		MaxBody:     3 * mib, // the largest webhook call that Meta makes
	}
}

func mediaTraits() map[chat.ElementType]connector.MediaTrait {
	trait := func(size int64, caption bool, mime ...string) connector.MediaTrait {
		return connector.MediaTrait{MaxBytes: size, MIME: mime, Caption: caption, ByURL: true, Upload: true}
	}
	return map[chat.ElementType]connector.MediaTrait{
		chat.Image:   trait(5*mib, true, "image/jpeg", "image/png"),
		chat.Audio:   trait(16*mib, false, "audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"),
		chat.Voice:   trait(16*mib, false, "audio/ogg"),
		chat.Video:   trait(16*mib, true, "video/mp4", "video/3gpp"),
		chat.File:    trait(100*mib, true),
		chat.Sticker: trait(500<<10, false, "image/webp"),
	}
}
