package connectortest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func parrotOptions() []Option {
	return []Option{WithProof("X-Parrot-Signature"), WithSigner(parrotSigner(sound)), WithBodySigned()}
}

func TestSoundParrot(t *testing.T) {
	Run(t, parrotPlatform(sound), "testdata/parrot", parrotOptions()...)
}

// The acts that the wrong transcripts below begin with.
const (
	sendHi = `-- send --
{"thread":{"address":"42"},"elements":[{"type":"text","payload":{"content":"hi"}}],"key":"k1"}
`
	requestHi = `-- request --
POST https://api.parrot.example/say
-- json --
{"to":"42","text":"hi","key":"k1"}
`
	answerHi = `-- answer --
200
-- body --
{"id":8}
`
	sentHi    = "-- sent --\n{\"id\":\"8\"}\n"
	receive7  = "-- receive --\nPOST /in/ch1\n-- body --\n{\"items\":[{\"id\":7,\"from\":\"42\",\"read\":\"5\"}]}\n-- sign --\n"
	events7   = `-- events --` + "\n" + `[{"key":"7","kind":"receipt","thread":{"address":"42"},"sender":{"address":"42"},"target":"5","status":"read"}]` + "\n"
	pollFrom0 = "-- listen --\n-- request --\nGET https://api.parrot.example/poll?after=\n-- answer --\n200\n-- body --\n{\"items\":[{\"id\":7,\"from\":\"42\",\"read\":\"5\"}]}\n"
)

func TestWrongTranscriptsFail(t *testing.T) {
	replace := func(old, with string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, with, 1) }
	}
	all := sendHi + requestHi + answerHi + sentHi + receive7 + events7 + pollFrom0 + events7 + "-- notes --\n{\"after\":\"7\"}\n"
	cases := []struct {
		name   string
		change func(string) string
		want   string // a piece of the first failure; empty: it passes
	}{
		{"right", replace("", ""), ""},
		{"any text", replace(`"text":"hi","key"`, `"text":"<any>","key"`), ""},
		{"another body", replace(`{"to":"42","text"`, `{"to":"43","text"`), `.to: want "43", got "42"`},
		{"a member too many", replace(`{"to":"42","text"`, `{"of":1,"to":"42","text"`), ".of: missing"},
		{"a member too few", replace(`{"to":"42","text":"hi",`, `{"text":"hi",`), ".to: not expected"},
		{"another path", replace("/say", "/tell"), "want POST https://api.parrot.example/tell, got"},
		{"another host", replace("api.parrot.example/say", "api.parrot.test/say"), "got POST https://api.parrot.example/say"},
		{"another header", replace("/say\n", "/say\nAuthorization: Bearer other\n"), "header Authorization"},
		{"no header", replace("/say\n", "/say\nAuthorization: (none)\n"), "header Authorization"},
		{"any header", replace("/say\n", "/say\nAuthorization: *\n"), ""},
		{"no request", replace(requestHi+answerHi, ""), "a request that the transcript does not have"},
		{"a request too many", replace(sentHi, requestHi+answerHi+sentHi), "request 2 of 2 was not made"},
		{"an error instead", replace("200\n-- body --\n{\"id\":8}", "400"), "rejected (400)"},
		{"no error where one is wanted", replace(sentHi, "-- error --\n{\"policy\":\"gone\"}\n"), "no error"},
		{"another id", replace(`{"id":"8"}`, `{"id":"9"}`), `.id: want "9", got "8"`},
		{"nothing said of sent", replace(sentHi, ""), "sent: no such section"},
		{"another event", replace(`"target":"5"`, `"target":"6"`), `[0].target: want "6", got "5"`},
		{"no events", replace(receive7+events7, receive7), "events: no such section"},
		{"another reply", replace(events7, events7+"-- reply --\n201\n"), "reply differs"},
		{"another query", replace("after=\n", "after=5\n"), "want GET https://api.parrot.example/poll?after=5"},
		{"nothing emitted", replace(events7+"-- notes", "-- notes"), "events: no such section"},
		{"other notes", replace(`{"after":"7"}`, `{"after":"8"}`), `.after: want "8", got "7"`},
		{"a part with an unknown member", replace(`"key":"k1"}`, `"key":"k1","tread":1}`), "unknown field"},
		{"an ability that is not there", replace(sendHi, "-- profile --\n{}\n"+sendHi), "cannot profile"},
		{"a clock that is none", replace("", "-- now --\nnoon\n"), "cannot parse"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tr, err := parse([]byte(c.change(all)))
			if err != nil {
				t.Fatal(err)
			}
			x := parrotExam(t, sound)
			x.update = false
			r := &recorder{ctx: t.Context()}
			x.play(r, tr)
			got := strings.Join(r.failures, "\n")
			if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("want a failure with %q, got %q", c.want, got)
			}
		})
	}
}

func TestUpdateWritesWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	bare := "Words.\n\n" + sendHi + answerHi + receive7 + strings.Replace(pollFrom0, "-- request --\nGET https://api.parrot.example/poll?after=\n", "", 1)
	path := filepath.Join(dir, "a.txtar")
	for name, data := range map[string]string{path: bare, filepath.Join(dir, "settings.json"): `{"token":"t0ken-t0ken","secret":"s3cret-s3cret"}`} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	play := func(update bool) []string {
		x, err := newExam(parrotPlatform(sound), dir, parrotOptions())
		if err != nil {
			t.Fatal(err)
		}
		defer x.standin.server.Close()
		x.update = update
		r := &recorder{ctx: t.Context()}
		x.play(r, x.all[0])
		return r.failures
	}
	if len(play(false)) == 0 {
		t.Error("a transcript without expectations passes")
	}
	if failures := play(true); len(failures) > 0 {
		t.Errorf("update: %v", failures)
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if failures := play(false); len(failures) > 0 {
		t.Errorf("%v\nafter the update:\n%s", failures, written)
	}
	if play(true); !bytes.HasPrefix(written, []byte("Words.\n\n")) {
		t.Errorf("the words are gone:\n%s", written)
	}
	if again, err := os.ReadFile(path); err != nil || !bytes.Equal(again, written) {
		t.Errorf("a second update changes the file: %v\n%s", err, again)
	}
}
