package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/telemetry"
	"github.com/dragoman-hub/dragoman/wake"
)

// defaultBody is the largest webhook body of a platform that names no other, in bytes.
const defaultBody = 1 << 20

// MaxBody is how large a webhook call of a channel may be, in bytes.
func (h *Hub) MaxBody(ctx context.Context, id chat.ChannelID) (int64, error) {
	l, err := h.line(ctx, id)
	if err != nil {
		return 0, err
	}
	if n := l.traits.MaxBody; n > 0 {
		return n, nil
	}
	return defaultBody, nil
}

// Receive takes a webhook call: the connector verifies and parses, the events are stored, and only then there is a reply. An
// error is a *connector.Error (unsigned, malformed) or a *chat.Fault, and then nothing of the call was left half stored: the
// platform sends it again and what was stored is known.
func (h *Hub) Receive(ctx context.Context, id chat.ChannelID, req connector.Request) (connector.Reply, error) {
	begun := h.Now()
	l, err := h.line(ctx, id)
	if err != nil {
		return connector.Reply{}, err
	}
	if l.channel.Status == store.ChannelOff {
		return connector.Reply{}, chat.Faultf(chat.CodeForbidden, "the channel is switched off")
	}
	if l.abilities.Receive == nil {
		return connector.Reply{}, chat.Faultf(chat.CodeNotFound, "this channel has no webhook")
	}
	ctx = withAction(ctx)
	ctx, span := h.Tracer.Start(ctx, "in "+l.channel.Connector)
	defer span.End()
	d, err := l.abilities.Receive.Receive(ctx, req)
	if err != nil {
		h.Meter.Message(id, chat.In, "", string(connector.AsError(err).Policy))
		return connector.Reply{}, err
	}
	if err := h.take(ctx, l, d.Events); err != nil {
		return connector.Reply{}, err
	}
	h.Meter.Ingest(h.Now().Sub(begun))
	return d.Reply, nil
}

// withAction gives a context an action id if it has none.
func withAction(ctx context.Context) context.Context {
	if telemetry.Action(ctx) != "" {
		return ctx
	}
	return telemetry.WithAction(ctx, chat.ActionID(chat.NewID()))
}

// take stores events in their order; it answers when all are durable.
func (h *Hub) take(ctx context.Context, l *line, events []chat.Incoming) error {
	ctx = withAction(ctx)
	action := telemetry.Action(ctx)
	var cmds []store.Command
	var kept []chat.Incoming
	for _, in := range events {
		switch in.Kind {
		case chat.KindTyping:
			h.showTyping(ctx, l, in)
			continue
		case chat.KindIgnored:
			h.Meter.Message(l.channel.ID, chat.In, in.Kind, "ignored")
			continue
		default:
		}
		if err := h.longPayloads(ctx, l, &in); err != nil {
			return err
		}
		cmds = append(cmds, &store.Receive{Channel: l.channel.ID, In: in, Titles: l.titlesOnly(), Action: action})
		kept = append(kept, in)
	}
	results, errs := h.Store.AppendAll(ctx, cmds)
	for i, err := range errs {
		if code := chat.CodeOf(err); err != nil && (code == chat.CodeInvalid || code == "") { // to repeat it would not help
			results[i], err = h.keepRaw(ctx, l, kept[i], action, err)
		}
		if err != nil {
			return err
		}
		result := "stored"
		if results[i].Duplicate {
			result = "duplicate"
		}
		h.Meter.Message(l.channel.ID, chat.In, kept[i].Kind, result)
		h.Log.DebugContext(ctx, "in", "channel", l.channel.ID, "kind", kept[i].Kind, "key", kept[i].Key, "result", result)
	}
	h.queueAcks(ctx, l, kept)
	return nil
}

