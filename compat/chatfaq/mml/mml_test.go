package mml

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub/fit"
)

// examples are layers as clients send them, what another platform's reader reads of them, and the element that they become.
var examples = []struct {
	layer, text string
	kind        chat.ElementType
}{
	{`{"type":"message","payload":{"content":"where is my parcel?"}}`, "where is my parcel?", chat.Text},
	{`{"type":"message","streaming":false,"meta":{},"state":{},"fsm_definition":"shop","payload":{"content":"See **returns**.","tool_calls":[],"references":{"knowledge_base_id":3,"knowledge_items":[{"knowledge_item_id":7,"title":"Returns","url":"https://shop.example/returns","image_urls":{}}]}}}`, "See **returns**.", chat.Text},
	{`{"type":"message_chunk","streaming":true,"meta":{},"state":{"n":1},"payload":{"content":"par","tool_calls":[]}}`, "par", chat.Text},
	{`{"type":"message","payload":{"content":"x","spans":"mine","chatfaq":{"type":"forged"}},"id":"l1"}`, "x", chat.Text},
	{`{"type":"message","payload":{"content":5}}`, "5", chat.Text},
	{`{"type":"message","payload":null}`, "", chat.Text},
	{`{"type":"text","payload":"hello"}`, "hello", chat.Text},
	{`{"type":"html","payload":"<b>hello</b>"}`, "hello", chat.HTML},
	{`{"type":"image","payload":"https://cdn.example/a.png"}`, "https://cdn.example/a.png", chat.Image},
	{`{"type":"quick_replies","payload":[{"id":"y","text":"Yes","meta":{}},{"id":"n"}]}`, "1. Yes\n2. n", chat.QuickReplies},
	{`{"type":"satisfaction","payload":"positive"}`, "", "satisfaction"},
	{`{"type":"lm_generated_text","payload":{"model_response":"so","references":[],"lm_msg_id":1}}`, "so", chat.Text},
	{`{"type":"server_error","payload":{"content":"oops"}}`, "oops", chat.Text},
	{`{"type":"file_upload","payload":{"content":"Send the bill","files":{"pdf":{"max_size":5000000}}}}`, "Send the bill", chat.Text},
	{`{"type":"file_uploaded","payload":{"s3_path":"uploads/12/1","name":"bill.pdf","url":"https://files.example/1"}}`, "bill.pdf: https://files.example/1", chat.File},
	{`{"type":"file_download","payload":{"content":"Your report","name":"report.pdf","url":"https://files.example/r"}}`, "Your report\nreport.pdf: https://files.example/r", chat.File},
	{`{"type":"file_download","payload":{"content":"Two","files":[{"name":"a","url":"https://e.example/a"},{"name":"b","url":"https://e.example/b"}]}}`, "Two\na https://e.example/a\nb https://e.example/b", chat.Text},
	{`{"type":"thumbs_rating","payload":{"hint":null,"merge_to_prev":true,"full_conversation":false}}`, "👎 1 · 2 👍\n1 · 2", chat.Rating},
	{`{"type":"star_rating","payload":{"hint":"How was it?","merge_to_prev":false,"full_conversation":false,"num_stars":4,"explanation":"4 is best"}}`, "How was it?\n1 · 2 · 3 · 4\n4 is best", chat.Rating},
	{`{"type":"text_feedback","payload":{"hint":"Tell us more","placeholder":"type here"}}`, "Tell us more", chat.Feedback},
	{`{"type":"tool_use","payload":{"id":"t1","name":"get_order","args":{"number":"A-1"}}}`, "", chat.ToolUse},
	{`{"type":"tool_result","payload":{"id":"t1","name":"get_order","result":"shipped"}}`, "", chat.ToolResult},
	{`{"type":"gtm_tag","payload":{"event":"lead"}}`, "", "gtm_tag"},
	{`{"type":"close_conversation","payload":{}}`, "", "close_conversation"},
	{`{"type":"my_frame","payload":[1,2.50],"fsm_definition":4}`, "", "my_frame"},
	{`{"type":"buttons","payload":{"content":"Pick","buttons":[{"title":"A"}]}}`, "Pick\n1. A", chat.Buttons},
	{`{"type":"buttons","payload":[{"id":"a","text":"A"},{"id":2}]}`, "1. A\n2. 2", chat.Buttons},
	{`{"type":"buttons","payload":{"content":"Pick","buttons":[{"id":1,"text":"One"},{"title":"Two","payload":"2"},{"text":"Site","url":"https://e.example"}]}}`, "Pick\n1. One\n2. Two\n3. Site: https://e.example", chat.Buttons},
	{`{"type":"quick_replies","payload":{"content":"Sure?","buttons":[{"title":"Yes","payload":"y"}]}}`, "Sure?\n1. Yes", chat.QuickReplies},
	{`{"type":"quick_replies","payload":[]}`, "", chat.Unsupported},
	{`{"type":"buttons","payload":{"buttons":"none"}}`, "", chat.Unsupported},
	{`{"type":"image","payload":{"file":"somebody else's","url":"https://cdn.example/b.png"}}`, "https://cdn.example/b.png", chat.Image},
	{`{"type":"card","payload":7}`, "", chat.Unsupported},
}

