package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/store"
)

// Channel is a channel as people may see it: secrets are "***".
type Channel struct {
	ID         chat.ChannelID  `json:"id"`
	Connector  string          `json:"connector"`
	Name       string          `json:"name"`
	Status     string          `json:"status" enum:"active,off,error"`
	Detail     string          `json:"detail,omitempty"`
	WebhookURL string          `json:"webhook_url,omitempty"`
	Settings   json.RawMessage `json:"settings"`
	Abilities  []string        `json:"abilities"`
	Flow       string          `json:"flow,omitempty"`
	Queue      string          `json:"queue,omitempty"`
	CreatedAt  time.Time       `json:"created_at"`
	UpdatedAt  time.Time       `json:"updated_at"`
}

// ChannelInput is a channel to be made.
type ChannelInput struct {
	ID        chat.ChannelID // usually empty
	Connector string
	Name      string
	Settings  json.RawMessage
	Flow      string
	Queue     string
}

// ChannelPatch changes what is not nil. In settings "***" keeps a secret and null removes a member.
type ChannelPatch struct {
	Name, Flow, Queue *string
	Status            *string // active or off
	Settings          json.RawMessage
}

// maxName bounds names that people give, in bytes.
const maxName = 200

// AddChannel checks the settings, opens the connector with them and stores the channel.
func (h *Hub) AddChannel(ctx context.Context, ws chat.WorkspaceID, in ChannelInput) (Channel, error) {
	p, ok := h.platforms[in.Connector]
	if !ok {
		return Channel{}, chat.Faultf(chat.CodeInvalid, "connector: there is none named "+in.Connector)
	}
	if in.Name == "" {
		in.Name = p.Title
	}
	settings, problems := p.CheckSettings(in.Settings, h.Random)
	if len(problems) > 0 {
		return Channel{}, settingsFault(problems)
	}
	ch := store.Channel{
		ID: in.ID, Workspace: ws, Connector: in.Connector, Name: in.Name, Flow: in.Flow, Queue: in.Queue, Status: store.ChannelActive,
	}
	if ch.ID == "" {
		ch.ID = chat.ChannelID(chat.NewID())
	}
	if err := h.checkChannel(ctx, ch); err != nil {
		return Channel{}, err
	}
	if err := h.tryOpen(ctx, ch, settings); err != nil {
		return Channel{}, err
	}
	ch.Settings = h.Secrets.Seal(settingsPlace(ch.ID), settings)
	ch, err := h.Store.AddChannel(ctx, ch)
	if err != nil {
		return Channel{}, err
	}
	h.tellListeners()
	return h.show(ctx, ch)
}

func settingsFault(problems []connector.Problem) error {
	words := make([]string, len(problems))
	for i, p := range problems {
		words[i] = "settings." + p.String()
	}
	return chat.Faultf(chat.CodeInvalid, strings.Join(words, "; "))
}

// checkChannel checks what people say of a channel, but for its settings.
func (h *Hub) checkChannel(ctx context.Context, ch store.Channel) error {
	if len(ch.Name) > maxName || strings.TrimSpace(ch.Name) == "" {
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("name: 1 to %d bytes", maxName))
	}
	if ch.Flow != "" {
		if _, err := h.Store.Flow(ctx, ch.Workspace, ch.Flow, 0); err != nil {
			if chat.CodeOf(err) == chat.CodeNotFound {
				return chat.Faultf(chat.CodeInvalid, "flow: there is none named "+ch.Flow)
			}
			return err
		}
	}
	return nil
}

// tryOpen tries whether a channel can work, without asking its platform.
func (h *Hub) tryOpen(ctx context.Context, ch store.Channel, settings json.RawMessage) error {
	_, err := h.openWith(ctx, ch, settings)
	if e, ok := errors.AsType[*connector.Error](err); ok && e.Policy == connector.Malformed {
		return chat.Faultf(chat.CodeInvalid, e.Detail)
	}
	return err
}

