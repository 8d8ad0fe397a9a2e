package fit

import (
	"errors"
	"slices"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// ErrNothing is the answer when no part is left: nothing in the message can be carried, or it was empty.
var ErrNothing = errors.New("fit: nothing in the message can be sent on this platform")

// maxDepth bounds how often one element is turned into something nearer; the longest honest way has five steps.
const maxDepth = 10

// degradeDepth is from where on Traits.Degrade is not asked any more, for it may run in a circle.
const degradeDepth = 4

// Options are what the caller knows and the message does not. Every function may be nil.
type Options struct {
	// LinkFor gives a public link to a media element; empty: there is none. Without it Media.URL is taken.
	LinkFor func(chat.Media) string
	// ShortPayload keeps a button's payload that is too long for the platform, and gives the short key that is
	// sent in its place. The same payload must give the same key.
	ShortPayload func(full string) string
}

// Part is as much of the message as goes out in one request.
type Part struct {
	Elements []chat.Element // one; several only in an album of images and videos
	ReplyTo  bool           // this part answers Message.ReplyTo: the first one, if the message answers anything
}

// Fit cuts m into parts that obey t, in the order of the stack. The notes say what was turned into something
// nearer, split, cut or dropped, each sort of change once. A message that fits comes back as it was, byte by byte,
// without notes. The error is ErrNothing, and then there are no parts; the notes say why.
func Fit(m chat.Message, t connector.Traits, o Options) ([]Part, []string, error) {
	f := &fitting{traits: t, options: o}
	for _, e := range m.Stack {
		f.add(near{Element: e}, e.Type, 0)
	}
	if len(f.out) == 0 {
		return nil, f.notes, ErrNothing
	}
	parts := group(f.out, t.Album)
	parts[0].ReplyTo = m.ReplyTo != nil
	return parts, f.notes, nil
}

// fitting is the work on one message.
type fitting struct {
	traits  connector.Traits
	options Options
	out     []chat.Element
	notes   []string
}

// near is an element on its way to something that the platform carries. As is what a note calls it, where its
// type says too little: an image that became a text is a "link".
type near struct {
	chat.Element
	as string
}

func (n near) name() string {
	if n.as != "" {
		return n.as
	}
	return string(n.Type)
}

// add puts an element into the output, as it is or as the nearest thing that can be carried.
func (f *fitting) add(n near, origin chat.ElementType, depth int) {
	n.Element = f.join(n.Element)
	noted := len(f.notes)
	if kept, ok := f.keep(n.Element); ok {
		if len(kept) > 0 && depth > 0 {
			f.note(string(origin) + " to " + n.name())
		}
		f.out = append(f.out, kept...)
		return
	}
	f.notes = f.notes[:noted] // what keep tried did not come about
	next := f.nearer(n, depth)
	if len(next) == 0 || depth >= maxDepth {
		f.note(string(origin) + " dropped")
		return
	}
	for _, x := range next {
		if x.as == "" {
			x.as = n.as
		}
		f.add(x, origin, depth+1)
	}
}

// keep fits an element of a type that the platform carries into its limits. It answers false if the element has
// to become something else; no elements and true if there is nothing in it.
func (f *fitting) keep(e chat.Element) ([]chat.Element, bool) {
	if !f.traits.Carries(e.Type) {
		return nil, false
	}
	switch e.Type {
	case chat.Text:
		return f.keepText(e), true
	case chat.Image, chat.Audio, chat.Voice, chat.Video, chat.File, chat.Sticker:
		return f.keepMedia(e)
	case chat.Buttons, chat.QuickReplies:
		return f.keepControls(e)
	case chat.Card:
		return f.keepCard(e)
	case chat.Carousel:
		return f.keepCarousel(e)
	default:
		return []chat.Element{e}, true
	}
}

// note records a change once.
func (f *fitting) note(s string) {
	if !slices.Contains(f.notes, s) {
		f.notes = append(f.notes, s)
	}
}

// read decodes a payload; one that cannot be read is noted.
func (f *fitting) read(e chat.Element, into any) bool {
	if e.Into(into) == nil {
		return true
	}
	f.note(string(e.Type) + " dropped: its payload cannot be read")
	return false
}

// group makes one part per element, and albums of images and videos that follow one another.
func group(elements []chat.Element, album int) []Part {
	var parts []Part
	for _, e := range elements {
		if n := len(parts) - 1; n >= 0 && inAlbum(e) && inAlbum(parts[n].Elements[0]) && len(parts[n].Elements) < album {
			parts[n].Elements = append(parts[n].Elements, e)
			continue
		}
		parts = append(parts, Part{Elements: []chat.Element{e}})
	}
	return parts
}

func inAlbum(e chat.Element) bool { return e.Type == chat.Image || e.Type == chat.Video }
