package worker

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// FuzzHandle gives any bytes as a call: it never panics, and what it takes is answered by frames that repeat
// the context and end the turn once, at the end.
func FuzzHandle(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var recorded struct {
			Steps []struct {
				Hub json.RawMessage `json:"hub"`
			} `json:"steps"`
		}
		if err := json.Unmarshal(raw, &recorded); err != nil {
			f.Fatal(err)
		}
		for _, s := range recorded.Steps {
			if s.Hub != nil {
				f.Add([]byte(s.Hub))
			}
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		flow := &Flow{Name: "f", ErrorText: "sorry"}
		var answers [][]byte
		_ = flow.Handle(t.Context(), raw, nil, func(frame []byte) error {
			answers = append(answers, frame)
			return nil
		})
		in, err := parseFrame(raw)
		if err != nil || in.Type != "rpc_request" {
			if answers != nil {
				t.Fatalf("answers to nonsense: %s", answers)
			}
			return
		}
		r, err := parseRequest(in.Payload)
		if err != nil {
			return
		}
		_, _, _ = r.conv.Text(), r.conv.LastHuman(), r.conv.Payload(new(any))
		checkAnswers(t, r, answers)
	})
}

func checkAnswers(t *testing.T, r *request, answers [][]byte) {
	t.Helper()
	if len(answers) != 1 {
		t.Fatalf("%d answers to a call of an unknown function", len(answers))
	}
	var out struct {
		Data struct {
			Ctx  map[string]any `json:"ctx"`
			Last bool           `json:"last"`
		} `json:"data"`
	}
	if err := json.Unmarshal(answers[0], &out); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{}
	raw, err := json.Marshal(r.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	if !out.Data.Last || !reflect.DeepEqual(out.Data.Ctx, want) {
		t.Fatalf("got %s, context was %s", answers[0], raw)
	}
}

func TestConversation(t *testing.T) {
	r, err := parseRequest([]byte(`{"name": "f", "ctx": {
		"conversation_id": 12345678901234567890, "user_id": null,
		"initial_conversation_metadata": "{\"lang\":\"en\"}",
		"transition_data": {"why": "matched"}, "state": {"page": 2}, "status": null,
		"conv_mml": [
			{"id": 1, "sender": {"type": "bot"}, "stack": {}},
			{"id": "2", "sender": {"type": "human", "id": 7}, "stack": [
				{"type": "file_uploaded", "payload": {"s3_path": "a/b", "name": "bill.pdf", "url": "https://f.example"}},
				{"type": "text", "payload": "bare"}]},
			{"id": 3, "sender": {"type": "human"}, "stack": [{"type": "tool_result", "payload": {"content": "no"}}]},
			{"id": 4, "sender": {"type": "bot"}, "stack": []}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	c := r.conv
	if c.ID != "12345678901234567890" || c.UserID != "" || c.Metadata["lang"] != "en" || c.Text() != "bare" {
		t.Errorf("%+v, text %q", c, c.Text())
	}
	var file FileUploaded
	if err := c.Payload(&file); err != nil || file.Name != "bill.pdf" {
		t.Errorf("%+v, %v", file, err)
	}
	if m := c.LastHuman(); m.ID != "2" || m.Sender.ID != "7" {
		t.Errorf("%+v", m)
	}
	var data struct{ Why string }
	var state struct{ Page int }
	status := map[string]int{"kept": 1}
	if err := errors.Join(c.Data(&data), c.State(&state), c.Status(&status)); err != nil {
		t.Fatal(err)
	}
	if data.Why != "matched" || state.Page != 2 || status["kept"] != 1 {
		t.Errorf("%+v %+v %v", data, state, status)
	}
	empty := &Conversation{}
	if empty.Text() != "" || !errors.Is(empty.Payload(&file), ErrNoHuman) || !errors.Is(empty.Data(&data), ErrEmpty) {
		t.Error("an empty conversation gives something")
	}
	if empty.SetStatus(func() {}) == nil {
		t.Error("a function as status")
	}
}