// PatchChannel changes a channel; the new settings count from the next message on.
func (h *Hub) PatchChannel(ctx context.Context, ws chat.WorkspaceID, id chat.ChannelID, patch ChannelPatch) (Channel, error) {
	ch, err := h.channel(ctx, ws, id)
	if err != nil {
		return Channel{}, err
	}
	settings, sealErr := h.Secrets.Open(settingsPlace(id), ch.Settings)
	if len(patch.Settings) > 0 {
		if settings, err = h.patchSettings(ch, settings, patch.Settings); err != nil {
			return Channel{}, err
		}
		sealErr = nil
		ch.Settings = h.Secrets.Seal(settingsPlace(id), settings)
		if ch.Status == store.ChannelError {
			ch.Status, ch.Detail = store.ChannelActive, "" // what was wrong may be mended: the next request will tell
		}
	}
	for dst, v := range map[*string]*string{&ch.Name: patch.Name, &ch.Flow: patch.Flow, &ch.Queue: patch.Queue} {
		if v != nil {
			*dst = *v
		}
	}
	if patch.Status != nil {
		switch s := store.ChannelStatus(*patch.Status); s {
		case store.ChannelActive, store.ChannelOff:
			ch.Status, ch.Detail = s, ""
		default:
			return Channel{}, chat.Faultf(chat.CodeInvalid, "status: active or off")
		}
	}
	if err := h.checkChannel(ctx, ch); err != nil {
		return Channel{}, err
	}
	// a channel that cannot work can still be switched off
	if ch.Status != store.ChannelOff || len(patch.Settings) > 0 {
		if sealErr != nil {
			return Channel{}, chat.Faultf(chat.CodeConflict, "the settings cannot be unsealed: give them anew, or start with the right key file")
		}
		if err := h.tryOpen(ctx, ch, settings); err != nil {
			return Channel{}, err
		}
	}
	if ch, err = h.Store.SetChannel(ctx, ch); err != nil {
		return Channel{}, err
	}
	h.forgetLine(id)
	h.tellListeners()
	return h.show(ctx, ch)
}

// patchSettings lays a patch on the old settings, which are empty if they cannot be unsealed, and checks what comes of it.
func (h *Hub) patchSettings(ch store.Channel, old, patch json.RawMessage) (json.RawMessage, error) {
	p, ok := h.platforms[ch.Connector]
	if !ok {
		return nil, chat.Faultf(chat.CodeConflict, errNoPlatform.Error())
	}
	merged, err := p.MergeSettings(old, patch)
	if err != nil {
		return nil, chat.Faultf(chat.CodeInvalid, strings.TrimPrefix(err.Error(), "malformed: "))
	}
	checked, problems := p.CheckSettings(merged, h.Random)
	if len(problems) > 0 {
		return nil, settingsFault(problems)
	}
	return checked, nil
}

// channel reads a channel of this workspace.
func (h *Hub) channel(ctx context.Context, ws chat.WorkspaceID, id chat.ChannelID) (store.Channel, error) {
	ch, err := h.Store.Channel(ctx, id)
	if err == nil && ch.Workspace != ws {
		err = chat.Faultf(chat.CodeNotFound, "no such channel")
	}
	return ch, err
}

// Channel shows one channel.
func (h *Hub) Channel(ctx context.Context, ws chat.WorkspaceID, id chat.ChannelID) (Channel, error) {
	ch, err := h.channel(ctx, ws, id)
	if err != nil {
		return Channel{}, err
	}
	return h.show(ctx, ch)
}

// Channels shows all channels of a workspace.
func (h *Hub) Channels(ctx context.Context, ws chat.WorkspaceID) ([]Channel, error) {
	rows, err := h.Store.Channels(ctx, ws)
	if err != nil {
		return nil, err
	}
	out := make([]Channel, 0, len(rows))
	for _, ch := range rows {
		shown, err := h.show(ctx, ch)
		if err != nil {
			return nil, err
		}
		out = append(out, shown)
	}
	return out, nil
}

