package api_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/store/storetest"
)

const faqTable = "title,content,url,page_number\nReset,Press the button for ten seconds.,https://e.example/reset,3\nÜber uns,Wir sind drei.,,\n"

// knowledgeScenes are played in order, on one world. {first} is the id of the table's first item.
var knowledgeScenes = []scene{
	{"search in no base", "GET", "/v1/knowledge-bases/faq/search?q=x", "read", "", "", 404, `{"code":"not_found"}`, 0},
	{"make a base", "PUT", "/v1/knowledge-bases/faq", "flows", "", "", 200, `{"name":"faq","items":0}`, 0},
	{"in a language", "PUT", "/v1/knowledge-bases/faq", "flows", "", `{"language":"en"}`, 200, `{"language":"en"}`, 0},
	{"in no language", "PUT", "/v1/knowledge-bases/faq", "flows", "", `{"language":"xx"}`, 422, `{"code":"invalid"}`, 0},
	{"a bad name", "PUT", "/v1/knowledge-bases/%20faq", "flows", "", "", 422, `{"code":"invalid"}`, 0},
	{"without the scope", "PUT", "/v1/knowledge-bases/other", "read", "", "", 403, `{"code":"forbidden"}`, 0},
	{"a name with blanks", "PUT", "/v1/knowledge-bases/Ünser%20Wissen", "flows", "", "", 200, `{"name":"Ünser Wissen"}`, 0},
	{"list", "GET", "/v1/knowledge-bases?limit=1&cursor=a", "read", "", "", 200, `{"items":[{"name":"faq"}],"next":"faq"}`, 0},
	{"next page", "GET", "/v1/knowledge-bases?cursor=faq", "read", "", "", 200, `{"items":[{"name":"Ünser Wissen"}]}`, 0},

	{"upload", "POST", "/v1/knowledge-bases/faq/documents?document=faq.csv", "flows", "Content-Type: text/csv", faqTable, 201, `{"name":"faq.csv","format":"csv","items":2}`, 0},
	{"upload again", "POST", "/v1/knowledge-bases/faq/documents?document=faq.csv", "flows", "Content-Type: text/csv", faqTable, 201, `{"items":2}`, 0},
	{"upload Markdown", "POST", "/v1/knowledge-bases/faq/documents?document=m.md&url=https://e.example/m", "flows", "Content-Type: application/octet-stream", "# Lights\nRed is bad.", 201, `{"format":"markdown","items":1}`, 0},
	{"upload what is no table", "POST", "/v1/knowledge-bases/faq/documents?document=faq.csv", "flows", "Content-Type: text/csv", "a,b", 422, `{"code":"invalid"}`, 0},
	{"upload without a name", "POST", "/v1/knowledge-bases/faq/documents", "flows", "Content-Type: text/csv", faqTable, 422, `{"code":"invalid"}`, 0},
	{"upload of no format", "POST", "/v1/knowledge-bases/faq/documents?document=a.pdf", "flows", "Content-Type: application/pdf", "%PDF", 422, `{"code":"invalid"}`, 0},
	{"upload with an unknown query", "POST", "/v1/knowledge-bases/faq/documents?name=a.csv", "flows", "Content-Type: text/csv", faqTable, 422, `{"code":"invalid","errors":[{"path":"query.name"}]}`, 0},
	{"upload to no base", "POST", "/v1/knowledge-bases/none/documents?document=faq.csv", "flows", "Content-Type: text/csv", faqTable, 404, `{"code":"not_found"}`, 0},
	{"upload without the scope", "POST", "/v1/knowledge-bases/faq/documents?document=faq.csv", "write", "Content-Type: text/csv", faqTable, 403, `{"code":"forbidden"}`, 0},
	{"upload too much", "POST", "/v1/knowledge-bases/faq/documents?document=a.txt", "flows", "Content-Type: text/plain", strings.Repeat("x", 10<<20+1), 413, `{"code":"too_large"}`, 0},
	{"upload far too much", "POST", "/v1/knowledge-bases/faq/documents?document=a.txt", "flows", "Content-Type: text/plain", strings.Repeat("x", 11<<20), 413, `{"code":"too_large"}`, 0},
	{"documents", "GET", "/v1/knowledge-bases/faq/documents", "read", "", "", 200, `{"items":[{"name":"faq.csv","items":2},{"name":"m.md","url":"https://e.example/m"}]}`, 0},

	{"search", "GET", "/v1/knowledge-bases/faq/search?q=reset", "read", "", "", 200, `{"items":[{"title":"Reset","similarity":1,"url":"https://e.example/reset","page_number":3,"metadata":{}}]}`, 0},
	{"search without accents", "GET", "/v1/knowledge-bases/faq/search?q=UBER+uns&top_k=1", "read", "", "", 200, `{"items":[{"title":"Über uns","similarity":1}]}`, 0},
	{"search by another ending", "GET", "/v1/knowledge-bases/faq/search?q=buttons", "read", "", "", 200, `{"items":[{"title":"Reset"}]}`, 0},
	{"search in Markdown", "GET", "/v1/knowledge-bases/faq/search?q=red+li", "read", "", "", 200, `{"items":[{"title":"Lights","url":"https://e.example/m#lights"}]}`, 0},
	{"search for nothing", "GET", "/v1/knowledge-bases/faq/search?q=%22%27%29", "read", "", "", 200, `{"items":[]}`, 0},
	{"search without a query", "GET", "/v1/knowledge-bases/faq/search", "read", "", "", 422, `{"code":"invalid"}`, 0},
	{"search for too many", "GET", "/v1/knowledge-bases/faq/search?q=x&top_k=51", "read", "", "", 422, `{"code":"invalid"}`, 0},
	{"another language with items", "PUT", "/v1/knowledge-bases/faq", "flows", "", `{"language":"de"}`, 409, `{"code":"conflict"}`, 0},

	{"items", "GET", "/v1/knowledge-bases/faq/items?document=faq.csv&limit=1", "read", "", "", 200, `{"items":[{"title":"Reset"}],"next":"{first}"}`, 0},
	{"items of a cursor", "GET", "/v1/knowledge-bases/faq/items?document=faq.csv&cursor={first}", "read", "", "", 200, `{"items":[{"title":"Über uns"}]}`, 0},
	{"items of a bad cursor", "GET", "/v1/knowledge-bases/faq/items?cursor=x", "read", "", "", 422, `{"code":"invalid"}`, 0},
	{"make an item", "POST", "/v1/knowledge-bases/faq/items", "flows", "", `{"title":"T","content":"zebra","metadata":{"a":[1]}}`, 201, `{"title":"T","metadata":{"a":[1]}}`, 0},
	{"make an item of nothing", "POST", "/v1/knowledge-bases/faq/items", "flows", "", `{"content":" "}`, 422, `{"code":"invalid"}`, 0},
	{"make an item with bad metadata", "POST", "/v1/knowledge-bases/faq/items", "flows", "", `{"content":"x","metadata":[]}`, 422, `{"code":"invalid"}`, 0},
	{"read an item", "GET", "/v1/knowledge-bases/faq/items/{first}", "read", "", "", 200, `{"title":"Reset","document":"faq.csv"}`, 0},
	{"read it in another base", "GET", "/v1/knowledge-bases/Ünser%20Wissen/items/{first}", "read", "", "", 404, `{"code":"not_found"}`, 0},
	{"change it", "PATCH", "/v1/knowledge-bases/faq/items/{first}", "flows", "", `{"title":"Zero","page_number":0}`, 200, `{"title":"Zero","content":"Press the button for ten seconds."}`, 0},
	{"change it in another base", "PATCH", "/v1/knowledge-bases/Ünser%20Wissen/items/{first}", "flows", "", `{"title":"x"}`, 404, `{"code":"not_found"}`, 0},
	{"delete it in another base", "DELETE", "/v1/knowledge-bases/Ünser%20Wissen/items/{first}", "flows", "", "", 404, `{"code":"not_found"}`, 0},
	{"delete it", "DELETE", "/v1/knowledge-bases/faq/items/{first}", "flows", "", "", 204, "", 0},
	{"read it once more", "GET", "/v1/knowledge-bases/faq/items/{first}", "read", "", "", 404, `{"code":"not_found"}`, 0},
	{"delete a document", "DELETE", "/v1/knowledge-bases/faq/documents/m.md", "flows", "", "", 204, "", 0},
	{"delete it again", "DELETE", "/v1/knowledge-bases/faq/documents/m.md", "flows", "", "", 404, `{"code":"not_found"}`, 0},
	{"what is left", "GET", "/v1/knowledge-bases/faq", "read", "", "", 200, `{"items":2}`, 0},
	{"delete the base", "DELETE", "/v1/knowledge-bases/faq", "flows", "", "", 204, "", 0},
	{"delete it again", "DELETE", "/v1/knowledge-bases/faq", "flows", "", "", 404, `{"code":"not_found"}`, 0},

	{"prompt", "PUT", "/v1/prompts/greeting", "flows", "", `{"prompt":"Be kind."}`, 200, `{"name":"greeting","prompt":"Be kind."}`, 0},
	{"prompt again", "PUT", "/v1/prompts/greeting", "flows", "", `{"prompt":"Be brief."}`, 200, `{"prompt":"Be brief."}`, 0},
	{"empty prompt", "PUT", "/v1/prompts/greeting", "flows", "", `{"prompt":""}`, 422, `{"code":"invalid"}`, 0},
	{"prompt without the scope", "PUT", "/v1/prompts/greeting", "write", "", `{"prompt":"x"}`, 403, `{"code":"forbidden"}`, 0},
	{"read a prompt", "GET", "/v1/prompts/greeting", "read", "", "", 200, `{"prompt":"Be brief."}`, 0},
	{"prompts", "GET", "/v1/prompts", "read", "", "", 200, `{"items":[{"name":"greeting"}]}`, 0},
	{"delete a prompt", "DELETE", "/v1/prompts/greeting", "flows", "", "", 204, "", 0},
	{"read it again", "GET", "/v1/prompts/greeting", "read", "", "", 404, `{"code":"not_found"}`, 0},
}

