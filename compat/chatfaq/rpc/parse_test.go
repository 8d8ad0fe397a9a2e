package rpc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/dragoman-hub/dragoman/blob"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/knowledge"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

// reading is a world with a knowledge base and a place for files.
func reading(t *testing.T, dsn string) *world {
	t.Helper()
	blobs, err := blob.Dir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = blobs.Close() })
	w := newWorldOn(t, dsn, func(o *Options) {
		o.Knowledge, o.Blobs = knowledge.New(o.Store), blobs
		o.Link = func(_ chat.WorkspaceID, id chat.FileID) string { return "https://hub.example/files/" + string(id) }
	})
	_, err = w.store.PutKnowledgeBase(t.Context(), w.ws, "k", "en")
	w.must(err)
	return w
}

// object is a JSON object.
type object = map[string]any

// call makes a call below language-model and gives the status and the answer. A body that is an object goes as JSON, a form as it is.
func (w *world) call(method, path string, body any) (int, object) {
	w.t.Helper()
	var in bytes.Buffer
	kind := "application/json"
	switch body := body.(type) {
	case object:
		w.must(json.NewEncoder(&in).Encode(body))
	case files:
		kind = body.write(w, &in)
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.http.URL+"/back/api/language-model/"+path, &in)
	w.must(err)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Authorization", "Token "+w.token)
	res, err := http.DefaultClient.Do(r)
	w.must(err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	w.must(err)
	var out object
	if json.Unmarshal(raw, &out) != nil {
		w.t.Fatalf("%s %s: %d %s", method, path, res.StatusCode, raw)
	}
	return res.StatusCode, out
}

// files are the parts of a form; a name with a colon is a file, its name behind the colon.
type files map[string]string

func (f files) write(w *world, out io.Writer) (kind string) {
	form := multipart.NewWriter(out)
	for name, content := range f {
		field, file, isFile := strings.Cut(name, ":")
		var part io.Writer
		var err error
		if isFile {
			part, err = form.CreateFormFile(field, file)
		} else {
			part, err = form.CreateFormField(field)
		}
		w.must(err)
		_, err = io.WriteString(part, content)
		w.must(err)
	}
	w.must(form.Close())
	return form.FormDataContentType()
}

func (w *world) parser(names string) *websocket.Conn {
	w.t.Helper()
	conn := w.dial("/back/ws/broker/parse/")
	put(w.t, conn, `{"type":"register_parsers","data":{"parsers":[`+names+`]}}`)
	put(w.t, conn, `{"type":"zzz","data":{}}`) // its answer tells that the names are known
	if got := get(w.t, conn); !strings.Contains(got, "is not a valid choice") {
		w.t.Fatal(got)
	}
	return conn
}

// given reads what a parser is told.
func given(t *testing.T, conn *websocket.Conn) (in struct {
	Type    string
	Payload struct {
		Base   int64  `json:"kb_id"`
		Source int64  `json:"ds_id"`
		Task   string `json:"task_id"`
		CSV    string
		PDF    *string
		URL    *string
	}
},
) {
	t.Helper()
	got := get(t, conn)
	if err := json.Unmarshal([]byte(got), &in); err != nil {
		t.Fatal(got, err)
	}
	return in
}

func (w *world) stands(id any) string {
	w.t.Helper()
	_, x := w.call("GET", fmt.Sprintf("data-sources/%.0f/", id), nil)
	return fmt.Sprint(x["status"])
}

// TestParse: a parser is given a source, makes items of it, and says that it is done; one that goes has failed, one that comes back with
// the end of its task has not.
func TestParse(t *testing.T) {
	w := reading(t, storetest.SQLite(t))
	if status, x := w.call("POST", "data-sources/", object{"knowledge_base": "k", "parser": "p1", "original_url": "https://shop.example"}); status != 409 {
		t.Error(status, x)
	}
	conn := w.parser(`"p0","p1"`)
	status, x := w.call("POST", "data-sources/", object{"knowledge_base": "k", "parser": "p1", "original_url": "https://shop.example"})
	if status != 201 || x["status"] != "pending" {
		t.Fatal(status, x)
	}
	in := given(t, conn)
	if p := in.Payload; in.Type != "p1" || float64(p.Source) != x["id"] || p.Task != x["task_id"] || *p.URL != "https://shop.example" || p.PDF != nil {
		t.Errorf("%+v of %v", in, x)
	}
	status, item := w.call("POST", "knowledge-items/", object{"knowledge_base": in.Payload.Base, "data_source": in.Payload.Source, "title": "A", "content": "one"})
	if status != 201 || item["data_source"] != x["id"] {
		t.Error(status, item)
	}
	put(t, conn, `{"type":"parser_finished","data":{"task_id":"`+in.Payload.Task+`"}}`)
	w.until("it is read", func() bool { return w.stands(x["id"]) == "finished" })
	_, lost := w.call("POST", "data-sources/", object{"knowledge_base": "k", "parser": "p0"})
	task := given(t, conn).Payload.Task
	w.must(conn.Close(websocket.StatusNormalClosure, ""))
	w.until("it has failed", func() bool { return w.stands(lost["id"]) == "failed" })
	again := w.parser(`"p0"`)
	put(t, again, `{"type":"parser_finished","data":{"task_id":"`+task+`"}}`)
	w.until("it is finished after all", func() bool { return w.stands(lost["id"]) == "finished" })
	put(t, again, `{"type":"parser_finished","data":{"task_id":"unknown"}}`)
	if got := get(t, again); !strings.Contains(got, `"errors":"Task not found"`) {
		t.Error(got)
	}
	if _, all := w.call("GET", "data-sources/?limit=1", nil); all["count"] != 2.0 || all["results"].([]any)[0].(object)["id"] != lost["id"] || all["next"] == nil {
		t.Error(all)
	}
}

// TestParseAgain: what failed is given again, and has its new items only.
func TestParseAgain(t *testing.T) {
	w := reading(t, storetest.SQLite(t))
	conn := w.parser(`"p1"`)
	_, x := w.call("POST", "data-sources/", object{"knowledge_base": "k", "parser": "p1", "original_url": "https://shop.example"})
	again := fmt.Sprintf("data-sources/%.0f/again/", x["id"])
	feed := func(conn *websocket.Conn) (task string) {
		in := given(t, conn).Payload
		status, item := w.call("POST", "knowledge-items/", object{"knowledge_base": in.Base, "data_source": in.Source, "content": "of " + in.Task})
		if status != 201 || float64(in.Source) != x["id"] {
			t.Error(status, item)
		}
		return in.Task
	}
	first := feed(conn)
	if status, x := w.call("POST", again, nil); status != 409 {
		t.Error(status, x)
	}
	w.must(conn.Close(websocket.StatusNormalClosure, ""))
	w.until("it has failed", func() bool { return w.stands(x["id"]) == "failed" })
	if status, x := w.call("POST", again, nil); status != 409 || !strings.Contains(fmt.Sprint(x), "no parser") {
		t.Error(status, x)
	}
	conn = w.parser(`"p1"`)
	if status, x := w.call("POST", again, nil); status != 200 || x["status"] != "pending" || x["task_id"] == first {
		t.Error(status, x)
	}
	second := feed(conn)
	put(t, conn, `{"type":"parser_finished","data":{"task_id":"`+second+`"}}`)
	w.until("it is read", func() bool { return w.stands(x["id"]) == "finished" })
	_, items := w.call("GET", "knowledge-items/?knowledge_base__name=k", nil)
	if items["count"] != 1.0 || items["results"].([]any)[0].(object)["content"] != "of "+second {
		t.Error(items)
	}
	_, table := w.call("POST", "data-sources/", files{"knowledge_base": "k", "original_csv:a.csv": "title,content\n"})
	if status, x := w.call("POST", fmt.Sprintf("data-sources/%.0f/again/", table["id"]), nil); status != 409 {
		t.Error(status, x)
	}
}

// TestParseAcrossRestart: what a parser reads while the hub starts anew is not lost.
func TestParseAcrossRestart(t *testing.T) {
	dsn := storetest.SQLite(t)
	w := reading(t, dsn)
	conn := w.parser(`"p1"`)
	_, x := w.call("POST", "data-sources/", object{"knowledge_base": "k", "parser": "p1", "original_url": "https://shop.example"})
	task := given(t, conn).Payload.Task
	conn.CloseRead(t.Context()) // a good-bye is answered at once
	w.stop()
	w.server = New(w.server.Options)
	mux := http.NewServeMux()
	w.server.Mount(mux)
	w.http.Config.Handler = mux
	w.start()
	if got := w.stands(x["id"]); got != "pending" {
		t.Error(got)
	}
	w.must(w.server.keepSources(t.Context())) // nobody has it, and its time is not over
	if got := w.stands(x["id"]); got != "pending" {
		t.Error(got)
	}
	put(t, w.parser(`"p1"`), `{"type":"parser_finished","data":{"task_id":"`+task+`"}}`)
	w.until("it is read", func() bool { return w.stands(x["id"]) == "finished" })
}

// TestSilentParser: what is given up is not kept in mind.
func TestSilentParser(t *testing.T) {
	w := reading(t, storetest.SQLite(t))
	conn := w.parser(`"p1"`)
	_, x := w.call("POST", "data-sources/", object{"knowledge_base": "k", "parser": "p1"})
	task := given(t, conn).Payload.Task
	w.must(w.server.keepSources(t.Context()))
	if held := w.server.parsers.tasks(); len(held) != 1 || held[0] != task || w.stands(x["id"]) != "pending" {
		t.Error(held)
	}
	_, err := w.store.EndKnowledgeSource(t.Context(), w.ws, task, store.SourceFailed, "")
	w.must(err)
	w.must(w.server.keepSources(t.Context()))
	if held := w.server.parsers.tasks(); len(held) != 0 {
		t.Error(held)
	}
}

// TestTable: the hub reads tables itself, and gives them to a parser that is named.
func TestTable(t *testing.T) {
	w := reading(t, storetest.SQLite(t))
	const table = "title,content,url\nReturns,Within 14 days,https://shop.example/r\nParcels,Soon,\n"
	status, x := w.call("POST", "data-sources/", files{"knowledge_base": "k", "original_csv:faq.csv": table})
	if status != 201 || x["status"] != "finished" || x["parser"] != nil {
		t.Fatal(status, x)
	}
	_, items := w.call("GET", "knowledge-items/?knowledge_base__name=k", nil)
	first := items["results"].([]any)[0].(object)
	if items["count"] != 2.0 || first["title"] != "Returns" || first["content"] != "Within 14 days" || first["data_source"] != x["id"] {
		t.Error(items)
	}
	status, x = w.call("POST", "data-sources/", files{
		"knowledge_base": "k", "original_csv:faq.csv": "days;Hours\n", "csv_header": "false", "title_index_col": "1", "content_index_col": "0",
	})
	if status != 201 {
		t.Fatal(status, x)
	}
	_, items = w.call("GET", "knowledge-items/?knowledge_base__name=k&offset=2", nil)
	if first := items["results"].([]any)[0].(object); first["title"] != "Hours" || first["content"] != "days" {
		t.Error(items)
	}
	conn := w.parser(`"p1"`)
	status, x = w.call("POST", "data-sources/", files{"knowledge_base": "k", "parser": "p1", "original_csv:faq.csv": table})
	in := given(t, conn).Payload
	file := chat.FileID(strings.TrimPrefix(in.CSV, "https://hub.example/files/"))
	if status != 201 || x["original_csv"] != in.CSV || in.URL != nil {
		t.Error(status, x, in)
	}
	body, _, err := w.server.Blobs.(*blob.Folder).Open(t.Context(), string(file), 0, -1)
	w.must(err)
	defer body.Close()
	if raw, err := io.ReadAll(body); err != nil || string(raw) != table {
		t.Errorf("%q, %v", raw, err)
	}
}

// png is the smallest picture.
const png = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"

// TestPictures: an item's pictures are found with it, and go with it.
func TestPictures(t *testing.T) {
	w := reading(t, storetest.SQLite(t))
	_, item := w.call("POST", "knowledge-items/", object{"knowledge_base": "k", "title": "Logo", "content": "See [[Image 0]]"})
	id := fmt.Sprintf("%.0f", item["id"])
	status, p := w.call("POST", "knowledge-item-images/", files{"knowledge_item": id, "image_caption": "our logo", "image_file:logo.png": png})
	name, link := fmt.Sprint(p["image_file_name"]), fmt.Sprint(p["image_file"])
	if status != 201 || p["image_caption"] != "our logo" || p["knowledge_item"] != item["id"] || !strings.HasSuffix(name, ".png") {
		t.Fatal(status, p)
	}
	item["content"] = "See ![our logo](" + name + ")" // as the SDK does, with all that it was given
	if status, x := w.call("PATCH", "knowledge-items/"+id+"/", item); status != 200 || x["content"] != item["content"] {
		t.Error(status, x)
	}
	status, found := w.call("GET", "retrieve/?retriever_config__name=k&query=the+logo&top_k=1", nil)
	hits := found["knowledge_items"].([]any)
	if status != 200 || found["knowledge_item_images"].(object)[name] != link || hits[0].(object)["image_urls"].(object)[name] != link {
		t.Error(status, found)
	}
	conn := w.dial("/back/ws/broker/ai/")
	put(t, conn, `{"type":"retriever_request","data":{"retriever_config_name":"k","query":"logo","top_k":3,"bot_channel_name":"b"}}`)
	if got := get(t, conn); !strings.Contains(got, `"knowledge_item_images":{"`+name+`":"`+link+`"}`) {
		t.Error(got)
	}
	file := strings.TrimPrefix(link, "https://hub.example/files/")
	w.must(w.server.Knowledge.DropItem(t.Context(), w.ws, int64(item["id"].(float64))))
	w.must(w.server.clearFiles(t.Context()))
	if _, _, err := w.server.Blobs.(*blob.Folder).Open(t.Context(), file, 0, -1); chat.CodeOf(err) != chat.CodeNotFound {
		t.Error("the picture is still there:", err)
	}
}

// TestRefusedForms change nothing.
func TestRefusedForms(t *testing.T) {
	w := reading(t, storetest.SQLite(t))
	w.parser(`"p1"`)
	_, err := w.store.PutKnowledgeBase(t.Context(), w.ws, "other", "")
	w.must(err)
	_, source := w.call("POST", "data-sources/", files{"knowledge_base": "other", "original_csv:a.csv": "title,content\n"})
	for _, c := range []struct {
		name, path string
		body       any
		status     int
		want       string
	}{
		{"nothing", "data-sources/", object{}, 400, "knowledge_base"},
		{"no such base", "data-sources/", object{"knowledge_base": "zzz", "parser": "p1"}, 404, "knowledge base"},
		{"a page for nobody", "data-sources/", object{"knowledge_base": "k", "original_url": "https://shop.example"}, 400, "parser"},
		{"a document for nobody", "data-sources/", files{"knowledge_base": "k", "original_pdf:a.pdf": "%PDF"}, 400, "parser"},
		{"a file of words", "data-sources/", object{"knowledge_base": "k", "original_csv": "a,b"}, 400, "original_csv"},
		{"no address", "data-sources/", object{"knowledge_base": "k", "parser": "p1", "original_url": "ftp://shop.example"}, 400, "original_url"},
		{"no such parser", "data-sources/", object{"knowledge_base": "k", "parser": "p2"}, 409, "p2"},
		{"a table that is none", "data-sources/", files{"knowledge_base": "k", "original_csv:a.csv": "a,\"b"}, 400, "line 1"},
		{"a column that is none", "data-sources/", files{"knowledge_base": "k", "original_csv:a.csv": "a,b", "title_index_col": "x"}, 400, "title_index_col"},
		{"too long a column", "data-sources/", files{"knowledge_base": "k", "title_index_col": strings.Repeat("1", maxField+1)}, 413, "title_index_col"},
		{"no picture", "knowledge-item-images/", files{"knowledge_item": "1"}, 400, "image_file"},
		{"a picture that is none", "knowledge-item-images/", files{"knowledge_item": "1", "image_file:a.png": "<svg/>"}, 400, "image_file"},
		{"a picture of nothing", "knowledge-item-images/", files{"knowledge_item": "77", "image_file:a.png": png}, 404, "knowledge item"},
		{"no form", "knowledge-item-images/", object{}, 400, "knowledge_item"},
		{"another base's source", "knowledge-items/", object{"knowledge_base": "k", "content": "x", "data_source": source["id"]}, 400, "data_source"},
	} {
		if status, x := w.call("POST", c.path, c.body); status != c.status || !strings.Contains(fmt.Sprint(x), c.want) {
			t.Errorf("%s: %d %v", c.name, status, x)
		}
	}
	if status, x := w.call("GET", "retrieve/?query=x", nil); status != 400 {
		t.Error(status, x)
	}
	if status, x := w.call("GET", "retrieve/?retriever_config_name=zzz&query=x", nil); status != 404 {
		t.Error(status, x)
	}
	if _, all := w.call("GET", "data-sources/", nil); all["count"] != 1.0 {
		t.Error(all)
	}
	if _, items := w.call("GET", "knowledge-items/?knowledge_base__name=k", nil); items["count"] != 0.0 {
		t.Error(items)
	}
}

// TestTaskOfOthers: a worker cannot end what a worker of another workspace reads.
func TestTaskOfOthers(t *testing.T) {
	w := reading(t, storetest.SQLite(t))
	conn := w.parser(`"p1"`)
	_, x := w.call("POST", "data-sources/", object{"knowledge_base": "k", "parser": "p1"})
	task := given(t, conn).Payload.Task
	ws, err := w.store.AddWorkspace(t.Context(), "", "other")
	w.must(err)
	other := &socket{token: store.Token{Workspace: ws.ID}}
	if err := w.server.parsed(t.Context(), other, []byte(`{"task_id":"`+task+`"}`)); chat.CodeOf(err) != chat.CodeNotFound {
		t.Error(err)
	}
	if held := w.server.parsers.tasks(); len(held) != 1 || w.stands(x["id"]) != "pending" {
		t.Error("it is forgotten:", held)
	}
}