// show hides secrets. A channel that cannot be opened is shown all the same, with what is wrong.
func (h *Hub) show(ctx context.Context, ch store.Channel) (Channel, error) {
	out := Channel{
		ID: ch.ID, Connector: ch.Connector, Name: ch.Name, Status: string(ch.Status), Detail: ch.Detail, WebhookURL: h.webhookURL(ch.ID),
		Settings: json.RawMessage("{}"), Abilities: []string{}, Flow: ch.Flow, Queue: ch.Queue, CreatedAt: ch.CreatedAt, UpdatedAt: ch.UpdatedAt,
	}
	plain, err := h.Secrets.Open(settingsPlace(ch.ID), ch.Settings)
	if err != nil {
		out.Status, out.Detail = string(store.ChannelError), "the settings cannot be unsealed: is it the right key file?"
		return out, nil
	}
	p, ok := h.platforms[ch.Connector]
	if !ok {
		out.Status, out.Detail = string(store.ChannelError), errNoPlatform.Error()
		return out, nil
	}
	out.Settings = p.Redact(plain)
	l, err := h.openWith(ctx, ch, plain)
	if err != nil {
		out.Status, out.Detail = string(store.ChannelError), err.Error()
		return out, nil
	}
	out.Abilities = l.abilities.Names()
	return out, nil
}

// DropChannel deletes a channel without conversations and tells its platform.
func (h *Hub) DropChannel(ctx context.Context, ws chat.WorkspaceID, id chat.ChannelID) error {
	if _, err := h.channel(ctx, ws, id); err != nil {
		return err
	}
	l, openErr := h.line(ctx, id)
	if err := h.Store.DropChannel(ctx, id); err != nil {
		return err
	}
	h.forgetLine(id)
	h.tellListeners()
	if openErr == nil && l.abilities.Register != nil {
		if err := l.abilities.Register.Unregister(ctx); err != nil {
			h.Log.WarnContext(ctx, "hub: webhook not taken back", "channel", id, "err", err)
		}
	}
	return nil
}

// CheckChannel asks the platform whether the settings work and says what it answered; it also ends an error that is over. Then it looks
// whether somebody can see what comes in.
func (h *Hub) CheckChannel(ctx context.Context, ws chat.WorkspaceID, id chat.ChannelID) (string, error) {
	ch, err := h.channel(ctx, ws, id)
	if err != nil {
		return "", err
	}
	l, err := h.line(ctx, id)
	if err != nil {
		return "", err
	}
	words := "the settings are complete; this platform cannot be asked"
	if l.abilities.Check != nil {
		if words, err = l.abilities.Check.Check(ctx); err != nil {
			return "", err
		}
		if err := h.Store.MarkChannel(ctx, id, store.ChannelActive, ""); err != nil {
			return "", err
		}
	}
	return words, h.checkQueue(ctx, ch)
}

// checkQueue finds a channel whose conversations would wait where nobody sees them. It may be made before its queue, so only a check tells.
func (h *Hub) checkQueue(ctx context.Context, ch store.Channel) error {
	if ch.Queue == "" {
		return nil
	}
	queues, err := h.Store.Queues(ctx, ch.Workspace)
	if err == nil && !slices.ContainsFunc(queues, func(q store.Queue) bool { return q.Name == ch.Queue }) {
		err = chat.Faultf(chat.CodeInvalid, "queue: there is none named "+ch.Queue+": make it, or nobody sees what waits there")
	}
	return err
}

// RegisterChannel tells the platform where to post to.
func (h *Hub) RegisterChannel(ctx context.Context, ws chat.WorkspaceID, id chat.ChannelID) error {
	if _, err := h.channel(ctx, ws, id); err != nil {
		return err
	}
	l, err := h.line(ctx, id)
	if err != nil {
		return err
	}
	if l.abilities.Register == nil {
		return chat.Faultf(chat.CodeInvalid, "this platform is told our address by hand: "+h.webhookURL(id))
	}
	return l.abilities.Register.Register(ctx)
}
