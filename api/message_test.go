package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestMessages names, for each wrong body, the path that the answer points to; "" is a good one.
func TestMessages(t *testing.T) {
	long := strings.Repeat("x", maxText+1)
	many := func(n int, s string) string { return strings.TrimSuffix(strings.Repeat(s+",", n), ",") }
	for _, c := range []struct{ stack, path string }{
		{`{"type":"text","payload":{"content":"é","spans":[{"type":"bold","offset":0,"length":1}]}}`, ""},
		{`{"type":"text","payload":{"content":"😀","spans":[{"type":"bold","offset":0,"length":2}]}}`, ""},
		{`{"type":"text","payload":{"content":"é","spans":[{"type":"bold","offset":0,"length":2}]}}`, ".payload.spans[0]"},
		{`{"type":"text","payload":{"content":"é","spans":[{"type":"bold","offset":9223372036854775807,"length":1}]}}`, ".payload.spans[0]"},
		{`{"type":"text","payload":{"content":" "}}`, ".payload.content"},
		{`{"type":"text","payload":{"content":"` + long + `"}}`, ".payload.content"},
		{`{"type":"text","payload":{"content":"a\u0000b"}}`, ".payload"},
		{`{"type":"text","payload":{"content":"x","colour":"red"}}`, ".payload"},
		{`{"type":"text","payload":["x"]}`, ".payload"},
		{`{"type":"text"}`, ".payload"},
		{`{"type":"choice","payload":{"payload":"x"}}`, ".type"},
		{`{"type":"unsupported","payload":{"what":"x"}}`, ".type"},
		{`{"type":"image","payload":{"url":"https://x.example/a.png","caption":"c"}}`, ""},
		{`{"type":"image","payload":{"url":"javascript:alert(1)"}}`, ".payload.url"},
		{`{"type":"image","payload":{"url":"file:///etc/passwd"}}`, ".payload.url"},
		{`{"type":"image","payload":{}}`, ".payload"},
		{`{"type":"image","payload":{"file":"f","url":"https://x.example"}}`, ".payload"},
		{`{"type":"image","payload":{"url":"https://x.example","source":{"id":"1"}}}`, ".payload.source"},
		{`{"type":"image","payload":{"url":"https://x.example","size":-1}}`, ".payload"},
		{`{"type":"location","payload":{"latitude":90.1,"longitude":0}}`, ".payload.latitude"},
		{`{"type":"location","payload":{"latitude":0,"longitude":-181}}`, ".payload.longitude"},
		{`{"type":"contact","payload":{"name":"","phones":["1"]}}`, ".payload.name"},
		{`{"type":"buttons","payload":{"content":"x","buttons":[]}}`, ".payload.buttons"},
		{`{"type":"buttons","payload":{"buttons":[{"title":"a"},{"title":""}]}}`, ".payload.buttons[1].title"},
		{`{"type":"buttons","payload":{"buttons":[{"title":"a","request":"money"}]}}`, ".payload.buttons[0].request"},
		{`{"type":"quick_replies","payload":{"buttons":[` + many(101, `{"title":"a"}`) + `]}}`, ".payload.buttons"},
		{`{"type":"card","payload":{"title":"a","image":"ftp://x"}}`, ".payload.image"},
		{`{"type":"carousel","payload":{"cards":[{"title":"a"},{"title":"b","url":"x"}]}}`, ".payload.cards[1].url"},
		{`{"type":"carousel","payload":{"cards":[]}}`, ".payload.cards"},
		{`{"type":"template","payload":{"name":"a"}}`, ".payload.language"},
		{`{"type":"poll","payload":{"question":"a","options":["b"]}}`, ".payload.options"},
		{`{"type":"rating","payload":{"max":101}}`, ".payload"},
		{`{"type":"file_upload","payload":{"anything":{"goes":[1]}}}`, ""},
		{`{"type":"tool_result","payload":[]}`, ".payload"},
	} {
		var in MessageInput
		if err := json.Unmarshal([]byte(`{"stack":[`+c.stack+`]}`), &in); err != nil {
			t.Fatal(err)
		}
		_, _, problems := in.read()
		switch {
		case c.path == "" && len(problems) > 0:
			t.Errorf("%.80s: %v", c.stack, problems)
		case c.path != "" && (len(problems) != 1 || problems[0].Path != "body.stack[0]"+c.path):
			t.Errorf("%.80s: %v, want one at %s", c.stack, problems, c.path)
		}
	}
	for _, body := range []string{
		`{}`, `{"text":"a","stack":[{"type":"text","payload":{"content":"x"}}]}`, `{"text":"` + long + `"}`,
		fmt.Sprintf(`{"stack":[%s]}`, many(101, `{"type":"text","payload":{"content":"x"}}`)),
	} {
		var in MessageInput
		if err := json.Unmarshal([]byte(body), &in); err != nil {
			t.Fatal(err)
		}
		if _, _, problems := in.read(); len(problems) != 1 {
			t.Errorf("%.60s: %v", body, problems)
		}
	}
}
