package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/store"
)

// webchat is the connector whose channels the widget opens.
const webchat = "webchat"

// calls serves the socket over which functions are called.
func (s *Server) calls(w http.ResponseWriter, r *http.Request) {
	flow := r.PathValue("name")
	s.accept(w, r, kind{
		opened: func(c *socket) {
			if flow != "" {
				s.reply(c, s.joinStored(r.Context(), c, flow))
			}
		},
		frame: func(ctx context.Context, c *socket, in incoming) {
			switch in.Type {
			case typeDefine:
				s.reply(c, s.register(ctx, c, in.Data))
			case typeResult:
				s.result(c, in.Data)
			default:
				c.send(errorFrame(notAChoice(in.Type)))
			}
		},
		closed: s.pool.leave,
	})
}

// reply tells a worker what went wrong; success is silent.
func (s *Server) reply(c *socket, err error) {
	if err == nil {
		return
	}
	_, wrong := errors.AsType[invalidError](err)
	if fault, ok := errors.AsType[*chat.Fault](err); ok && !wrong {
		err = errors.New(fault.Detail)
	} else if !wrong {
		s.Log.Error("rpc: failed", "caller", c.token.ID, "err", err)
		err = errors.New("something went wrong on our side")
	}
	c.send(errorFrame(err))
}

// result hands an answer to the call that it is for.
func (s *Server) result(c *socket, data json.RawMessage) {
	r, err := readResult(data)
	call := s.pool.find(c, r)
	switch {
	case call != nil && call.origin != nil:
		call.origin.pass(call.id, data) // the node that waits for it says whether it is good
		return
	case call != nil:
		err = call.add(r, err)
	default:
		n := s.dropped.Add(1)
		s.Log.Debug("rpc: result of no call", "call", r.CallID, "conversation", string(r.Conversation), "dropped", n)
	}
	if err != nil {
		c.send(resultError(err))
	}
}

// definition is the data of a registration.
type definition struct {
	Name       *string         `json:"name"`
	Definition json.RawMessage `json:"definition"`
	Overwrite  bool            `json:"overwrite"`
	Auth       bool            `json:"authentication_required"`
}

