package knowledge

import (
	"fmt"
	"strings"
	"testing"
)

var usual = Columns{0, 1, 2, 3, 4, 5}

func TestTable(t *testing.T) {
	for _, c := range []struct {
		name    string
		header  bool
		columns Columns
		content string
		want    string // the items, or a part of the error
	}{
		{"as usual", true, usual, "title,content,url,section,role,page_number\nA,one,https://e.example,s,r,7\n", "A|one|https://e.example|s|r|7"},
		{"without a header", false, usual, "A,one\nB,two\n", "A|one||||0 B|two||||0"},
		{"only a header", true, usual, "A,one\n", ""},
		{"columns elsewhere", false, Columns{2, 0, 1, 9, 9, 9}, "one,https://e.example,A\n", "A|one|https://e.example|||0"},
		{"empty rows", false, usual, "A,one\n,,\n\nB,two\n", "A|one||||0 B|two||||0"},
		{"semicolons, quotes and a mark", false, usual, "\ufeffA;\"o;n\ne\"\n", "A|o;n\ne||||0"},
		{"a page that is none", false, usual, "A,one,,,,vii\n", "A|one||||0"},
		{"no content", true, usual, "title,content\nA,one\nB\n", "line 3: content: there is none"},
		{"a quote that stays open", false, usual, "A,\"one\n", "this is no table"},
		{"no text", false, usual, "A,\xff\n", "not UTF-8"},
		{"a column that cannot be", false, Columns{-1, 1, 2, 3, 4, 5}, "A,one\n", "columns: 0 to 49"},
		{"a page beyond all books", false, usual, "A,one,,,,99999999\n", "line 1: page_number"},
	} {
		items, err := Table{c.header, c.columns, []byte(c.content)}.Read()
		var got []string
		for _, k := range items {
			got = append(got, fmt.Sprintf("%s|%s|%s|%s|%s|%d", k.Title, k.Content, k.URL, k.Section, k.Role, k.PageNumber))
		}
		if text := strings.Join(got, " "); err == nil && text != c.want || err != nil && (c.want == "" || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %q, %v", c.name, text, err)
		}
	}
	if _, err := (Table{false, usual, make([]byte, MaxDocument+1)}).Read(); err == nil {
		t.Error("a table that is too large was read")
	}
}

// FuzzTable: whatever is uploaded is read or refused, and each item has a content.
func FuzzTable(f *testing.F) {
	f.Add([]byte("a,b\n\"c\nd\",e\n"), true, 1)
	f.Fuzz(func(t *testing.T, content []byte, header bool, text int) {
		columns := usual
		columns.Text = text
		items, err := Table{header, columns, content}.Read()
		for _, k := range items {
			if err != nil || strings.TrimSpace(k.Content) == "" {
				t.Errorf("%+v, %v", k, err)
			}
		}
	})
}
