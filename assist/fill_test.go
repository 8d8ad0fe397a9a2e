package assist_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/assist"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// conversation is one in which everything is known.
func conversation() (chat.Conversation, store.Contact, chat.Party) {
	conv := chat.Conversation{
		ID: "c1", Channel: "tg", Thread: chat.Thread{Address: "7"},
		Fields: map[string]json.RawMessage{"order": json.RawMessage(`1.50`), "paid": json.RawMessage(`true`), "deep": json.RawMessage(`{"a":1}`)},
	}
	contact := store.Contact{
		ID: "p1", Name: "Ada Lovelace", Language: "fr-CA", Properties: json.RawMessage(`{"plan":"gold"}`),
		Identities: []store.Identity{
			{Channel: "wa", Address: "9", Person: chat.Person{Phone: "+1555", FirstName: "Augusta"}},
			{Channel: "tg", Address: "7", Person: chat.Person{Username: "ada", FirstName: "Ada", LastName: "King"}},
		},
	}
	return conv, contact, chat.Party{ID: "u1", Name: "Bob Marley"}
}

func TestFill(t *testing.T) {
	conv, contact, agent := conversation()
	values := assist.ValuesOf(conv, contact, agent, "Support", "Shop")
	for _, c := range []struct{ text, want, missing string }{
		{"Hello", "Hello", ""},
		{"Hello {{contact.first_name}} {{ contact.last_name }}!", "Hello Ada King!", ""},
		{"{{contact.phone}} {{contact.username}} {{contact.language}}", "+1555 ada fr-CA", ""},
		{"{{contact.name}}, I am {{agent.first_name}} ({{agent.name}}) of {{conversation.queue}}", "Ada Lovelace, I am Bob (Bob Marley) of Support", ""},
		{"{{fields.order}} {{fields.paid}} {{contact.fields.plan}} {{conversation.id}}", "1.50 yes gold c1", ""},
		{"{{fields.deep}}{{contact.email}}{{contact.email}}", "{{fields.deep}}{{contact.email}}{{contact.email}}", "fields.deep contact.email"},
		{"Dear {{contact.email|friend}}, {{contact.name|friend}}", "Dear friend, Ada Lovelace", ""},
		{"{{contact.email|}}", "{{contact.email|}}", "contact.email"},
		{"a } b }} c", "a } b }} c", ""},
	} {
		got, missing := assist.Fill(c.text, values)
		if got != c.want || strings.Join(missing, " ") != c.missing {
			t.Errorf("%q: %q, missing %q", c.text, got, missing)
		}
	}
}

func TestNames(t *testing.T) {
	conv, contact, agent := conversation()
	for name, want := range map[string]string{"Ada": "Ada/", "Ada King": "Ada/King", "Ada of Lovelace": "/", "": "/"} {
		contact.Name, contact.Identities = name, nil
		values := assist.ValuesOf(conv, contact, agent, "", "")
		if got := values["contact.first_name"] + "/" + values["contact.last_name"]; got != want {
			t.Errorf("%q: %s", name, got)
		}
	}
}

func TestCheckText(t *testing.T) {
	for text, want := range map[string]string{
		"Hi {{contact.name}}": "", "{{fields.my-order_2}}": "", "{{contact.name|you there}}": "", "{{fields.größe}}": "",
		" ": "no text", "{{contact.name": "without", "{{}}": "wanted", "{{contact.nam}}": "no such variable", "{{fields.a.b}}": "no such variable",
		"{{ {{contact.name}} }}": "wanted", "{{contact.name()}}": "wanted", "{{password}}": "wanted", "{{agent.token}}": "no such variable",
		strings.Repeat("x", assist.MaxText+1): "at the most",
	} {
		err := assist.CheckText(text)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}

func TestInLanguage(t *testing.T) {
	texts := map[string]string{"de": "de", "en": "en", "pt-BR": "br", "pt-PT": "pt", "zh-Hant": "zh"}
	for _, c := range []struct{ wanted, want string }{
		{"de", "de"}, {"de-AT", "de"}, {"DE_at", "de"}, {"pt", "pt-BR"}, {"pt-pt", "pt-PT"}, {"zh", "zh-Hant"}, {"fr", "en"}, {"", "en"}, {"e", "en"},
	} {
		if got, _ := assist.InLanguage(texts, "en", c.wanted); got != c.want {
			t.Errorf("%q: %q, want %q", c.wanted, got, c.want)
		}
	}
	if got, text := assist.InLanguage(texts, "en", "", "pt-PT"); got != "pt-PT" || text != "pt" {
		t.Error(got, text)
	}
	if got, _ := assist.InLanguage(texts, "gone", "fr"); got != "de" {
		t.Error("no fallback:", got)
	}
	if got, _ := assist.InLanguage(nil, "en", "fr"); got != "" {
		t.Error("no texts:", got)
	}
}

// TestFillLosesNothing: whatever stands around variables stays, and a text names as missing just what still stands in it.
func TestFillLosesNothing(t *testing.T) {
	names := []string{"contact.name", "contact.email", "agent.name", "fields.a", "fields.b"}
	rapid.Check(t, func(t *rapid.T) {
		values := assist.Values{}
		for _, n := range names {
			if rapid.Bool().Draw(t, "known "+n) {
				values[n] = rapid.StringMatching(`[a-zé ]{1,8}`).Draw(t, n)
			}
		}
		var text, want strings.Builder
		var missing []string
		for range rapid.IntRange(0, 8).Draw(t, "pieces") {
			plain := rapid.StringMatching(`[a-z }|.é]{0,6}`).Draw(t, "plain")
			n := rapid.SampledFrom(names).Draw(t, "name")
			text.WriteString(plain + "{{" + n + "}}")
			value := values[n]
			if value == "" {
				value = "{{" + n + "}}"
				if !slices.Contains(missing, n) {
					missing = append(missing, n)
				}
			}
			want.WriteString(plain + value)
		}
		got, left := assist.Fill(text.String(), values)
		if got != want.String() || !slices.Equal(left, missing) {
			t.Fatalf("%q: %q %q, want %q %q", text.String(), got, left, want.String(), missing)
		}
	})
}

func FuzzFill(f *testing.F) {
	for _, s := range []string{"Hi {{contact.name}}", "{{a.b|c}}", "{{{{", "}}{{contact.name|x|y}}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		filled, missing := assist.Fill(text, assist.Values{"contact.name": "Ada"})
		if assist.CheckText(text) != nil {
			return
		}
		if len(missing) == 0 && assist.CheckText(filled) != nil && strings.TrimSpace(filled) != "" {
			t.Errorf("%q became %q", text, filled)
		}
	})
}
