package fit

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// locationText gives a place in words, with a link to a map.
func locationText(f *fitting, e chat.Element) []near {
	var p chat.LocationPayload
	if !f.read(e, &p) || math.Abs(p.Latitude) > 90 || math.Abs(p.Longitude) > 180 {
		return nil
	}
	lat, lon := degrees(p.Latitude), degrees(p.Longitude)
	link := p.URL
	if link == "" {
		link = fmt.Sprintf("https://www.openstreetmap.org/?mlat=%s&mlon=%s#map=16/%s/%s", lat, lon, lat, lon)
	}
	return said(p.Name, p.Address, link)
}

// degrees writes six decimals, a tenth of a metre, without trailing zeros.
func degrees(x float64) string {
	return strconv.FormatFloat(math.Round(x*1e6)/1e6, 'f', -1, 64)
}

func contactText(f *fitting, e chat.Element) []near {
	var p chat.ContactCard
	if !f.read(e, &p) {
		return nil
	}
	name := p.Name
	if name == "" {
		name = strings.TrimSpace(p.FirstName + " " + p.LastName)
	}
	lines := append([]string{name, p.Company}, p.Phones...)
	return said(append(lines, p.Emails...)...)
}

func pollText(f *fitting, e chat.Element) []near {
	var p chat.PollPayload
	if !f.read(e, &p) {
		return nil
	}
	return said(p.Question, numbered(p.Options))
}

func choiceText(f *fitting, e chat.Element) []near {
	var p chat.ChoicePayload
	if !f.read(e, &p) {
		return nil
	}
	if p.Title == "" {
		return said(p.Payload)
	}
	return said(p.Title)
}

// ratingText asks with the numbers that may be answered. A question for a comment has none.
func ratingText(f *fitting, e chat.Element) []near {
	var p chat.RatingPayload
	if !f.read(e, &p) {
		return nil
	}
	top := p.Max
	if top <= 0 && e.Type == chat.Rating {
		top = 5
	}
	switch {
	case p.Value > 0: // given, not asked for
		return said(p.Content, strings.TrimSuffix(fmt.Sprintf("%d/%d", p.Value, max(top, 0)), "/0"), p.Comment)
	case top > 10:
		return said(p.Content, fmt.Sprintf("1–%d", top), p.Comment)
	case top > 0:
		scale := make([]string, top)
		for i := range scale {
			scale[i] = strconv.Itoa(i + 1)
		}
		return said(p.Content, strings.Join(scale, " · "), p.Comment)
	default:
		return said(p.Content, p.Comment)
	}
}

// said makes one text of lines, the empty ones left out.
func said(lines ...string) []near {
	text := ""
	for _, s := range lines {
		if strings.TrimSpace(s) != "" {
			text = below(text, s)
		}
	}
	if text == "" {
		return nil
	}
	return []near{{Element: chat.Plain(text)}}
}
