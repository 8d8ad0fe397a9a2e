package webhook

import "github.com/dragoman-hub/dragoman/chat"

// data is where the members of an event are: in .data, as Standard Webhooks has it, or in the event itself.
const data = `((.data | objects) // .)`

// defaultEach takes the body for one event, or a list for several.
const defaultEach = `if type == "array" then .[] else . end`

// defaultFields are the programs that find an event's fields. receive.events replaces them one by one.
var defaultFields = map[string]string{
	"kind":          `.type // .kind // "message"`,
	"key":           `null`,
	"id":            data + `.id`,
	"thread":        data + ` | (.conversation // .thread) | if type == "object" then .id else . end`,
	"topic":         data + `.topic`,
	"group":         data + `.group`,
	"group_title":   data + `.group_title`,
	"from":          data + `.from | if type == "object" then .id else . end`,
	"name":          personal("name"),
	"first_name":    personal("first_name"),
	"last_name":     personal("last_name"),
	"username":      personal("username"),
	"language":      personal("language"),
	"phone":         personal("phone"),
	"email":         personal("email"),
	"at":            `.timestamp // ` + data + `.timestamp // ` + data + `.at`,
	"text":          data + `.text`,
	"attachments":   data + `.attachments`,
	"stack":         data + `.stack`,
	"payload":       data + `.payload`,
	"payload_title": data + `.title`,
	"reply_to":      data + `.reply_to | if type == "object" then .id else . end`,
	"start":         data + `.start`,
	"echo":          data + `.echo`,
	"target":        data + ` | .target // .id`,
	"status":        data + `.status`,
	"up_to":         data + `.up_to`,
	"error_code":    data + `.error | if type == "object" then .code else null end`,
	"error":         data + `.error | if type == "object" then (.detail // .message) else . end`,
	"reaction":      data + ` | .reaction // .emoji`,
	"removed":       data + `.removed`,
	"to":            data + `.to`,
}

// personal finds a member of the sender, who may be an object or not.
func personal(name string) string {
	return `(` + data + `.from | objects | .` + name + `) // ` + data + `.` + name
}

// kindWords are the words that a kind may have in an event; receive.kinds adds others.
var kindWords = map[string]chat.Kind{
	"message": chat.KindMessage, "message.created": chat.KindMessage,
	"edited": chat.KindEdited, "message.updated": chat.KindEdited, "message.edited": chat.KindEdited,
	"deleted": chat.KindDeleted, "message.deleted": chat.KindDeleted,
	"reaction": chat.KindReaction, "message.reaction": chat.KindReaction,
	"receipt": chat.KindReceipt, "status": chat.KindReceipt, "message.status": chat.KindReceipt,
	"typing": chat.KindTyping, "ignored": chat.KindIgnored, "unsupported": chat.KindUnsupported,
	"blocked": chat.KindBlocked, "contact.blocked": chat.KindBlocked,
	"unblocked": chat.KindUnblocked, "contact.unblocked": chat.KindUnblocked,
	"joined": chat.KindJoined, "contact.joined": chat.KindJoined,
	"left": chat.KindLeft, "contact.left": chat.KindLeft,
	"moved": chat.KindMoved, "contact.moved": chat.KindMoved,
}

// statusWords are the words that a status may have; receive.statuses adds others. An empty status is of no use to us.
var statusWords = map[string]chat.Status{
	"sent": chat.Sent, "delivered": chat.Delivered, "read": chat.Read, "failed": chat.Failed,
	"accepted": chat.Sent, "seen": chat.Read, "undelivered": chat.Failed, "undeliverable": chat.Failed,
	"rejected": chat.Failed, "error": chat.Failed, "expired": chat.Failed,
	"queued": "", "pending": "", "sending": "", "ignored": "",
}

// attachmentTypes are the words that an attachment's type may have. Any other is a file.
var attachmentTypes = map[string]chat.ElementType{
	"image": chat.Image, "photo": chat.Image, "picture": chat.Image,
	"audio": chat.Audio, "voice": chat.Voice, "video": chat.Video,
	"file": chat.File, "document": chat.File, "sticker": chat.Sticker,
}

// defaultBodies are the outgoing bodies of channels that have none of their own; the names are the settings'.
var defaultBodies = map[string]string{
	"send": `{"type": "message.created", "timestamp": "{{ .timestamp }}", "data": {
		"id": "{{ .key }}", "conversation": "{{ .conversation }}", "topic": "{{ .topic | select(. != \"\") }}",
		"to": "{{ .to }}", "text": "{{ .text }}", "stack": "{{ .stack }}",
		"attachments": "{{ .attachments | select(length > 0) }}", "reply_to": "{{ .reply_to | select(. != \"\") }}"}}`,
	"edit": `{"type": "message.updated", "timestamp": "{{ .timestamp }}", "data": {
		"id": "{{ .id }}", "conversation": "{{ .conversation }}", "text": "{{ .text }}", "stack": "{{ .stack }}",
		"attachments": "{{ .attachments | select(length > 0) }}"}}`,
	"delete": `{"type": "message.deleted", "timestamp": "{{ .timestamp }}", "data": {
		"id": "{{ .id }}", "conversation": "{{ .conversation }}"}}`,
	"typing": `{"type": "typing", "timestamp": "{{ .timestamp }}", "data": {
		"conversation": "{{ .conversation }}", "to": "{{ .to }}"}}`,
	"mark_read": `{"type": "message.read", "timestamp": "{{ .timestamp }}", "data": {
		"id": "{{ .id }}", "conversation": "{{ .conversation }}"}}`,
}

// defaultSentID finds the message's id in the answer.
const defaultSentID = `objects | .id // (.data | objects | .id)`
