package visitor

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const openAPIAbout = `What our website widget calls, for apps of your own. CHANNEL is the id of a channel of the connector webchat.

All but config, sessions and identify want the token of a visitor: ` + "`Authorization: Bearer TOKEN`" + `. Errors are problem+json (RFC 9457) with a stable ` + "`code`" + `.`

// problem is the form of errors.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code" doc:"For programs."`
	Detail string `json:"detail" doc:"For people."`
	Action string `json:"action" doc:"Finds the request in the hub's log."`
}

// describe makes the OpenAPI document of all calls.
func (s *Server) describe(all []deed) ([]byte, error) {
	schemas := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Dragoman: visitors", Version: "1", Description: openAPIAbout, License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Servers: []*huma.Server{{URL: cmp.Or(s.Public, "/")}},
		Components: &huma.Components{
			Schemas:         schemas,
			SecuritySchemes: map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer", Description: "A visitor's token, of sessions or identify."}},
		},
		Tags: []*huma.Tag{{Name: "visitors", Description: "What visitors of websites do."}},
	}
	wrong := &huma.Response{Description: "An error.", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schemas.Schema(of[problem](), true, "Problem")}}}
	schemas.Schema(of[message](), true, "Message")
	for _, d := range all {
		doc.AddOperation(d.operation(schemas, wrong))
	}
	return json.Marshal(doc)
}

// operation describes a call.
func (d deed) operation(schemas huma.Registry, wrong *huma.Response) *huma.Operation {
	op := &huma.Operation{
		OperationID: d.id, Method: d.method, Path: Prefix + "{channel}/" + d.name, Tags: []string{"visitors"}, Summary: d.summary, Description: d.more,
		Parameters: append([]*huma.Param{{Name: "channel", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}}, d.query...),
		Responses:  map[string]*huma.Response{"default": wrong},
	}
	if !d.open {
		op.Security = []map[string][]string{{"token": {}}}
	}
	if d.in != nil {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: schemas.Schema(d.in, true, d.id)}}}
	}
	if d.id == "upload" {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
	}
	good := &huma.Response{Description: strings.ToLower(http.StatusText(cmp.Or(d.status, http.StatusOK)))}
	switch {
	case d.out != nil:
		good.Content = map[string]*huma.MediaType{"application/json": {Schema: schemas.Schema(d.out, true, d.id)}}
	case d.media != "":
		good.Content = map[string]*huma.MediaType{d.media: {Schema: &huma.Schema{Type: huma.TypeString}}}
	}
	op.Responses[strconv.Itoa(cmp.Or(d.status, http.StatusOK))] = good
	if d.also != 0 {
		op.Responses[strconv.Itoa(d.also)] = good
	}
	return op
}

// showOpenAPI answers with the document.
func showOpenAPI(doc []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(doc) // the reader may have left
	}
}
