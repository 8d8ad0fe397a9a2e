package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

const appSecret = "whatsapp-app-secret-1"

// graph stands for the Graph API: it takes messages and names them wamid.1, wamid.2, ...
type graph struct {
	*httptest.Server
	mu   sync.Mutex
	sent []graphMessage
}

type graphMessage struct {
	number, to, text, id string
}

func newGraph(t testing.TB) *graph {
	g := &graph{}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

func (g *graph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m struct {
		To   string                `json:"to"`
		Text struct{ Body string } `json:"text"`
		Type string                `json:"type"`
	}
	number, _, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v23.0/"), "/messages")
	if !ok || json.NewDecoder(r.Body).Decode(&m) != nil || r.Header.Get("Authorization") != "Bearer access-token-1" {
		http.Error(w, `{"error":{"message":"no","code":100}}`, http.StatusBadRequest)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	id := fmt.Sprintf("wamid.%d", len(g.sent)+1)
	if m.Type == "text" {
		g.sent = append(g.sent, graphMessage{number, m.To, m.Text.Body, id})
	}
	_, _ = fmt.Fprintf(w, `{"messaging_product":"whatsapp","contacts":[{"input":%q,"wa_id":%q}],"messages":[{"id":%q}]}`, m.To, m.To, id)
}

func (g *graph) all() []graphMessage {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]graphMessage(nil), g.sent...)
}

// TestWhatsApp takes one signed call with messages for two of our numbers, answers them, and follows receipts in any order.
func TestWhatsApp(t *testing.T) {
	t.Parallel()
	platform := newGraph(t)
	hub := startHub(t, t.TempDir())
	c := hub.client()
	must(t, c, http.MethodPut, "/v1/flows/echo", json.RawMessage(echoFlow), nil)
	numbers := map[string]string{}
	for _, number := range []string{"1001", "2002"} {
		numbers[number] = addChannel(t, c, "whatsapp", "echo", map[string]any{
			"phone_number_id": number, "access_token": "access-token-1", "app_secret": appSecret, "verify_token": "verify-me", "api_base": platform.URL,
		}).ID
	}
	body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"9","changes":[%s,%s]}]}`,
		whatsAppTexts("1001", "15550100200", "Sam", "first", "second"), whatsAppTexts("2002", "15550100300", "Kim", "hello"))
	for _, channel := range numbers {
		for range 2 { // a redelivery
			if status := callWhatsApp(t, hub, channel, body, appSecret); status != http.StatusOK {
				t.Errorf("status %d", status)
			}
		}
		if status := callWhatsApp(t, hub, channel, body, "wrong"); status != http.StatusUnauthorized {
			t.Errorf("wrongly signed: status %d", status)
		}
	}
	sam, kim := only(t, c, numbers["1001"]), only(t, c, numbers["2002"])
	first, second := said(t, c, sam, "re first", chat.Sent), said(t, c, sam, "re second", chat.Sent)
	said(t, c, kim, "re hello", chat.Sent)
	var texts []string
	for _, m := range platform.all() {
		if m.number == "1001" {
			texts = append(texts, m.to+" "+m.text)
		}
	}
	if got := strings.Join(texts, ", "); got != "15550100200 re first, 15550100200 re second" || len(platform.all()) != 3 {
		t.Errorf("sent %s, %d in all", got, len(platform.all()))
	}

	receipts := func(id string, statuses ...string) {
		for _, s := range statuses {
			if status := callWhatsApp(t, hub, numbers["1001"], whatsAppStatus("1001", id, s), appSecret); status != http.StatusOK {
				t.Errorf("status %d", status)
			}
		}
	}
	for _, s := range []chat.Status{chat.Sent, chat.Delivered, chat.Read} {
		receipts(first.ExternalID, string(s))
		said(t, c, sam, "re first", s)
	}
	receipts(second.ExternalID, "read", "delivered", "sent") // out of order: it never goes back
	said(t, c, sam, "re second", chat.Read)

	status, answer := call(t, http.MethodGet, hub.url+"/in/"+numbers["1001"]+"?hub.mode=subscribe&hub.verify_token=verify-me&hub.challenge=4711", nil, "")
	if status != http.StatusOK || answer != "4711" {
		t.Errorf("challenge: status %d, %q", status, answer)
	}
}

func callWhatsApp(t testing.TB, hub *process, channel, body, secret string) int {
	t.Helper()
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	status, _ := call(t, http.MethodPost, hub.url+"/in/"+channel, map[string]string{
		"Content-Type": "application/json", "X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
	}, body)
	return status
}

// whatsAppTexts is one change: messages of one person to one of our numbers.
func whatsAppTexts(number, from, name string, texts ...string) string {
	var list []string
	for i, text := range texts {
		list = append(list, fmt.Sprintf(`{"from":%q,"id":"wamid.in.%s.%d","timestamp":"%d","type":"text","text":{"body":%q}}`,
			from, number, i, time.Now().Unix(), text))
	}
	return fmt.Sprintf(`{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"1","phone_number_id":%q},
 "contacts":[{"profile":{"name":%q},"wa_id":%q}],"messages":[%s]}}`, number, name, from, strings.Join(list, ","))
}

func whatsAppStatus(number, id, status string) string {
	return fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"9","changes":[{"field":"messages","value":{"messaging_product":"whatsapp",
 "metadata":{"display_phone_number":"1","phone_number_id":%q},"statuses":[{"id":%q,"status":%q,"timestamp":"%d","recipient_id":"15550100200"}]}}]}]}`,
		number, id, status, time.Now().Unix())
}