// keepRaw stores what breaks a rule of the log as unsupported: nothing vanishes, and the platform need not repeat it for ever.
func (h *Hub) keepRaw(ctx context.Context, l *line, in chat.Incoming, action chat.ActionID, why error) (store.Result, error) {
	h.Log.WarnContext(ctx, "hub: an event was kept raw", "channel", l.channel.ID, "kind", in.Kind, "why", why)
	raw, err := json.Marshal(in)
	if err != nil {
		raw = asText(in)
	}
	key := in.Key
	if key == "" || len(key) > maxKey {
		sum := sha256.Sum256(raw) // a redelivery has the same content
		key = "raw/" + hex.EncodeToString(sum[:])
	}
	return h.Store.Append(ctx, &store.Receive{Channel: l.channel.ID, Action: action, In: chat.Incoming{
		Key: key, Kind: chat.KindUnsupported, At: in.At, Raw: raw,
	}})
}

// asText shows an event whose connector passed on what is no JSON.
func asText(in chat.Incoming) json.RawMessage {
	var stack []string
	if in.Message != nil {
		for _, e := range in.Message.Stack {
			stack = append(stack, string(e.Type)+" "+string(e.Payload))
		}
	}
	raw, _ := json.Marshal(map[string]any{ // plain data: cannot fail
		"Kind": in.Kind, "Thread": in.Thread, "Sender": in.Sender, "ID": in.ID, "Target": in.Target, "Stack": stack, "Raw": string(in.Raw),
	})
	return raw
}

// maxKey is how long an event's key may be, in bytes.
const maxKey = 200

// showTyping passes a signal on; it is not stored, and for a conversation that is not open it is of no use.
func (h *Hub) showTyping(ctx context.Context, l *line, in chat.Incoming) {
	id, err := h.Store.OpenConversation(ctx, l.channel.ID, in.Thread)
	if err != nil || id == "" {
		return
	}
	h.Wake.Typing(wake.Typing{
		Workspace: l.channel.Workspace, Conversation: id, On: true,
		Sender: chat.Party{Type: chat.PartyContact, ID: in.Sender.Address, Name: in.Sender.Name},
	})
}

// shortForm is a key that stands for a payload that was too long for its platform (see shortPayload).
var shortForm = regexp.MustCompile(`^~[A-Za-z0-9_-]{22}$`)

// longPayloads puts the payloads back that buttons could not carry.
func (h *Hub) longPayloads(ctx context.Context, l *line, in *chat.Incoming) error {
	if in.Message == nil {
		return nil
	}
	for i, e := range in.Message.Stack {
		if e.Type != chat.Choice {
			continue
		}
		var p chat.ChoicePayload
		if e.Into(&p) != nil || !shortForm.MatchString(p.Payload) {
			continue
		}
		full, err := h.Store.Payload(ctx, l.channel.Workspace, p.Payload)
		if chat.CodeOf(err) == chat.CodeNotFound {
			continue
		}
		if err != nil {
			return err
		}
		p.Payload = full
		in.Message.Stack[i] = chat.NewElement(chat.Choice, p)
	}
	return nil
}

// queueAcks tells the platform, later, that an event is stored. It is a courtesy: when too many wait, some are left out.
func (h *Hub) queueAcks(ctx context.Context, l *line, events []chat.Incoming) {
	if l.abilities.Acknowledge == nil {
		return
	}
	action := telemetry.Action(ctx)
	for _, in := range events {
		if in.Ack == "" {
			continue
		}
		ack := func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(telemetry.WithAction(ctx, action), 10*time.Second)
			defer cancel()
			if err := l.abilities.Acknowledge.Acknowledge(ctx, in.Ack); err != nil {
				h.Log.InfoContext(ctx, "hub: not acknowledged", "channel", l.channel.ID, "err", err)
			}
		}
		select {
		case h.acks <- ack:
		default:
		}
	}
}

func (h *Hub) acknowledge(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case ack := <-h.acks:
			h.safely(ctx, ack)
		}
	}
}

// safely keeps the program alive when a connector breaks down over a courtesy.
func (h *Hub) safely(ctx context.Context, do func(context.Context)) {
	defer func() {
		if p := recover(); p != nil {
			h.Log.ErrorContext(ctx, "hub: a connector panicked", "panic", p)
		}
	}()
	do(ctx)
}
