package telegram

import "encoding/json"

// The parts of the Bot API's objects that we read. Ids are 64 bits wide.

type user struct {
	ID        int64  `json:"id"`
	IsBot     bool   `json:"is_bot"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Username  string `json:"username"`
	Language  string `json:"language_code"`
}

type room struct { // "Chat" in the Bot API
	ID        int64  `json:"id"`
	Type      string `json:"type"` // private, group, supergroup, channel
	Title     string `json:"title"`
	Username  string `json:"username"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
}

// envelope is what every message has, whatever it says.
type envelope struct {
	MessageID  int64  `json:"message_id"`
	ThreadID   int64  `json:"message_thread_id"`
	IsTopic    bool   `json:"is_topic_message"`
	DirectTo   *topic `json:"direct_messages_topic"`
	From       *user  `json:"from"`
	SenderChat *room  `json:"sender_chat"`
	Date       int64  `json:"date"`
	EditDate   int64  `json:"edit_date"`
	Business   string `json:"business_connection_id"`
	Chat       *room  `json:"chat"`
}

type topic struct {
	ID int64 `json:"topic_id"`
}

type message struct {
	envelope
	Forward       *origin   `json:"forward_origin"`
	ReplyTo       *replied  `json:"reply_to_message"`
	ExternalReply *replied  `json:"external_reply"`
	ReplyToStory  *story    `json:"reply_to_story"`
	Quote         *quote    `json:"quote"`
	Album         string    `json:"media_group_id"`
	Author        string    `json:"author_signature"`
	Markup        *keyboard `json:"reply_markup"`

	Text            string   `json:"text"`
	Entities        []entity `json:"entities"`
	Caption         string   `json:"caption"`
	CaptionEntities []entity `json:"caption_entities"`

	Photo     []file    `json:"photo"`
	LivePhoto *file     `json:"live_photo"`
	Animation *file     `json:"animation"`
	Audio     *file     `json:"audio"`
	Document  *file     `json:"document"`
	Sticker   *file     `json:"sticker"`
	Video     *file     `json:"video"`
	VideoNote *file     `json:"video_note"`
	Voice     *file     `json:"voice"`
	Contact   *card     `json:"contact"`
	Location  *location `json:"location"`
	Venue     *venue    `json:"venue"`
	Poll      *poll     `json:"poll"`
	WebApp    *webApp   `json:"web_app_data"`

	Joined      []user `json:"new_chat_members"`
	Left        *user  `json:"left_chat_member"`
	MigrateTo   int64  `json:"migrate_to_chat_id"`
	MigrateFrom int64  `json:"migrate_from_chat_id"`
}

type origin struct {
	Type       string `json:"type"` // user, hidden_user, chat, channel
	User       *user  `json:"sender_user"`
	HiddenName string `json:"sender_user_name"`
	SenderChat *room  `json:"sender_chat"`
	Chat       *room  `json:"chat"`
}

type replied struct {
	MessageID    int64           `json:"message_id"`
	Chat         *room           `json:"chat"`
	TopicCreated json.RawMessage `json:"forum_topic_created"`
}

type story struct {
	Chat *room `json:"chat"`
	ID   int64 `json:"id"`
}

type quote struct {
	Text string `json:"text"`
}

type keyboard struct {
	Inline [][]struct {
		Text string `json:"text"`
		Data string `json:"callback_data"`
	} `json:"inline_keyboard"`
}

// file joins what PhotoSize, Document, Audio, Video, VideoNote, Voice, Animation and Sticker tell.
type file struct {
	ID         string  `json:"file_id"`
	Name       string  `json:"file_name"`
	MIME       string  `json:"mime_type"`
	Size       int64   `json:"file_size"`
	Width      int     `json:"width"`
	Height     int     `json:"height"`
	Diameter   int     `json:"length"` // of a video note
	Duration   float64 `json:"duration"`
	Emoji      string  `json:"emoji"`
	IsAnimated bool    `json:"is_animated"`
	IsVideo    bool    `json:"is_video"`
	Title      string  `json:"title"`
	Performer  string  `json:"performer"`
}

type card struct { // "Contact" in the Bot API
	Phone     string `json:"phone_number"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	UserID    int64  `json:"user_id"`
	VCard     string `json:"vcard"`
}

type location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Live      int     `json:"live_period"`
}

type venue struct {
	Location location `json:"location"`
	Title    string   `json:"title"`
	Address  string   `json:"address"`
}

type poll struct {
	ID        string `json:"id"`
	Question  string `json:"question"`
	Anonymous bool   `json:"is_anonymous"`
	Multiple  bool   `json:"allows_multiple_answers"`
	Options   []struct {
		Text string `json:"text"`
	} `json:"options"`
}

type webApp struct {
	Data  string `json:"data"`
	Title string `json:"button_text"`
}

type callbackQuery struct {
	ID       string   `json:"id"`
	From     *user    `json:"from"`
	Message  *message `json:"message"`
	InlineID string   `json:"inline_message_id"`
	Data     string   `json:"data"`
	Game     string   `json:"game_short_name"`
}

type reactionChange struct {
	Chat      *room      `json:"chat"`
	MessageID int64      `json:"message_id"`
	User      *user      `json:"user"`
	ActorChat *room      `json:"actor_chat"`
	Date      int64      `json:"date"`
	Old       []reaction `json:"old_reaction"`
	New       []reaction `json:"new_reaction"`
}

type reaction struct {
	Type   string `json:"type"` // emoji, custom_emoji, paid
	Emoji  string `json:"emoji,omitempty"`
	Custom string `json:"custom_emoji_id,omitempty"`
}

type memberChange struct {
	Chat *room  `json:"chat"`
	From *user  `json:"from"`
	Date int64  `json:"date"`
	Old  member `json:"old_chat_member"`
	New  member `json:"new_chat_member"`
}

type member struct {
	User     *user  `json:"user"`
	Status   string `json:"status"` // creator, administrator, member, restricted, left, kicked
	IsMember bool   `json:"is_member"`
}

type businessDeletion struct {
	Business string  `json:"business_connection_id"`
	Chat     *room   `json:"chat"`
	IDs      []int64 `json:"message_ids"`
}
