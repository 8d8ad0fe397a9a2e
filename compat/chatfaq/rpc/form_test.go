package rpc

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
)

// FuzzForm: whatever body comes is read within its bounds, or refused.
func FuzzForm(f *testing.F) {
	const kind = "multipart/form-data; boundary=b"
	f.Add(kind, "--b\r\nContent-Disposition: form-data; name=\"original_csv\"; filename=\"a.csv\"\r\n\r\na,b\r\n--b\r\nContent-Disposition: form-data; name=\"parser\"\r\n\r\np1\r\n--b--\r\n")
	f.Add(kind, "--b\r\nContent-Disposition: form-data; name=\"knowledge_base\"\r\n\r\nk")
	f.Add("application/json", `{"knowledge_base":7,"parser":null,"csv_header":false,"original_url":"https://shop.example"}`)
	f.Add("", `{"original_csv":"a"}`)
	f.Fuzz(func(t *testing.T, kind, body string) {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		const most = 100
		form, err := readForm(r, most)
		if err != nil {
			return
		}
		for name, file := range form.files {
			if len(file.content) > most {
				t.Errorf("%q has %d bytes", name, len(file.content))
			}
		}
		_ = checkSource(form)
	})
}

// TestFormBounds: what is kept in memory of a form is bounded, whatever its files are called and however many there are.
func TestFormBounds(t *testing.T) {
	const most = 1 << 20
	file := strings.Repeat("x", most)
	long := strings.Repeat("n", maxFileName+1)
	for name, c := range map[string]struct {
		form files
		want chat.Code
	}{
		"two files":       {files{"a:a.csv": file, "b:b.pdf": file}, ""},
		"many files":      {files{"a:a.csv": file, "b:b.pdf": file, "c:c": file, "d:d": file}, chat.CodeTooLarge},
		"a large file":    {files{"a:a.csv": file + "x"}, chat.CodeTooLarge},
		"a long name":     {files{"a:" + long: "x"}, chat.CodeInvalid},
		"a longest name":  {files{"a:" + long[1:]: "x"}, ""},
		"a longest field": {files{"a": strings.Repeat("x", maxField)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var body bytes.Buffer
			kind := c.form.write(&world{t: t}, &body)
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/", &body)
			r.Header.Set("Content-Type", kind)
			if _, err := readForm(r, most); chat.CodeOf(err) != c.want {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