func TestExamples(t *testing.T) {
	for _, c := range examples {
		var l Layer
		if err := json.Unmarshal([]byte(c.layer), &l); err != nil {
			t.Fatal(err)
		}
		m, err := Message([]Layer{l})
		if err != nil {
			t.Errorf("%s: %v", c.layer, err)
			continue
		}
		if m.Stack[0].Type != c.kind {
			t.Errorf("%s became %s, want %s", c.layer, m.Stack[0].Type, c.kind)
		}
		if got := plain(m); got != c.text {
			t.Errorf("%s reads %q, want %q", c.layer, got, c.text)
		}
		same(t, l, Layers(stored(t, m))[0])
		if id := fileOf(m.Stack[0]); id != "" {
			t.Errorf("%s names file %s of the store", c.layer, id)
		}
	}
}

// plain is what a platform of texts shows.
func plain(m chat.Message) string {
	parts, _, _ := fit.Fit(m, connector.Traits{}, fit.Options{})
	var lines []string
	for _, p := range parts {
		for _, e := range p.Elements {
			lines = append(lines, (&chat.Message{Stack: []chat.Element{e}}).Text())
		}
	}
	return strings.Join(lines, "\n")
}

// stored takes a message through the log and back.
func stored(t interface{ Fatal(...any) }, m chat.Message) chat.Message {
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var back chat.Message
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

func same(t interface{ Errorf(string, ...any) }, want, got Layer) {
	a, b := value(want), value(got)
	if !reflect.DeepEqual(a, b) {
		t.Errorf("layer %v came back as %v", a, b)
	}
}

// value reads a layer as JSON, with its numbers as they are written; a payload that is missing is null.
func value(l Layer) any {
	dec := json.NewDecoder(bytes.NewReader(encoded(l)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		panic(err)
	}
	return v
}

// What never was a layer becomes one that the widget draws.
func TestOurElements(t *testing.T) {
	for _, c := range []struct {
		element chat.Element
		want    string
	}{
		{chat.Plain("hi"), `[{"type":"message","payload":{"content":"hi"},"streaming":false}]`},
		{chat.NewElement(chat.Text, chat.TextPayload{Content: "a😀b link", Spans: []chat.Span{
			{Type: "bold", Offset: 0, Length: 4}, {Type: "italic", Offset: 3, Length: 1}, {Type: "link", Offset: 5, Length: 4, URL: "https://e.example"},
		}}), `[{"type":"message","payload":{"content":"**a😀_b_** [link](https://e.example)"},"streaming":false}]`},
		{
			chat.NewElement(chat.Buttons, chat.ButtonsPayload{Content: "Pick", Buttons: []chat.Button{{Title: "A"}, {Title: "B", URL: "https://e.example"}}}),
			`[{"type":"message","payload":{"content":"Pick\n1. A\n2. B: https://e.example"},"streaming":false}]`,
		},
		{
			chat.NewElement(chat.Card, chat.CardPayload{Title: "T", Subtitle: "s", Image: "https://e.example/i.png"}),
			`[{"type":"message","payload":{"content":"![image](https://e.example/i.png)"},"streaming":false},{"type":"message","payload":{"content":"T\ns"},"streaming":false}]`,
		},
		{
			chat.NewElement(chat.File, chat.Media{URL: "https://e.example/f", Name: "f.pdf", Caption: "c"}),
			`[{"type":"file_download","payload":{"content":"c","name":"f.pdf","url":"https://e.example/f"},"streaming":false}]`,
		},
		{chat.NewElement(chat.Rating, chat.RatingPayload{Content: "How?", Value: 4, Max: 5}), `[{"type":"message","payload":{"content":"How?\n4/5"},"streaming":false}]`},
		{
			chat.NewElement(chat.Feedback, chat.RatingPayload{Content: "Say"}),
			`[{"type":"text_feedback","payload":{"full_conversation":false,"hint":"Say","merge_to_prev":false,"placeholder":""},"streaming":false}]`,
		},
		{chat.Element{Type: "odd", Payload: json.RawMessage(`{"a":1}`)}, `[{"type":"odd","payload":{"a":1},"streaming":false}]`},
	} {
		var got bytes.Buffer
		enc := json.NewEncoder(&got)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(Layers(chat.Message{Stack: []chat.Element{c.element}})); err != nil || strings.TrimSpace(got.String()) != c.want {
			t.Errorf("%s:\n%s%s, %v", c.element.Type, got.String(), c.want, err)
		}
	}
}

// Every element of the vocabulary has at least one layer.
func TestNothingVanishes(t *testing.T) {
	for kind, payload := range payloads {
		if got := Layers(chat.Message{Stack: []chat.Element{chat.NewElement(kind, payload())}}); len(got) == 0 {
			t.Errorf("%s has no layer", kind)
		}
	}
}

func TestWithLinks(t *testing.T) {
	link := func(id chat.FileID) string { return "https://hub.example/files/" + string(id) }
	m, err := Message([]Layer{{Type: TypeFileUploaded, Payload: json.RawMessage(`{"s3_path":"p","name":"n"}`)}})
	if err != nil {
		t.Fatal(err)
	}
	fields, _ := object(m.Stack[0].Payload)
	fields["file"] = encoded("f1")
	m.Stack[0].Payload = encoded(fields)
	m.Stack = append(m.Stack, chat.NewElement(chat.Image, chat.Media{File: "f2"}), chat.Plain("x"))
	got := Layers(WithLinks(m, link))
	if string(got[0].Payload) != `{"name":"n","s3_path":"p","url":"https://hub.example/files/f1"}` {
		t.Errorf("uploaded: %s", got[0].Payload)
	}
	if string(got[1].Payload) != `{"content":"![image](https://hub.example/files/f2)"}` {
		t.Errorf("image: %s", got[1].Payload)
	}
	if strings.Contains(string(m.Stack[1].Payload), "hub.example") {
		t.Error("the message itself was changed")
	}
}

func TestBad(t *testing.T) {
	deep := json.RawMessage(strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1))
	big := encoded(strings.Repeat("x", MaxBytes))
	for name, stack := range map[string][]Layer{
		"no type":      {{}},
		"long type":    {{Type: strings.Repeat("x", maxName+1)}},
		"long id":      {{Type: "message", ID: strings.Repeat("x", maxName+1)}},
		"definition":   {{Type: "message", FSMDefinition: map[string]any{}}},
		"deep":         {{Type: "message", Payload: deep}},
		"deep state":   {{Type: "message", State: deep}},
		"no JSON":      {{Type: "message", Meta: json.RawMessage(`{`)}},
		"large":        {{Type: "message", Payload: big}},
		"large in all": {{Type: "message", Payload: big[:0]}, {Type: "x", Payload: big}},
		"many":         make([]Layer, MaxLayers+1),
	} {
		if _, err := Message(stack); chat.CodeOf(err) != chat.CodeInvalid && chat.CodeOf(err) != chat.CodeTooLarge {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRoundTrip: any stack comes back as it was, through the log too.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stack := rapid.SliceOfN(rapid.Custom(anyLayer), 0, 5).Draw(t, "stack")
		m, err := Message(stack)
		if err != nil {
			t.Fatal(err)
		}
		got := Layers(stored(t, m))
		if len(got) != len(stack) {
			t.Fatalf("%d layers came back as %d", len(stack), len(got))
		}
		for i := range stack {
			same(t, stack[i], got[i])
		}
	})
}

func anyLayer(t *rapid.T) Layer {
	names := []string{"odd", "chatfaq"}
	for name := range translations {
		names = append(names, name)
	}
	for kind := range payloads {
		names = append(names, string(kind))
	}
	slices.Sort(names)
	l := Layer{Type: rapid.SampledFrom(names).Draw(t, "type"), Streaming: rapid.Bool().Draw(t, "streaming")}
	l.Payload = encoded(anyValue(3).Draw(t, "payload"))
	if rapid.Bool().Draw(t, "more") {
		l.Meta, l.State = encoded(anyValue(1).Draw(t, "meta")), encoded(anyValue(1).Draw(t, "state"))
		l.FSMDefinition, l.ID = "f", rapid.StringN(0, 5, -1).Draw(t, "id")
	}
	return l
}

func anyValue(deep int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.StringN(0, 6, -1).AsAny(), rapid.Int64().AsAny(),
	}
	if deep == 0 {
		return rapid.OneOf(leaves...)
	}
	keys := rapid.SampledFrom([]string{"content", "spans", "chatfaq", "name", "url", "files", "hint", "num_stars", "file", "buttons", "type", "odd"})
	return rapid.OneOf(append(leaves,
		rapid.MapOfN(keys, anyValue(deep-1), 0, 4).AsAny(), rapid.SliceOfN(anyValue(deep-1), 0, 3).AsAny())...)
}

func FuzzLayers(f *testing.F) {
	for _, c := range examples {
		f.Add([]byte("[" + c.layer + "]"))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var stack []Layer
		if json.Unmarshal(raw, &stack) != nil {
			return
		}
		m, err := Message(stack)
		if err != nil {
			return
		}
		got := Layers(stored(t, m))
		if len(got) != len(stack) {
			t.Fatalf("%d layers came back as %d", len(stack), len(got))
		}
		for i := range stack {
			if len(stack[i].Payload) == 0 {
				stack[i].Payload = json.RawMessage("null")
			}
			same(t, stack[i], got[i])
		}
	})
}
