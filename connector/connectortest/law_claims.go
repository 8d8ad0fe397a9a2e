package connectortest

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// abilities are those that the connector has in any of the transcripts, for settings may choose among them.
func (x *exam) abilities(t T) []string {
	t.Helper()
	var all []string
	for _, tr := range x.all {
		if w := x.world(t, tr, 0); w != nil {
			all = append(all, w.can.Names()...)
			if n := len(w.out.requests()) + len(w.out.strangers()); n > 0 {
				t.Errorf("%s: Open made %d requests", tr.name, n)
			}
			w.leave()
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// traitsLaw: what the traits say and what the connector can do is the same, and the traits do not contradict
// themselves.
func traitsLaw(x *exam, t T) {
	t.Helper()
	traits, can := x.platform.Traits, x.abilities(t)
	if typing := slices.Contains(can, "typing"); (traits.TypingFor > 0) != typing {
		t.Errorf("TypingFor is %v, and the ability typing is %v", traits.TypingFor, typing)
	}
	comesIn := slices.Contains(can, "receive") || slices.Contains(can, "listen")
	if len(traits.Receipts) > 0 && !comesIn {
		t.Errorf("Receipts without a way in")
	}
	for _, status := range traits.Receipts {
		if status != chat.Delivered && status != chat.Read && status != chat.Failed {
			t.Errorf("Receipts: %q is none of delivered, read, failed", status)
		}
	}
	if slices.Contains(can, "acknowledge") && !comesIn {
		t.Errorf("the ability acknowledge without a way in")
	}
	if slices.Contains(can, "register") && !slices.Contains(can, "receive") {
		t.Errorf("the ability register without receive")
	}
	x.mediaTraits(t)
	for from, to := range traits.Degrade {
		if !traits.Carries(to) && traits.Degrade[to] == "" && to != chat.File {
			t.Errorf("Degrade: %s becomes %s, which is not carried either", from, to)
		}
		if from != chat.Text && traits.Carries(from) {
			t.Errorf("Degrade: %s is carried as it is", from)
		}
	}
}

func (x *exam) mediaTraits(t T) {
	t.Helper()
	traits := x.platform.Traits
	for _, kind := range traits.Elements {
		if _, ok := traits.Media[kind]; kind.IsMedia() && !ok {
			t.Errorf("Elements has %s, and Media does not", kind)
		}
	}
	for kind, m := range traits.Media {
		if !kind.IsMedia() || !traits.Carries(kind) {
			t.Errorf("Media has %s, which is no media type among Elements", kind)
		}
		if !m.ByURL && !m.Upload {
			t.Errorf("Media: %s goes neither by URL nor by upload", kind)
		}
	}
	for kind, c := range traits.Controls {
		if c.Max < 0 || c.TitleLimit < 0 || c.PayloadLimit < 0 || c.TextLimit < 0 {
			t.Errorf("Controls: %s has a limit below zero", kind)
		}
	}
	if traits.Album > 1 && !traits.Carries(chat.Image) && !traits.Carries(chat.Video) {
		t.Errorf("Album without images or videos")
	}
}

// evidence is what the transcripts show to work.
type evidence struct {
	acts             map[string]bool
	elements, upload map[chat.ElementType]bool
	byURL            map[chat.ElementType]bool
	album            bool
}

func (x *exam) evidence() evidence {
	e := evidence{map[string]bool{}, map[chat.ElementType]bool{}, map[chat.ElementType]bool{}, map[chat.ElementType]bool{}, false}
	for _, tr := range x.all {
		for _, a := range tr.acts {
			if a.want["error"] == nil {
				e.acts[a.kind] = true
			}
			var part partForm
			if a.kind == "send" && a.want["sent"] != nil && json.Unmarshal(a.head.data, &part) == nil {
				e.part(part)
			}
		}
	}
	return e
}

func (e *evidence) part(part partForm) {
	e.album = e.album || len(part.Elements) > 1
	for _, el := range part.Elements {
		e.elements[el.Type] = true
		var m chat.Media
		if el.Type.IsMedia() && el.Into(&m) == nil {
			e.upload[el.Type] = e.upload[el.Type] || m.File != ""
			e.byURL[el.Type] = e.byURL[el.Type] || m.URL != ""
		}
	}
}

// coveredLaw: every claim has a transcript that shows it.
func coveredLaw(x *exam, t T) {
	t.Helper()
	shown, traits := x.evidence(), x.platform.Traits
	for _, name := range x.abilities(t) {
		if !shown.acts[name] {
			t.Errorf("the connector can %s, and no transcript shows it", name)
		}
		if name == "register" && !shown.acts["unregister"] {
			t.Errorf("the connector can unregister, and no transcript shows it")
		}
	}
	for _, kind := range append([]chat.ElementType{chat.Text}, traits.Elements...) {
		if !shown.elements[kind] {
			t.Errorf("Elements has %s, and no send transcript shows it", kind)
		}
	}
	byURL := false
	for kind, m := range traits.Media {
		if m.Upload && !shown.upload[kind] {
			t.Errorf("Media: %s by upload, and no send transcript with a stored file shows it", kind)
		}
		if m.ByURL && !m.Upload && !shown.byURL[kind] {
			t.Errorf("Media: %s by URL, and no send transcript shows it", kind)
		}
		byURL = byURL || !m.ByURL || shown.byURL[kind]
	}
	if len(traits.Media) > 0 && !byURL {
		t.Errorf("Media by URL, and no send transcript shows it")
	}
	if traits.Album > 1 && !shown.album {
		t.Errorf("Album, and no send transcript has two elements")
	}
}

// The forms of names.
var (
	platformName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	secretName   = regexp.MustCompile(`(?i)(token|secret|password|passwd|api_?key|private_?key)$`)
)

// secretBytes is how long a made-up secret must be, so that finding it in a log is no accident.
const secretBytes = 8

// settingsLaw: settings that cannot work do not open, and what is secret is marked.
func settingsLaw(x *exam, t T) {
	t.Helper()
	if !platformName.MatchString(x.platform.Name) || x.platform.Title == "" {
		t.Errorf("the name %q must be lower case, and the title %q not empty", x.platform.Name, x.platform.Title)
	}
	if raw, err := json.Marshal(x.platform.Schema()); err != nil || !json.Valid(raw) {
		t.Errorf("the schema is not JSON: %v", err)
	}
	for _, s := range x.platform.Settings {
		if s.Type == connector.String && secretName.MatchString(s.Name) && !s.Secret {
			t.Errorf("the setting %s looks like a secret and is not marked", s.Name)
		}
	}
	base, err := x.settings(nil)
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	if _, problems := x.platform.CheckSettings(base, sevens{}); problems != nil {
		t.Errorf("settings.json: %v", problems)
	}
	for _, secret := range x.secrets(base) {
		if len(secret) < secretBytes {
			t.Errorf("settings.json: a secret shorter than %d bytes", secretBytes)
		}
	}
	x.badSettings(t, base)
}

// badSettings opens the connector with settings of which one is wrong.
func (x *exam) badSettings(t T, base json.RawMessage) {
	t.Helper()
	wrong := map[string]string{"an unknown member": `{"no_such_setting":1}`}
	for _, s := range x.platform.Settings {
		if s.Required {
			wrong[s.Name+" missing"] = `{"` + s.Name + `":null}`
		}
		if s.Type == connector.String {
			wrong[s.Name+" a number"] = `{"` + s.Name + `":5}`
		}
	}
	for what, change := range wrong {
		tr := &transcript{setup: map[string]*section{"settings": {"settings", []byte(change)}}}
		w, err := x.enter(t.Context(), tr, 0)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if strings.HasSuffix(what, " missing") && x.filled(base, change) {
			continue // the hub makes it or has a default
		}
		if w.openErr == nil || connector.AsError(w.openErr).Policy != connector.Malformed {
			t.Errorf("%s: Open must answer malformed, got %v", what, w.openErr)
		}
	}
}

// filled tells whether the settings without a member are complete again after CheckSettings.
func (x *exam) filled(base json.RawMessage, change string) bool {
	settings, err := merge(base, []byte(change))
	if err != nil {
		return false
	}
	_, problems := x.platform.CheckSettings(settings, sevens{})
	return problems == nil
}
