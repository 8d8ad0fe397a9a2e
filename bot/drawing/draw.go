package drawing

import (
	"fmt"

	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
)

// Limits of a picture: beyond them nobody could read it.
const (
	maxStates = 200
	maxArrows = 1000 // transitions, and jumps to different states
)

// Theme is the colours of a picture.
type Theme string

// The themes. Auto follows the setting of whoever looks.
const (
	Auto  Theme = ""
	Light Theme = "light"
	Dark  Theme = "dark"
)

// Options say what a picture tells beside the flow itself. All may be left out.
type Options struct {
	Name    string
	Version int
	Theme   Theme
	Traffic *Traffic // nil: nobody has counted
}

// Draw draws a flow as SVG. A flow that is too large is a *chat.Fault.
func Draw(flow *bot.Flow, o Options) ([]byte, error) {
	if n := len(flow.States()); n > maxStates {
		return nil, tooLarge("%d states, a picture takes at most %d", n, maxStates)
	}
	if n := len(flow.Transitions()); n > maxArrows {
		return nil, tooLarge("%d transitions, a picture takes at most %d", n, maxArrows)
	}
	g, err := read(flow)
	if err != nil {
		return nil, err
	}
	if n := len(g.arrows); n > maxArrows {
		return nil, tooLarge("%d transitions and jumps, a picture takes at most %d", n, maxArrows)
	}
	if o.Traffic != nil {
		g.count(o.Traffic)
	}
	return write(layOut(g), o), nil
}

func tooLarge(format string, n, most int) error {
	return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("the flow has "+format, n, most))
}
