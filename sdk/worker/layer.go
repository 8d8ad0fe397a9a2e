package worker

import (
	"iter"
)

// Layer is one bubble of an answer: one of the types below.
type Layer interface{ layer() shape }

// shape is what all layers have in common.
type shape struct {
	Type    string
	Payload any
	Deltas  iter.Seq2[string, error] // of a Stream
	Refs    *References              // of a Stream, with its last chunk
	Meta    any
	State   any
}

// Text is Markdown, with the sources that it rests on.
type Text struct {
	Content    string
	References *References
	ToolCalls  []any
}

// Stream is a text that grows while it is made: each delta is sent at once. References may be filled in
// until the last delta.
type Stream struct {
	Deltas     iter.Seq2[string, error]
	References *References
}

// FileUpload asks for a file. Files gives the largest size in bytes by extension ("pdf").
type FileUpload struct {
	Content  string
	Files    map[string]int64
	MaxFiles int // 0: as the client likes
}

// FileDownload offers a file.
type FileDownload struct {
	Content string `json:"content"`
	Name    string `json:"name"`
	URL     string `json:"url"`
}

// ThumbsRating asks for a thumb up or down, under the bubble before it.
type ThumbsRating struct {
	Hint             string
	FullConversation bool // it is about the whole conversation, not about the last answer
}

// StarRating asks for stars.
type StarRating struct {
	Hint             string
	Stars            int // 0: five
	Explanation      string
	FullConversation bool
}

// TextFeedback asks for words.
type TextFeedback struct {
	Hint             string
	Placeholder      string
	FullConversation bool
}

// Buttons is a text with things to press below it; Conversation.Pressed tells which one was. Channels without buttons get a numbered
// list. It is Dragoman's own: ChatFAQ's widget draws it in a custom frame only.
type Buttons struct {
	Content string
	Buttons []Button
	Once    bool // they vanish when one is pressed, as quick replies do
}

// Button is one of them: it gives its ID back, or opens a page.
type Button struct {
	ID    string `json:"payload,omitempty"` // "": the title
	Title string `json:"title"`
	URL   string `json:"url,omitempty"`
}

// ToolUse says that a tool is called; people do not see it by default.
type ToolUse struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Args any    `json:"args"`
}

// ToolResult is what the tool gave.
type ToolResult struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Result any    `json:"result"`
}

// GTMTag is pushed to the page's window.dataLayer; people do not see it.
type GTMTag map[string]any

// CloseConversation ends the conversation.
type CloseConversation struct{}

// Custom is any other layer that the client knows.
type Custom struct {
	Type    string
	Payload any
}

// WithMeta gives a layer metadata.
func WithMeta(l Layer, meta map[string]any) Layer { return dressed{l, meta, nil} }

// WithState gives a layer a value that the next calls find in Conversation.State. The next layer without one
// wipes it: for memory that lasts see Conversation.SetStatus.
func WithState(l Layer, state any) Layer { return dressed{l, nil, state} }

type dressed struct {
	inner Layer
	meta  any
	state any
}

func (d dressed) layer() shape {
	s := d.inner.layer()
	if d.meta != nil {
		s.Meta = d.meta
	}
	if d.state != nil {
		s.State = d.state
	}
	return s
}

// References are the sources of a text. AI.Retrieve gives them in this form. Ids are numbers or texts.
type References struct {
	KnowledgeBaseID any               `json:"knowledge_base_id,omitempty"`
	KnowledgeItems  []KnowledgeItem   `json:"knowledge_items"`
	Images          map[string]string `json:"knowledge_item_images"` // name in Markdown -> URL
}

// KnowledgeItem is one source; clients need its URL and its title.
type KnowledgeItem struct {
	ID         any               `json:"knowledge_item_id,omitempty"`
	Title      string            `json:"title"`
	Content    string            `json:"content,omitempty"`
	URL        string            `json:"url"`
	Section    string            `json:"section,omitempty"`
	Role       string            `json:"role,omitempty"`
	Page       int               `json:"page_number,omitempty"`
	ImageURLs  map[string]string `json:"image_urls,omitempty"`
	Similarity float64           `json:"similarity,omitempty"`
}

type object = map[string]any

func (t Text) layer() shape {
	calls := t.ToolCalls
	if calls == nil {
		calls = []any{}
	}
	return shape{Type: "message", Payload: object{
		"content": t.Content, "references": wireReferences(t.References), "tool_calls": calls,
	}}
}

func (s Stream) layer() shape {
	return shape{Type: "message_chunk", Deltas: s.Deltas, Refs: s.References}
}

func (f FileUpload) layer() shape {
	files := object{}
	for extension, size := range f.Files {
		files[extension] = object{"max_size": size}
	}
	payload := object{"content": f.Content, "files": files}
	if f.MaxFiles > 0 {
		payload["max_files"] = f.MaxFiles
	}
	return shape{Type: "file_upload", Payload: payload}
}

func (f FileDownload) layer() shape { return shape{Type: "file_download", Payload: f} }

func (r ThumbsRating) layer() shape {
	return shape{Type: "thumbs_rating", Payload: object{
		"hint": orNull(r.Hint), "merge_to_prev": true, "full_conversation": r.FullConversation,
	}}
}

func (r StarRating) layer() shape {
	stars := r.Stars
	if stars == 0 {
		stars = 5
	}
	return shape{Type: "star_rating", Payload: object{
		"hint": orNull(r.Hint), "merge_to_prev": false, "full_conversation": r.FullConversation,
		"num_stars": stars, "explanation": orNull(r.Explanation),
	}}
}

func (r TextFeedback) layer() shape {
	return shape{Type: "text_feedback", Payload: object{
		"hint": orNull(r.Hint), "merge_to_prev": false, "full_conversation": r.FullConversation,
		"placeholder": orNull(r.Placeholder),
	}}
}

func (b Buttons) layer() shape {
	kind := "buttons"
	if b.Once {
		kind = "quick_replies"
	}
	return shape{Type: kind, Payload: object{"content": b.Content, "buttons": append([]Button{}, b.Buttons...)}}
}

func (t ToolUse) layer() shape         { return shape{Type: "tool_use", Payload: t} }
func (t ToolResult) layer() shape      { return shape{Type: "tool_result", Payload: t} }
func (g GTMTag) layer() shape          { return shape{Type: "gtm_tag", Payload: object(g)} }
func (CloseConversation) layer() shape { return shape{Type: "close_conversation", Payload: object{}} }
func (c Custom) layer() shape          { return shape{Type: c.Type, Payload: c.Payload} }

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func wireReferences(r *References) any {
	if r == nil {
		return object{}
	}
	whole := *r
	if whole.KnowledgeItems == nil {
		whole.KnowledgeItems = []KnowledgeItem{}
	}
	if whole.Images == nil {
		whole.Images = map[string]string{}
	}
	return whole
}
