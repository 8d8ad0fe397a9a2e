package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/dragoman-hub/dragoman/assist"
	"github.com/dragoman-hub/dragoman/store"
)

// FieldPath names a field.
type FieldPath struct {
	Name string `path:"name" maxLength:"50" pattern:"^[a-z][a-z0-9_]*$" example:"order_number"`
}

type fieldPut struct {
	Keyed
	FieldPath
	Body struct {
		Of      string   `json:"of" enum:"conversation,contact" doc:"What has the field; it never changes."`
		Title   string   `json:"title,omitempty" maxLength:"200"`
		Type    string   `json:"type" enum:"text,number,choice,date,yes_no"`
		Choices []string `json:"choices,omitempty" maxItems:"200" nullable:"false" doc:"Of the type choice."`
	}
}

type fieldsGet struct {
	Of string `query:"of" enum:"conversation,contact"`
}

type fieldDrop struct {
	Keyed
	FieldPath
}

func (a *API) registerFields() {
	const tag = "fields"
	add(a, act{
		method: http.MethodPut, path: "/v1/fields/{name}", id: "putField", tag: tag, scope: ScopeAdmin, summary: "Store a field of conversations or contacts",
		more: "A contact's fields are the properties of these names; other properties may have any value.",
	}, a.putField)
	add(a, act{method: http.MethodGet, path: "/v1/fields", id: "listFields", tag: tag, scope: ScopeRead, summary: "List fields"}, a.listFields)
	add(a, act{method: http.MethodGet, path: "/v1/fields/{name}", id: "getField", tag: tag, scope: ScopeRead, summary: "Read a field"}, a.field)
	add(a, act{
		method: http.MethodDelete, path: "/v1/fields/{name}", id: "deleteField", tag: tag, scope: ScopeAdmin, status: http.StatusNoContent,
		summary: "Delete a field", more: "Values that are there already stay.",
	}, a.dropField)
}

func (a *API) putField(ctx context.Context, in *fieldPut) (*reply[store.Field], error) {
	b := in.Body
	var problems []ProblemDetail
	if (b.Type == assist.TypeChoice) != (len(b.Choices) > 0) {
		problems = append(problems, ProblemDetail{"body.choices", "a field of the type choice has some, others have none"})
	}
	for i, c := range b.Choices {
		if c == "" || len(c) > 200 || slices.Contains(b.Choices[:i], c) {
			problems = append(problems, ProblemDetail{fmt.Sprintf("body.choices[%d]", i), "1 to 200 bytes, and each once"})
		}
	}
	if len(problems) > 0 {
		return nil, invalid(problems...)
	}
	f, err := a.Store.PutField(ctx, here(ctx), store.Field{Name: in.Name, Of: b.Of, Title: b.Title, Type: b.Type, Choices: b.Choices})
	return &reply[store.Field]{f}, err
}

func (a *API) listFields(ctx context.Context, in *fieldsGet) (*reply[list[store.Field]], error) {
	found, err := a.Store.Fields(ctx, here(ctx), in.Of)
	return listOf(found, ""), err
}

func (a *API) field(ctx context.Context, in *FieldPath) (*reply[store.Field], error) {
	f, err := a.Store.Field(ctx, here(ctx), in.Name)
	return &reply[store.Field]{f}, err
}

func (a *API) dropField(ctx context.Context, in *fieldDrop) (*empty, error) {
	return nil, a.Store.DropField(ctx, here(ctx), in.Name)
}

// checkFields says which values do not fit their fields. Without a field of the name only contacts may have a value.
func (a *API) checkFields(ctx context.Context, of, where string, values map[string]json.RawMessage) error {
	refused, err := a.unfit(ctx, of, values)
	if err != nil || len(refused) == 0 {
		return err
	}
	return invalid(named(where, refused)...)
}

// unfit tells why values do not fit their fields, by name.
func (a *API) unfit(ctx context.Context, of string, values map[string]json.RawMessage) (map[string]string, error) {
	if len(values) == 0 {
		return nil, nil
	}
	fields, err := a.Store.Fields(ctx, here(ctx), of)
	if err != nil {
		return nil, err
	}
	refused := map[string]string{}
	for name, value := range values {
		i := slices.IndexFunc(fields, func(f store.Field) bool { return f.Name == name })
		switch {
		case i >= 0:
			if err := assist.CheckValue(fields[i], value); err != nil {
				refused[name] = err.Error()
			}
		case of == assist.OfConversation && !assist.IsNull(value):
			refused[name] = "there is no such field"
		}
	}
	return refused, nil
}
