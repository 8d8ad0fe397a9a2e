package visitor

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/telemetry"
)

// maxTranscript bounds a transcript, in messages: the newest.
const maxTranscript = 2000

// transcript gives what was said as plain text.
func (s *Server) transcript(c *call) error {
	if err := s.paces.messages.take(c.who.address(), s.Now()); err != nil {
		return err
	}
	ctx := c.r.Context()
	convs, err := s.Store.AddressConversations(ctx, c.site.channel, c.who.address(), maxConversations)
	if err != nil {
		return err
	}
	p := s.past(c.site, convs, maxTranscript)
	if err := p.read(ctx); err != nil {
		return err
	}
	texts := textsOf(c.site, c.language())
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", c.site.Title)
	for _, m := range p.messages {
		fmt.Fprintf(&b, "\n%s, %s:\n", m.At.UTC().Format(time.RFC1123), speaker(m, texts))
		for _, part := range m.Parts {
			writePart(&b, part, s.base(c.r))
		}
	}
	h := c.w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="chat.txt"`)
	_, _ = c.w.Write([]byte(b.String())) // the reader may have left
	return nil
}

func speaker(m message, texts map[string]string) string {
	switch {
	case m.Name != "":
		return m.Name
	case m.From == "me":
		return texts["you"]
	case m.From == string(chat.PartyAgent):
		return texts["agent"]
	default:
		return texts["bot"]
	}
}

func writePart(b *strings.Builder, p part, base string) {
	for _, line := range []string{p.Title, p.Text} {
		if line != "" {
			fmt.Fprintf(b, "  %s\n", strings.ReplaceAll(line, "\n", "\n  "))
		}
	}
	for _, x := range p.Buttons {
		fmt.Fprintf(b, "  [%s]\n", x.Title)
	}
	if p.URL != "" {
		link := p.URL
		if strings.HasPrefix(link, "/") {
			link = base + link
		}
		fmt.Fprintf(b, "  %s\n", strings.TrimSpace(p.Name+" "+link))
	}
}

// forget erases all that is known of a visitor. It cannot be undone, so once begun it is finished even if the visitor leaves.
func (s *Server) forget(c *call) error {
	ctx := context.WithoutCancel(c.r.Context())
	convs, err := s.Store.AddressConversations(ctx, c.site.channel, c.who.address(), 1)
	if err != nil {
		return err
	}
	if len(convs) == 0 {
		return c.done()
	}
	erase := &store.Erase{
		Workspace: c.site.workspace, Contact: convs[0].Contact.ID, Action: telemetry.Action(ctx),
		By: chat.Party{Type: chat.PartyContact}, // the name would stay
	}
	if _, err := s.Store.Append(ctx, erase); err != nil {
		return err
	}
	if err := s.Hub.Forget(ctx, erase.Files); err != nil {
		s.Log.ErrorContext(ctx, "visitor: attachments of an erased contact are still in the blob store", "files", erase.Files, "err", err)
		return refusal{http.StatusServiceUnavailable, "unavailable", "not all files could be deleted; our log has their ids"}
	}
	return c.done()
}
