package mml

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/chat"
)

// drawable does with a stack what the widget does, and tells what would stop its page.
func drawable(stack []Layer) string {
	for _, l := range stack {
		var payload any
		if json.Unmarshal(l.Payload, &payload) != nil || payload == nil {
			return "no payload"
		}
		if !stack[0].known() {
			return ""
		}
		fields, isObject := payload.(map[string]any)
		if stack[0].way() != l.way() || !isObject {
			return "layers of different kinds"
		}
		name, _ := fields["name"].(string)
		stars, isNumber := fields["num_stars"].(float64)
		_, isText := fields["content"].(string)
		switch _, files := fields["files"].(map[string]any); {
		case l.way() == TypeMessage && !isText:
			return "no text"
		case l.Type == TypeFileUpload && !files:
			return "no files"
		case l.way() == TypeFileDownload && fields["name"] != nil && name == "" && fields["name"] != "":
			return "a name that is no text"
		case l.Type == typeStars && fields["num_stars"] != nil && (!isNumber || stars != float64(int(stars)) || stars < 1 || stars > 100):
			return "odd stars"
		}
	}
	return ""
}

func TestDrawn(t *testing.T) {
	for _, c := range []struct{ stack, want string }{
		{`[{"type":"message","payload":{"content":"a"}},{"type":"message_chunk","payload":{"content":"b"}}]`, ``},
		{`[{"type":"my_frame","payload":[1]},{"type":"message","payload":{"content":"b"}}]`, ``},
		{`[{"type":"gtm_tag","payload":null}]`, `[{"type":"gtm_tag","payload":{}}]`},
		{`[{"type":"close_conversation"}]`, `[{"type":"close_conversation","payload":{}}]`},
		{`[{"type":"message","payload":null}]`, `[{"type":"message","payload":{"content":""}}]`},
		{`[{"type":"message","payload":"plain"}]`, `[{"type":"message","payload":{"content":"plain"}}]`},
		{`[{"type":"message","payload":{"content":5,"references":{}}}]`, `[{"type":"message","payload":{"content":"5","references":{}}}]`},
		{`[{"type":"file_upload","payload":{"content":"Send it"}}]`, `[{"type":"file_upload","payload":{"content":"Send it","files":{}}}]`},
		{`[{"type":"file_download","payload":{"name":7,"url":"u"}}]`, `[{"type":"file_download","payload":{"name":"7","url":"u"}}]`},
		{`[{"type":"star_rating","payload":{"num_stars":2.5}}]`, `[{"type":"star_rating","payload":{"num_stars":5}}]`},
		{`[{"type":"star_rating","payload":{"num_stars":900000000}}]`, `[{"type":"star_rating","payload":{"num_stars":5}}]`},
		{
			`[{"type":"message","payload":{"content":"Your bill:"}},{"type":"file_download","payload":{"content":"of May","name":"a.pdf","url":"u"}},{"type":"file_download","payload":{"name":"b.pdf","url":"v"}}]`,
			`[{"type":"file_download","payload":{"content":"Your bill:\nof May","name":"a.pdf","url":"u"}},{"type":"file_download","payload":{"name":"b.pdf","url":"v"}}]`,
		},
		{`[{"type":"message","payload":{"content":"So?"}},{"type":"star_rating","payload":{"num_stars":5}}]`, `[{"type":"star_rating","payload":{"num_stars":5,"hint":"So?"}}]`},
		{`[{"type":"message","payload":{"content":"Yes"}},{"type":"quick_replies","payload":[{"id":"y"}]}]`, `[{"type":"message","payload":{"content":"Yes"}}]`},
		{
			`[{"type":"file_download","payload":{"name":"a","url":"https://e.example/a"}},{"type":"star_rating","payload":{"hint":"Good?","num_stars":3}}]`,
			`[{"type":"message","payload":{"content":"a: https://e.example/a"}},{"type":"message","payload":{"content":"Good?\n1 · 2 · 3"}}]`,
		},
	} {
		var stack, want []Layer
		if c.want == "" {
			c.want = c.stack
		}
		if json.Unmarshal([]byte(c.stack), &stack) != nil || json.Unmarshal([]byte(c.want), &want) != nil {
			t.Fatal(c.stack)
		}
		got := Drawn(stack)
		a, b := encoded(got), encoded(want)
		var x, y any
		_, _ = json.Unmarshal(a, &x), json.Unmarshal(b, &y)
		if !reflect.DeepEqual(x, y) || drawable(got) != "" {
			t.Errorf("%s\n%s, want\n%s %s", c.stack, a, b, drawable(got))
		}
	}
}

// TestAnythingIsDrawn: no message stops the widget's page, and what it can draw is not touched.
func TestAnythingIsDrawn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stack := rapid.SliceOfN(rapid.Custom(anyLayer), 0, 4).Draw(t, "stack")
		m, err := Message(stack)
		if err != nil {
			t.Fatal(err)
		}
		m = stored(t, m)
		layers := Layers(m)
		fine := drawable(layers) == ""
		got := Drawn(layers)
		if why := drawable(got); why != "" {
			t.Fatalf("%s: %s", why, encoded(got))
		}
		if fine && string(encoded(got)) != string(encoded(layers)) {
			t.Fatalf("touched:\n%s\n%s", encoded(layers), encoded(got))
		}
	})
}

func TestNothingIsDrawn(t *testing.T) {
	if got := Drawn(Layers(chat.Message{})); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
