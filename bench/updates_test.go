//go:build unix

package bench

import (
	"encoding/json"
	"strconv"

	"github.com/dragoman-hub/dragoman/chat"
)

// botToken and botSecret are those of the benchmark's bot.
const (
	botToken  = "123456:ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghi"
	botSecret = "bench-secret-token-1"
)

func telegramChannel() channelSpec {
	settings, _ := json.Marshal(map[string]string{"token": botToken, "secret_token": botSecret}) // strings: cannot fail
	return channelSpec{Connector: "telegram", Settings: settings}
}

// texts are what people write: short, with an entity, and long.
var texts = []string{
	`"text":"hello there, is my order on its way?"`,
	`"text":"I have ordered at www.example.com on Monday and it should have come by now","entities":[{"type":"url","offset":18,"length":15}],"link_preview_options":{"is_disabled":true}`,
	`"text":"Good morning! The parcel came today, but one of the two lamps has a broken shade. I have kept the packing and ` +
		`made three pictures of it. \u00dcbrigens: the invoice shows both lamps at the full price. Could you please send a new shade, or take ` +
		`the lamp back? I am at home from 17:00 on. \ud83d\ude4f"`,
}

// updates are text messages to a Telegram bot. Each chat has its turn before the first writes again.
type updates struct {
	people int64
	path   string
}

// firstNumber makes all numbers equally long, so that one Content-Length fits all requests of a form.
const firstNumber = 1_000_000_000

// append appends the i-th update as an HTTP request: all numbers have ten digits.
func (u updates) append(buf []byte, i int64) []byte {
	text := texts[i%int64(len(texts))]
	person := firstNumber + i%u.people
	const frame = `{"update_id":,"message":{"message_id":,"from":{"id":,"is_bot":false,"first_name":"Robin","last_name":"Sample","username":"robin_",` +
		`"language_code":"en"},"chat":{"id":,"first_name":"Robin","last_name":"Sample","username":"robin_","type":"private"},"date":,}}`
	buf = append(buf, "POST "...)
	buf = append(buf, u.path...)
	buf = append(buf, " HTTP/1.1\r\nHost: hub.example.com\r\nContent-Type: application/json\r\nAccept-Encoding: gzip, deflate\r\n"+
		"X-Telegram-Bot-Api-Secret-Token: "+botSecret+"\r\nContent-Length: "...)
	buf = strconv.AppendInt(buf, int64(len(frame)+7*10+len(text)), 10)
	buf = append(buf, "\r\n\r\n"...)
	buf = append(buf, `{"update_id":`...)
	buf = strconv.AppendInt(buf, firstNumber+i, 10)
	buf = append(buf, `,"message":{"message_id":`...)
	buf = strconv.AppendInt(buf, firstNumber+i, 10)
	for _, part := range [...]string{
		`,"from":{"id":`, `,"is_bot":false,"first_name":"Robin","last_name":"Sample","username":"robin_`, `","language_code":"en"},"chat":{"id":`,
		`,"first_name":"Robin","last_name":"Sample","username":"robin_`,
	} {
		buf = append(buf, part...)
		buf = strconv.AppendInt(buf, person, 10)
	}
	buf = append(buf, `","type":"private"},"date":1763697600,`...)
	buf = append(buf, text...)
	return append(buf, "}}"...)
}

func inPath(id chat.ChannelID) string { return "/in/" + string(id) }
