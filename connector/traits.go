package connector

import (
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Traits are what a platform can carry and how fast. They are data: the hub fits messages to them.
type Traits struct {
	TextLimit    int  // longest text of one message, in TextUnit; 0: no limit
	TextUnit     Unit // what TextLimit, CaptionLimit and Buttons.TextLimit count
	CaptionLimit int  // longest caption; longer ones follow as a text of their own
	Spans        bool // formatted text is understood; without it spans are dropped

	Elements []chat.ElementType                    // what Send takes as it is (text is always among them)
	Others   bool                                  // and types that are not among Elements: whoever reads them may know them
	NoOthers []string                              // but not to addresses that begin with one of these
	Media    map[chat.ElementType]MediaTrait       // sizes of the media types among Elements
	Controls map[chat.ElementType]ControlsTrait    // limits of buttons, quick_replies and of a card's buttons
	Album    int                                   // how many images and videos one request may carry; 0 or 1: none
	Degrade  map[chat.ElementType]chat.ElementType // a nearer type than the general table gives, e.g. voice to audio

	Rate        Rate          // over all threads of a channel
	ThreadRate  Rate          // to one thread
	GroupRate   Rate          // to one thread that is a group; zero: as ThreadRate
	Concurrency int           // requests of one channel under way at once; 0: 8
	TypingFor   time.Duration // how long one typing signal shows
	ReplyWindow time.Duration // free answers only that long after the contact's last message; 0: always
	Initiate    bool          // we may write to addresses that never wrote to us (where there is a reply window, with a template)
	Receipts    []chat.Status // which of delivered, read, failed the platform reports
	Idempotent  bool          // Part.Key makes repeating safe
	Groups      bool
	MaxBody     int64 // largest webhook body in bytes; 0: 1 MiB
}

// Unit is how a platform counts the length of a text.
type Unit string

// The units. The zero value counts code points.
const (
	Runes Unit = "runes"
	UTF16 Unit = "utf16"
	Bytes Unit = "bytes"
)

// MediaTrait limits one media type.
type MediaTrait struct {
	MaxBytes int64
	MIME     []string // accepted types, "image/*" style; nil: any
	Caption  bool
	ByURL    bool // the platform fetches public links itself
	Upload   bool // Send uploads stored files
}

// ControlsTrait limits buttons.
type ControlsTrait struct {
	Max          int // buttons in one message
	TitleLimit   int // in code points
	PayloadLimit int // in bytes; longer payloads are kept by the hub and a short key is sent
	TextLimit    int // of the text above them; 0: TextLimit of the platform
	URL          bool
	Phone        bool
	Request      bool // buttons that ask for phone number or location
	NeedsText    bool // a text must stand above them
	TitleOnly    bool // of quick_replies: only the title comes back, as text; the hub puts the payload to it
}

// Rate is N requests in Per; a zero Rate is no limit. Burst is how many may go at once (default N).
type Rate struct {
	N     int
	Per   time.Duration
	Burst int
}

// Carries tells whether Send takes this element type as it is.
func (t Traits) Carries(e chat.ElementType) bool {
	return e == chat.Text || t.Others || slices.Contains(t.Elements, e)
}