func TestKnowledge(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { playKnowledge(t, newWorld(t)) })
	t.Run("postgres", func(t *testing.T) { playKnowledge(t, newWorldOn(t, storetest.Postgres(t))) })
}

func playKnowledge(t *testing.T, w *world) {
	names := strings.NewReplacer("{first}", "3") // the table was uploaded twice: its first item is the third that was made
	for _, s := range knowledgeScenes {
		t.Run(s.name, func(t *testing.T) { w.play(t, s, names) })
	}
}

// TestKnowledgeOfOthers: nobody reaches another workspace's.
func TestKnowledgeOfOthers(t *testing.T) {
	w := newWorld(t)
	w.ok("PUT", "/v1/knowledge-bases/faq", "admin", "")
	id := w.ok("POST", "/v1/knowledge-bases/faq/items", "admin", `{"content":"zebra"}`).at(t, "id")
	w.ok("PUT", "/v1/prompts/p", "admin", `{"prompt":"x"}`)
	w.ok("PUT", "/v1/knowledge-bases/theirs", "other", "")
	for _, path := range []string{
		"GET /v1/knowledge-bases/faq", "DELETE /v1/knowledge-bases/faq", "GET /v1/knowledge-bases/faq/search?q=zebra", "GET /v1/knowledge-bases/faq/items",
		"GET /v1/knowledge-bases/faq/items/" + id, "GET /v1/knowledge-bases/theirs/items/" + id, "DELETE /v1/knowledge-bases/theirs/items/" + id,
		"GET /v1/knowledge-bases/faq/documents", "DELETE /v1/knowledge-bases/faq/documents/x", "GET /v1/prompts/p", "DELETE /v1/prompts/p",
	} {
		method, where, _ := strings.Cut(path, " ")
		if got := w.call(method, where, "other", ""); got.status != 404 {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	for _, path := range []string{"/v1/knowledge-bases", "/v1/prompts"} {
		if got := w.ok("GET", path, "other", ""); strings.Contains(got.body, `"faq"`) || strings.Contains(got.body, `"p"`) {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	if got := w.ok("GET", "/v1/knowledge-bases/theirs/search?q=zebra", "other", ""); got.body != "{\"items\":[]}\n" {
		t.Error(got.body)
	}
}

func TestUploadedForm(t *testing.T) {
	w := newWorld(t)
	w.ok("PUT", "/v1/knowledge-bases/faq", "flows", "")
	form := func(name string) (string, string) {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		w.must(m.WriteField("note", "x"))
		part, err := m.CreateFormFile("file", name)
		w.must(err)
		_, err = part.Write([]byte("content\nzebra\n"))
		w.must(err)
		w.must(m.Close())
		return b.String(), "Content-Type: " + m.FormDataContentType()
	}
	body, mime := form("animals.csv")
	if got := w.ok("POST", "/v1/knowledge-bases/faq/documents", "flows", body, mime); got.at(t, "name") != "animals.csv" || got.at(t, "items") != "1" {
		t.Error(got.body)
	}
	if got := w.call("POST", "/v1/knowledge-bases/faq/documents", "flows", body[:len(body)/2], mime); got.status < 400 || got.status > 499 {
		t.Errorf("half a form: %d %s", got.status, got.body)
	}
	if got := w.ok("POST", "/v1/knowledge-bases/faq/documents?document=other&format=text", "flows", body, mime); got.at(t, "format") != "text" || got.at(t, "name") != "other" {
		t.Error(got.body)
	}
}

// TestUploadedOnce: the same key and upload gives the first answer, another upload with the key is refused.
func TestUploadedOnce(t *testing.T) {
	w := newWorld(t)
	w.ok("PUT", "/v1/knowledge-bases/faq", "flows", "")
	post := func(body string) answer {
		return w.call("POST", "/v1/knowledge-bases/faq/documents?document=a.csv", "flows", body, "Content-Type: text/csv", "Idempotency-Key: k1")
	}
	first := post(faqTable)
	w.ok("DELETE", "/v1/knowledge-bases/faq/documents/a.csv", "flows", "")
	again := post(faqTable)
	if first.status != 201 || again.status != 201 || again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%d %s, then %d %s", first.status, first.body, again.status, again.body)
	}
	if got := w.ok("GET", "/v1/knowledge-bases/faq", "read", ""); got.at(t, "items") != "0" {
		t.Error("it was done twice:", got.body)
	}
	if got := post("content\nother\n"); got.status != 422 || got.at(t, "code") != "idempotency_mismatch" {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestFullBase uploads as much as a base can have, and one item more.
func TestFullBase(t *testing.T) {
	w := newWorld(t)
	w.ok("PUT", "/v1/knowledge-bases/b", "flows", "")
	var b strings.Builder
	b.WriteString("content\n")
	for i := range 50_000 {
		fmt.Fprintf(&b, "row %d\n", i)
	}
	if got := w.ok("POST", "/v1/knowledge-bases/b/documents?document=a.csv", "flows", b.String(), "Content-Type: text/csv"); got.at(t, "items") != "50000" {
		t.Error(got.body)
	}
	if got := w.call("POST", "/v1/knowledge-bases/b/items", "flows", `{"content":"one more"}`); got.status != 413 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := w.ok("GET", "/v1/knowledge-bases/b/search?q=row+49999", "read", ""); got.at(t, "items", 0, "content") != "row 49999" {
		t.Error(got.body)
	}
}
