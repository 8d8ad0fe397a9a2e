package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/dragoman-hub/dragoman/assist"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// ContactPath names a contact.
type ContactPath struct {
	ID chat.ContactID `path:"id" maxLength:"100"`
}

type contactQuery struct {
	Paging
	Text string `query:"q" maxLength:"200" doc:"In the name."`
}

type contactPatch struct {
	Keyed
	ContactPath
	Body struct {
		Name       *string                    `json:"name,omitempty" maxLength:"200"`
		Language   *string                    `json:"language,omitempty" maxLength:"35" doc:"BCP 47"`
		Properties map[string]json.RawMessage `json:"properties,omitempty" doc:"Merged by name; null removes one. At most 64 KiB together."`
	}
}

type contactDelete struct {
	Keyed
	ContactPath
}

func (a *API) registerContacts() {
	const tag = "contacts"
	add(a, act{
		method: http.MethodGet, path: "/v1/contacts", id: "listContacts", tag: tag, scope: ScopeRead,
		summary: "List contacts, newest first", more: "Without their identities; read one for those.",
	}, a.contacts)
	add(a, act{method: http.MethodGet, path: "/v1/contacts/{id}", id: "getContact", tag: tag, scope: ScopeRead, summary: "Read a contact"}, a.contact)
	add(a, act{
		method: http.MethodPatch, path: "/v1/contacts/{id}", id: "changeContact", tag: tag, scope: ScopeWrite,
		summary: "Change what is known of a contact", more: "What is left out stays.",
	}, a.patchContact)
	add(a, act{
		method: http.MethodDelete, path: "/v1/contacts/{id}", id: "eraseContact", tag: tag, scope: ScopeWrite, status: http.StatusNoContent,
		summary: "Erase a contact's personal data", more: "Names, addresses, messages and attachments go for good; that something happened, and when, stays.",
	}, a.eraseContact)
}

func (a *API) contacts(ctx context.Context, in *contactQuery) (*reply[list[store.Contact]], error) {
	all, next, err := a.Store.Contacts(ctx, here(ctx), in.Text, in.Cursor, in.Limit)
	return listOf(all, next), err
}

func (a *API) contact(ctx context.Context, in *ContactPath) (*reply[store.Contact], error) {
	c, err := a.Store.Contact(ctx, here(ctx), in.ID)
	return &reply[store.Contact]{c}, err
}

func (a *API) patchContact(ctx context.Context, in *contactPatch) (*reply[store.Contact], error) {
	if err := a.checkFields(ctx, assist.OfContact, "body.properties", in.Body.Properties); err != nil {
		return nil, err
	}
	_, err := a.Store.Append(ctx, &store.PatchContact{
		Workspace: here(ctx), Contact: in.ID, Name: in.Body.Name, Language: in.Body.Language, Properties: in.Body.Properties,
	})
	if err != nil {
		return nil, err
	}
	return a.contact(ctx, &in.ContactPath)
}

// eraseContact cannot be undone, so once begun it is finished even if the caller leaves.
func (a *API) eraseContact(ctx context.Context, in *contactDelete) (*empty, error) {
	ctx = context.WithoutCancel(ctx)
	erase := &store.Erase{Workspace: here(ctx), Contact: in.ID, By: party(ctx), Action: actionOf(ctx)}
	if _, err := a.Store.Append(ctx, erase); err != nil {
		return nil, err
	}
	if err := a.Hub.Forget(ctx, erase.Files); err != nil {
		a.Log.ErrorContext(ctx, "api: attachments of an erased contact are still in the blob store", "files", erase.Files, "err", err)
		return nil, problem(string(chat.CodeUnavailable), fmt.Sprintf("the contact is erased, but not all of %d attachments; our log has their ids", len(erase.Files)))
	}
	return nil, nil
}
