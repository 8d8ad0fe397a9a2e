package hub_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub"
)

func TestChannelSettings(t *testing.T) {
	t.Parallel()
	s := &script{}
	w := newWorld(t, setup{platforms: []connector.Platform{s.platform("custom", connector.Traits{})}})
	for name, c := range map[string]struct {
		in   hub.ChannelInput
		want string
	}{
		"no such connector": {hub.ChannelInput{Connector: "fax"}, "connector"},
		"missing":           {hub.ChannelInput{Connector: "custom"}, "settings.token: is needed"},
		"unknown":           {hub.ChannelInput{Connector: "custom", Settings: []byte(`{"token":"SECRETx1","tokn":1}`)}, "settings.tokn"},
		"no object":         {hub.ChannelInput{Connector: "custom", Settings: []byte(`[]`)}, "settings"},
		"refused by it":     {hub.ChannelInput{Connector: "custom", Settings: []byte(`{"token":"SECRETx1","mood":"impossible"}`)}, "mood cannot work"},
		"pattern":           {hub.ChannelInput{Connector: "telegram", Settings: []byte(`{"token":"SECRETx1"}`)}, "settings.token"},
		"no such flow":      {hub.ChannelInput{Connector: "custom", Settings: []byte(`{"token":"SECRETx1"}`), Flow: "gone"}, "flow"},
		"endless name":      {hub.ChannelInput{Connector: "custom", Settings: []byte(`{"token":"SECRETx1"}`), Name: strings.Repeat("n", 201)}, "name"},
	} {
		_, err := w.AddChannel(t.Context(), w.workspace, c.in)
		if chat.CodeOf(err) != chat.CodeInvalid || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list, err := w.Channels(t.Context(), w.workspace); err != nil || len(list) != 0 {
		t.Errorf("stored: %v, %v", list, err)
	}
}

func TestSecretsAreSealedShownAsStarsAndKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{public: "https://hub.example"})
	id := w.channel("whatsapp", number("https://graph.facebook.com"))
	shown := w.shown(id)
	text := string(asJSON(shown))
	for _, s := range w.secrets {
		if strings.Contains(text, s) {
			t.Errorf("%s is shown", s)
		}
	}
	if strings.Count(text, `"***"`) != 3 || shown.WebhookURL != "https://hub.example/in/"+string(id) || shown.Status != "active" || len(shown.Abilities) == 0 {
		t.Errorf("shown: %s", text)
	}
	before := w.settings(id)
	patched, err := w.PatchChannel(t.Context(), w.workspace, id, hub.ChannelPatch{
		Settings: asJSON(map[string]any{"access_token": "***", "app_secret": "SECRETwhatsappAPP0002", "list_label": "More"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.remember(id)
	after := w.settings(id)
	if after["access_token"] != before["access_token"] || after["verify_token"] != before["verify_token"] || after["app_secret"] != "SECRETwhatsappAPP0002" || after["list_label"] != "More" {
		t.Errorf("settings: %v", after)
	}
	if strings.Contains(string(asJSON(patched)), "SECRET") {
		t.Errorf("shown: %s", asJSON(patched))
	}
	for _, bad := range []string{`{"access_token":null}`, `{"nonsense":1}`, `[]`, `{"list_label":7}`, `{"api_version":"latest"}`} {
		if _, err := w.PatchChannel(t.Context(), w.workspace, id, hub.ChannelPatch{Settings: json.RawMessage(bad)}); chat.CodeOf(err) != chat.CodeInvalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if now := w.settings(id); string(asJSON(now)) != string(asJSON(after)) {
		t.Error("a refused change changed something")
	}
	w.close()
	for _, name := range []string{"hub.db", "hub.db-wal"} {
		raw, err := os.ReadFile(filepath.Join(w.dir, name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte("SECRET")) {
			t.Errorf("%s has a secret in the clear", name)
		}
	}
}

func TestSettingsThatCannotBeUnsealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	id := w.channel("telegram", map[string]any{"token": botToken, "secret_token": hook})
	w.close()
	w.key = bytes.Repeat([]byte{7}, 32)
	next := w.again(setup{})
	shown := next.shown(id)
	if shown.Status != "error" || !strings.Contains(shown.Detail, "key") || string(shown.Settings) != "{}" {
		t.Errorf("shown: %+v", shown)
	}
	if list, err := next.Channels(t.Context(), next.workspace); err != nil || len(list) != 1 || list[0].Status != "error" {
		t.Errorf("list: %+v, %v", list, err)
	}
	if _, err := next.Receive(t.Context(), id, update(hook, said(1, 7, "hi"))); err == nil {
		t.Error("a call was taken")
	}
	off := "off"
	if _, err := next.PatchChannel(t.Context(), next.workspace, id, hub.ChannelPatch{Status: &off}); err != nil {
		t.Errorf("it cannot be switched off: %v", err)
	}
	for _, bad := range []string{`{"mode":"webhook"}`, `{"token":"***"}`} {
		if _, err := next.PatchChannel(t.Context(), next.workspace, id, hub.ChannelPatch{Settings: json.RawMessage(bad)}); chat.CodeOf(err) != chat.CodeInvalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
	on := "active"
	got, err := next.PatchChannel(t.Context(), next.workspace, id, hub.ChannelPatch{Status: &on, Settings: asJSON(map[string]any{"token": botToken, "secret_token": hook})})
	if err != nil || got.Status != "active" {
		t.Errorf("given anew: %+v, %v", got, err)
	}
	if _, err := next.Receive(t.Context(), id, update(hook, said(1, 7, "hi"))); err != nil {
		t.Error(err)
	}
}

func TestChannelsOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	id := w.channel("simulator", map[string]any{})
	ws, err := w.store.AddWorkspace(t.Context(), "", "others")
	if err != nil {
		t.Fatal(err)
	}
	name := "mine"
	for what, err := range map[string]error{
		"show":     second(w.Channel(t.Context(), ws.ID, id)),
		"patch":    second(w.PatchChannel(t.Context(), ws.ID, id, hub.ChannelPatch{Name: &name})),
		"drop":     w.DropChannel(t.Context(), ws.ID, id),
		"check":    second(w.CheckChannel(t.Context(), ws.ID, id)),
		"register": w.RegisterChannel(t.Context(), ws.ID, id),
	} {
		if chat.CodeOf(err) != chat.CodeNotFound {
			t.Errorf("%s: %v", what, err)
		}
	}
	if list, err := w.Channels(t.Context(), ws.ID); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestCheckRegisterAndDrop(t *testing.T) {
	t.Parallel()
	api := newBotAPI(t, func(c botCall, w http.ResponseWriter, _ *http.Request) bool {
		if c.method != "getMe" {
			return false
		}
		reply(w, 200, map[string]any{"ok": true, "result": map[string]any{"id": 42, "is_bot": true, "username": "demo"}})
		return true
	})
	w := newWorld(t, setup{public: "https://hub.example"})
	id := w.channel("telegram", api.bot())
	if err := w.store.MarkChannel(t.Context(), id, "error", "broken"); err != nil {
		t.Fatal(err)
	}
	if words, err := w.CheckChannel(t.Context(), w.workspace, id); err != nil || words != "bot @demo" || w.shown(id).Status != "active" {
		t.Errorf("%q, %v, %s", words, err, w.shown(id).Status)
	}
	if err := w.RegisterChannel(t.Context(), w.workspace, id); err != nil {
		t.Fatal(err)
	}
	if err := w.DropChannel(t.Context(), w.workspace, id); err != nil {
		t.Fatal(err)
	}
	var methods []string
	for _, c := range api.all() {
		methods = append(methods, c.method)
		if c.method == "setWebhook" && c.params["url"] != "https://hub.example/in/"+string(id) {
			t.Errorf("registered %v", c.params)
		}
	}
	if got := strings.Join(methods, " "); got != "getMe setWebhook deleteWebhook" {
		t.Errorf("called %s", got)
	}
	if _, err := w.Channel(t.Context(), w.workspace, id); chat.CodeOf(err) != chat.CodeNotFound {
		t.Errorf("dropped: %v", err)
	}
	other := w.channel("simulator", map[string]any{})
	w.meet(other, "ann")
	if err := w.DropChannel(t.Context(), w.workspace, other); chat.CodeOf(err) != chat.CodeConflict {
		t.Errorf("a channel with conversations: %v", err)
	}
}

func TestOldSettingsEndWhateverTheClockDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	id := w.channel("telegram", map[string]any{"token": botToken, "secret_token": hook})
	if _, err := w.Receive(t.Context(), id, update(hook, said(1, 7, "hi"))); err != nil {
		t.Fatal(err)
	}
	row, err := w.store.Channel(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	row.Settings = w.ring.Seal("channel/"+string(id)+"/settings", asJSON(map[string]any{"token": botToken, "secret_token": "SECRETtelegramHOOK0002"}))
	if _, err := w.store.SetChannel(t.Context(), row); err != nil { // as another node does
		t.Fatal(err)
	}
	w.secrets = append(w.secrets, "SECRETtelegramHOOK0002")
	w.clock.advance(-time.Hour)
	if _, err := w.Receive(t.Context(), id, update(hook, said(2, 7, "hi"))); policyOf(err) != connector.Unsigned {
		t.Errorf("a call with the old secret: %v", err)
	}
	if _, err := w.Receive(t.Context(), id, update("SECRETtelegramHOOK0002", said(2, 7, "hi"))); err != nil {
		t.Errorf("a call with the new secret: %v", err)
	}
}
