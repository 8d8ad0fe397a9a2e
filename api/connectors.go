package api

import (
	"context"
	"net/http"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// ConnectorView is a platform that channels can be made for.
type ConnectorView struct {
	Name      string         `json:"name" example:"telegram"`
	Title     string         `json:"title" example:"Telegram"`
	Settings  map[string]any `json:"settings" doc:"JSON Schema (2020-12) of a channel's settings; secret ones are writeOnly."`
	Traits    TraitsView     `json:"traits"`
	Abilities []string       `json:"abilities" nullable:"false" doc:"What its channels can do: receive, listen, typing, edit ..."`
}

// TraitsView tells what a platform can carry. Zero limits are none.
type TraitsView struct {
	TextLimit    int                     `json:"text_limit,omitempty" doc:"Longest text of one message; longer ones are split."`
	TextUnit     connector.Unit          `json:"text_unit,omitempty" doc:"What the limit counts: runes, utf16 or bytes."`
	CaptionLimit int                     `json:"caption_limit,omitempty"`
	Formatting   bool                    `json:"formatting"`
	Elements     []chat.ElementType      `json:"elements" nullable:"false" doc:"What it carries as it is; everything else becomes the nearest thing."`
	Others       bool                    `json:"others,omitempty" doc:"Types that are not among the elements go as they are."`
	Media        map[string]MediaView    `json:"media,omitempty"`
	Controls     map[string]ControlsView `json:"controls,omitempty"`
	Album        int                     `json:"album,omitempty"`
	ReplyWindow  int64                   `json:"reply_window,omitempty" doc:"Seconds after the contact's last message in which free answers are allowed."`
	Initiate     bool                    `json:"initiate" doc:"We may write first to addresses that never wrote to us; where there is a reply window, with a template."`
	Receipts     []chat.Status           `json:"receipts" nullable:"false"`
	Groups       bool                    `json:"groups"`
	Idempotent   bool                    `json:"idempotent" doc:"Repeating an unsure send is safe."`
}

// MediaView limits one media type.
type MediaView struct {
	MaxBytes int64    `json:"max_bytes,omitempty"`
	MIME     []string `json:"mime,omitempty"`
	Caption  bool     `json:"caption"`
}

// ControlsView limits buttons.
type ControlsView struct {
	Max        int  `json:"max,omitempty"`
	TitleLimit int  `json:"title_limit,omitempty"`
	URL        bool `json:"url"`
	Phone      bool `json:"phone"`
	Request    bool `json:"request"`
}

func (a *API) registerConnectors() {
	add(a, act{
		method: http.MethodGet, path: "/v1/connectors", id: "listConnectors", tag: "channels", scope: ScopeRead,
		summary: "List the platforms that channels can be made for",
	}, a.connectors)
}

func (a *API) connectors(context.Context, *none) (*reply[list[ConnectorView]], error) {
	platforms := a.Hub.Platforms()
	out := make([]ConnectorView, 0, len(platforms))
	for _, p := range platforms {
		abilities := a.Hub.Abilities(p.Name)
		if abilities == nil {
			abilities = []string{}
		}
		out = append(out, ConnectorView{Name: p.Name, Title: p.Title, Settings: p.Schema(), Traits: traitsOf(p.Traits), Abilities: abilities})
	}
	return listOf(out, ""), nil
}

func traitsOf(t connector.Traits) TraitsView {
	v := TraitsView{
		TextLimit: t.TextLimit, TextUnit: t.TextUnit, CaptionLimit: t.CaptionLimit, Formatting: t.Spans, Elements: []chat.ElementType{chat.Text}, Others: t.Others,
		Media: map[string]MediaView{}, Controls: map[string]ControlsView{}, Album: t.Album, ReplyWindow: int64(t.ReplyWindow / time.Second),
		Initiate: t.Initiate, Receipts: append([]chat.Status{}, t.Receipts...), Groups: t.Groups, Idempotent: t.Idempotent,
	}
	for _, e := range t.Elements {
		if e != chat.Text {
			v.Elements = append(v.Elements, e)
		}
	}
	for name, m := range t.Media {
		v.Media[string(name)] = MediaView{m.MaxBytes, m.MIME, m.Caption}
	}
	for name, c := range t.Controls {
		v.Controls[string(name)] = ControlsView{c.Max, c.TitleLimit, c.URL, c.Phone, c.Request}
	}
	return v
}
