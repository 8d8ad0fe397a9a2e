// Package connectortest examines connectors: transcripts that the author writes as text files, then laws that
// nobody writes because they hold for all platforms. It must not know any platform.
//
//	func TestConnector(t *testing.T) {
//		connectortest.Run(t, parrot.Platform, "testdata", connectortest.WithProof("X-Parrot-Secret"))
//	}
//
// The folder holds settings.json (an object: settings that work, with made-up secrets of 8 bytes or more) and any
// number of *.txtar files, one transcript each. UPDATE_TRANSCRIPTS=1 go test rewrites the expectations in them; an answer without
// a request above it gets one that way.
//
// # Transcripts
//
// A transcript is a text file: free words at the top, then sections, each begun by a line "-- name --". A connector is
// opened once per file; then the acts of the file happen in order. An act is a section that says what is done, and the
// sections after it say what must follow.
//
//	A text comes in, and is answered.
//
//	-- receive --
//	POST /in/ch1
//	Content-Type: application/json
//	X-Parrot-Secret: s3cret-s3cret
//	-- body --
//	{"id":7,"from":"42","text":"hello"}
//	-- events --
//	[{"key":"7","kind":"message","thread":{"address":"42"},"sender":{"address":"42"},"id":"7",
//	  "message":{"stack":[{"type":"text","payload":{"content":"hello"}}]}}]
//	-- send --
//	{"thread":{"address":"42"},"elements":[{"type":"text","payload":{"content":"hi"}}]}
//	-- request --
//	POST https://api.parrot.example/say
//	Authorization: Bearer t0ken-t0ken
//	-- json --
//	{"to":"42","text":"hi"}
//	-- answer --
//	200
//	-- body --
//	{"id":8}
//	-- sent --
//	{"id":"8"}
//
// # Before the first act
//
//	settings     JSON object, merged over settings.json; a null takes a member away
//	now          the clock of the whole file, RFC 3339; default 2026-01-02T03:04:05Z
//	webhook_url  Env.WebhookURL; default https://hub.test/in/ch1; may be empty
//	notes        JSON object of the saved notes: name to value
//
// # Acts
//
//	open                   the connector is opened, and must answer the error that follows
//	receive                a webhook call: "METHOD path-or-URL", then headers; then body, then sign if the kit has to sign it
//	send                   a part: {"key","thread","elements","reply_to","context","media":{"f1":{"name","mime","url","text"}}}
//	listen                 Listen runs until it has asked for an answer that is not there; no content
//	typing                 {"thread","newest"}
//	mark_read, delete      {"thread","id"}
//	edit                   {"id","part"}
//	react                  {"thread","id","emoji"}
//	profile                {"address"}
//	download               a source: {"id","url","sha256"}
//	acknowledge            {"ack"}
//	register, unregister, check, renew   no content
//
// A stored file in media has its content as "text", "base64" or "bytes" (that many made-up ones). The key of a part is made
// up if it is left out.
//
// # What the platform sees and answers
//
//	request    "METHOD URL", then the headers that matter, one per line. The URL is the one that the connector asked
//	           for, host and all; the order of the query does not matter. A header value may be * (any) or (none).
//	answer     "STATUS", then headers; or one word for a fault: refused (no connection), lost (the request was read, then
//	           the connection closed), timeout (the request was read, then nothing), or "STATUS cut" (half a body)
//
// Requests and answers come in pairs, in the order in which they happen. A request that the script does not have
// fails the transcript; in a listen act it ends the act instead, and a last request without an answer is compared
// first.
//
// # Bodies
//
// A body section belongs to the receive, request, answer or reply above it.
//
//	body         these bytes exactly, but for the last end of line
//	body base64  the same for bytes that are not text
//	json         in a request: compared as JSON, the string "<any>" matching anything; elsewhere the same as body
//	form         in a request: the fields of a form, as a JSON object: name to text, or to a list of texts
//	multipart    in a request: the same, and a file is {"filename","type","text" or "base64"}
//
// In form and multipart, {"json":...} stands for a field whose text is JSON. A request without a body section must have
// an empty body. An answer without a Content-Type gets application/json when its body begins like JSON.
//
// # What must follow
//
//	events  JSON list of what Receive answered, or of what Listen emitted since the last answer; listen: none means []
//	reply   "STATUS", then headers (only Content-Type), then body; without it: 200 and empty
//	sent    {"id","more","notice"}
//	result  JSON: profile: a profile; check: a text; renew: a time or null; download: {"name","mime","size","text"}
//	error   {"policy","code","detail","after","thread","moved_to"}; after is like "30s"; detail is compared only if it is there
//	notes   JSON object of all notes, after the act
//
// Events have the members of chat.Incoming in snake_case (key, kind, thread, sender, at, id, target, message, reaction,
// status, up_to, failure, people, moved_to, echo, start, ack, raw), empty ones left out; raw is shown for kind
// unsupported only. An act without error must succeed.
//
// # Laws
//
// The laws take the transcripts as their material; docs/connectors.md lists them.
package connectortest
