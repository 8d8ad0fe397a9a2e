package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/desk"
	"github.com/dragoman-hub/dragoman/store"
)

// The first user has a made-up address, which the welcome page asks to change, and answers for the queue that the sample flow hands over to.
const (
	firstMail  = "admin@localhost"
	firstName  = "Admin"
	firstQueue = "support"
)

// addFirstUser makes the first user, with all rights, an agent and a queue for her, and answers with the link that sets her password. Of a
// first start that was cut off, what is there stays.
func addFirstUser(ctx context.Context, p *program, ws chat.WorkspaceID) (link string, err error) {
	gate := access.New(access.Options{Settings: access.Settings{Queues: p.store}, Store: p.store, Secrets: p.keys, Now: time.Now, Log: p.log})
	system := access.Who{Workspace: ws, Grant: access.Grant{All: true, Reach: access.ReachAll}}
	users, _, err := p.store.Users(ctx, ws, store.UserFilter{Limit: 1})
	if err != nil {
		return "", err
	}
	var l access.Link
	var u store.User
	if len(users) == 0 {
		u, l, err = gate.AddUser(ctx, system, access.NewUser{Email: firstMail, Name: firstName, Role: "admin"})
	} else {
		u = users[0]
		l, err = gate.NewLink(ctx, system, u.ID)
	}
	if err != nil {
		return "", err
	}
	return l.Token, addFirstQueue(ctx, p.store, ws, u)
}

func addFirstQueue(ctx context.Context, s *store.Store, ws chat.WorkspaceID, u store.User) error {
	by := chat.Party{Type: chat.PartySystem}
	_, err := s.Append(ctx, &store.PutAgent{Workspace: ws, By: by, Agent: store.Agent{ID: u.ID, Name: u.Name, Capacity: 5}})
	if err != nil {
		return err
	}
	settings, err := json.Marshal(desk.Settings{})
	if err != nil {
		return err
	}
	_, err = s.Append(ctx, &store.PutQueue{Workspace: ws, By: by, Queue: store.Queue{
		Name: firstQueue, Title: "Support", Rule: "everyone", Settings: settings, Members: []string{u.ID},
	}})
	return err
}
