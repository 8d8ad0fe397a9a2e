package rpc

import (
	"net/http/httptest"
	"strings"
	"testing"
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
