package rpc

import (
	"context"
	"net/http"
	"strconv"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// maxPicture is the largest picture of an item, in bytes.
const maxPicture = 10 << 20

// pictureEndings are the kinds of pictures that pages draw, with the endings of their names.
var pictureEndings = map[string]string{"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp"}

// pictureView is a picture of an item in the protocol's words.
type pictureView struct {
	ID      int64   `json:"id"`
	Item    int64   `json:"knowledge_item"`
	Link    *string `json:"image_file"`
	Name    string  `json:"image_file_name"`
	Caption *string `json:"image_caption"`
}

// addPicture stores a picture of an item. The SDK writes its name into the item's text.
func (s *Server) addPicture(w http.ResponseWriter, r *http.Request, token store.Token) error {
	f, err := readForm(r, maxPicture)
	if err != nil {
		return err
	}
	wrong := invalidError{}
	id, err := strconv.ParseInt(f.fields["knowledge_item"], 10, 64)
	if err != nil {
		wrong["knowledge_item"] = []string{wordRequired}
	}
	u, there := f.files["image_file"]
	u.mime = http.DetectContentType(u.content)
	ending := pictureEndings[u.mime]
	switch {
	case !there:
		wrong["image_file"] = []string{"No file was submitted."}
	case ending == "":
		wrong["image_file"] = []string{"Upload a valid image. The file you uploaded was either not an image or a corrupted image."}
	}
	if len(wrong) > 0 {
		return wrong
	}
	ctx, ws := r.Context(), token.Workspace
	item, err := s.Knowledge.Item(ctx, ws, id)
	if err != nil {
		return err
	}
	base, err := s.Store.KnowledgeBaseOf(ctx, ws, item)
	if err != nil {
		return err
	}
	file, err := s.keepFile(ctx, ws, u)
	if err != nil {
		return err
	}
	p, err := s.Store.AddKnowledgePicture(ctx, ws, base.Name, store.KnowledgeFile{Item: id, File: file.ID, Name: ending, Caption: f.fields["image_caption"]})
	if err != nil {
		s.unkeep(ctx, file.ID)
		return err
	}
	answerJSON(w, http.StatusCreated, pictureView{p.ID, p.Item, s.link(ws, p.File), p.Name, orNothing(p.Caption)})
	return nil
}

// retrieved is what was found, best first, in the protocol's words.
type retrieved struct {
	ID         int64             `json:"knowledge_item_id"`
	Title      string            `json:"title"`
	Content    string            `json:"content"`
	URL        string            `json:"url"`
	Section    string            `json:"section"`
	Role       string            `json:"role"`
	Page       int64             `json:"page_number"`
	Images     map[string]string `json:"image_urls"`
	Similarity float64           `json:"similarity"`
}

// usualTop is how many pieces of knowledge a request gives that names no number.
const usualTop = 3

// search looks a query up in a base, by its name.
func (s *Server) search(ctx context.Context, ws chat.WorkspaceID, config, query string, top int) (map[string]any, error) {
	if s.Knowledge == nil {
		return nil, errNoKnowledge
	}
	base, err := s.Store.KnowledgeBase(ctx, ws, config)
	if err != nil {
		return nil, err
	}
	hits, err := s.Knowledge.Search(ctx, ws, config, query, max(top, 1))
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	pictures, err := s.Store.KnowledgePictures(ctx, ids)
	if err != nil {
		return nil, err
	}
	of, all := map[int64]map[string]string{}, map[string]string{}
	for _, p := range pictures {
		if link := s.link(ws, p.File); link != nil {
			if of[p.Item] == nil {
				of[p.Item] = map[string]string{}
			}
			of[p.Item][p.Name], all[p.Name] = *link, *link
		}
	}
	items := make([]retrieved, len(hits))
	for i, h := range hits {
		items[i] = retrieved{h.ID, h.Title, h.Content, h.URL, h.Section, h.Role, h.PageNumber, of[h.ID], h.Similarity}
		if items[i].Images == nil {
			items[i].Images = map[string]string{}
		}
	}
	return map[string]any{"knowledge_base_id": base.ID, "knowledge_items": items, "knowledge_item_images": all}, nil
}

// retrieve is search for who asks by a call; the SDK names the base in the first of the two ways.
func (s *Server) retrieve(w http.ResponseWriter, r *http.Request, token store.Token) error {
	q := r.URL.Query()
	config := q.Get("retriever_config__name")
	if config == "" {
		config = q.Get("retriever_config_name")
	}
	if config == "" {
		return required("retriever_config_name")
	}
	found, err := s.search(r.Context(), token.Workspace, config, q.Get("query"), whole(q.Get("top_k"), usualTop, mostItems))
	if err != nil {
		return err
	}
	answerJSON(w, http.StatusOK, found)
	return nil
}