// flowName is what the paths of the API and of the widget can carry.
var flowName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}$`)

func readDefinition(data json.RawMessage) (definition, *bot.Flow, error) {
	var d definition
	if err := json.Unmarshal(data, &d); err != nil {
		return d, nil, invalidError{"data": []string{err.Error()}}
	}
	wrong := invalidError{}
	switch {
	case d.Name == nil || *d.Name == "":
		wrong["name"] = []string{wordRequired}
	case !flowName.MatchString(*d.Name):
		wrong["name"] = []string{"Want letters, digits, '.', '_' and '-', at most 100."}
	}
	var flow *bot.Flow
	if isNull(d.Definition) {
		wrong["definition"] = []string{wordRequired}
	} else if parsed, err := bot.Parse(d.Definition); err != nil {
		wrong["definition"] = problems(err)
	} else {
		flow = parsed
	}
	if len(wrong) > 0 {
		return d, nil, wrong
	}
	return d, flow, nil
}

// problems lists what is wrong with a definition.
func problems(err error) []string {
	invalid, ok := errors.AsType[*bot.InvalidError](err)
	if !ok {
		return []string{err.Error()}
	}
	list := make([]string, len(invalid.Problems))
	for i, p := range invalid.Problems {
		list[i] = strings.TrimPrefix(p.Path+": "+p.Detail, ": ")
	}
	return list
}

// register stores a flow and makes the socket one of its workers.
func (s *Server) register(ctx context.Context, c *socket, data json.RawMessage) error {
	d, flow, err := readDefinition(data)
	if err != nil {
		return err
	}
	s.registering.Lock()
	defer s.registering.Unlock()
	ws := c.token.Workspace
	newest, err := s.Store.Flow(ctx, ws, *d.Name, 0)
	if err != nil && chat.CodeOf(err) != chat.CodeNotFound {
		return err
	}
	channel, found, err := s.channel(ctx, ws, *d.Name)
	if err != nil {
		return err
	}
	same := bytes.Equal(canonical(newest.Definition), flow.Definition())
	if newest.Version > 0 && !d.Overwrite && (!same || found && authRequired(channel) != d.Auth) {
		return chat.Faultf(chat.CodeConflict, fmt.Sprintf("There is another definition named %q: register with overwrite, or choose another name.", *d.Name))
	}
	if newest.Version == 0 || !same {
		if newest, err = s.put(ctx, ws, *d.Name, flow.Definition()); err != nil {
			return err
		}
	}
	if err := s.furnish(ctx, ws, *d.Name, d.Auth, channel, found); err != nil {
		return err
	}
	s.pool.join(c, *d.Name, newest.Version)
	s.Log.Info("rpc: worker registered", "flow", *d.Name, "version", newest.Version, "caller", c.token.ID)
	return nil
}

// put stores a version; another node may be storing the same one.
func (s *Server) put(ctx context.Context, ws chat.WorkspaceID, flow string, definition json.RawMessage) (store.Flow, error) {
	f, err := s.Store.PutFlow(ctx, ws, flow, definition)
	if chat.CodeOf(err) == chat.CodeConflict {
		f, err = s.Store.PutFlow(ctx, ws, flow, definition)
	}
	return f, err
}

// canonical is a stored definition in the form in which two can be compared; what cannot be read is like no other.
func canonical(raw json.RawMessage) []byte {
	f, err := bot.Parse(raw)
	if err != nil {
		return nil
	}
	return f.Definition()
}

// joinStored is for workers that name a flow which is stored already.
func (s *Server) joinStored(ctx context.Context, c *socket, flow string) error {
	f, err := s.Store.Flow(ctx, c.token.Workspace, flow, 0)
	if chat.CodeOf(err) == chat.CodeNotFound {
		return chat.Faultf(chat.CodeNotFound, fmt.Sprintf("No FSM found with name %.100q", flow))
	}
	if err == nil {
		s.pool.join(c, flow, f.Version)
	}
	return err
}

// channel finds the widget's channel of a flow.
func (s *Server) channel(ctx context.Context, ws chat.WorkspaceID, flow string) (hub.Channel, bool, error) {
	all, err := s.Channels.Channels(ctx, ws)
	for _, ch := range all {
		if ch.Connector == webchat && ch.Flow == flow {
			return ch, true, err
		}
	}
	return hub.Channel{}, false, err
}

func authRequired(ch hub.Channel) bool {
	var settings struct {
		Auth bool `json:"authentication_required"`
	}
	return json.Unmarshal(ch.Settings, &settings) == nil && settings.Auth
}

// furnish makes sure that the widget can open the flow, under the flag that the worker gave.
func (s *Server) furnish(ctx context.Context, ws chat.WorkspaceID, flow string, auth bool, ch hub.Channel, found bool) error {
	settings, err := json.Marshal(map[string]bool{"authentication_required": auth})
	if err != nil {
		return err
	}
	offered := slices.ContainsFunc(s.Channels.Platforms(), func(p connector.Platform) bool { return p.Name == webchat })
	if !found && !offered {
		return nil // a hub without the widget: the flow serves other channels
	}
	if !found {
		_, err = s.Channels.AddChannel(ctx, ws, hub.ChannelInput{ID: channelID(ws, flow), Connector: webchat, Name: flow, Flow: flow, Settings: settings})
		if chat.CodeOf(err) == chat.CodeConflict {
			return nil // another node made it
		}
		return err
	}
	if authRequired(ch) != auth {
		_, err = s.Channels.PatchChannel(ctx, ws, ch.ID, hub.ChannelPatch{Settings: settings})
	}
	return err
}

// channelID is the same on every node, so that a flow gets one channel.
func channelID(ws chat.WorkspaceID, flow string) chat.ChannelID {
	return chat.ChannelID(uuid.NewSHA1(uuid.NameSpaceURL, []byte("dragoman:webchat:"+string(ws)+":"+flow)).String())
}
