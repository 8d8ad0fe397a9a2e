package whatsapp

import "github.com/dragoman-hub/dragoman/chat"

// reference is what a message refers to: the message that it answers, or only that it was passed on.
type reference struct {
	ID         string `json:"id"`
	Forwarded  bool   `json:"forwarded"`
	Frequently bool   `json:"frequently_forwarded"`
	Product    *struct {
		Catalog loose `json:"catalog_id"`
		ID      loose `json:"product_retailer_id"`
	} `json:"referred_product"`
}

// referral is the advertisement or post that the person came from.
type referral struct {
	SourceURL  string `json:"source_url"`
	SourceID   loose  `json:"source_id"`
	SourceType string `json:"source_type"`
	Headline   string `json:"headline"`
	Body       string `json:"body"`
	ClickID    string `json:"ctwa_clid"`
}

// annotate adds the reply, and as facts: forwarded, the referral, the product that was asked about. A forwarded message
// has a context without an id and answers nothing.
func (c content) annotate(m *chat.Message) {
	facts := map[string]string{}
	if r := c.Context; r != nil {
		if r.ID != "" {
			m.ReplyTo = &chat.Reply{ExternalID: r.ID}
		}
		if r.Forwarded || r.Frequently {
			facts["forwarded"] = "true"
		}
		if r.Frequently {
			facts["frequently_forwarded"] = "true"
		}
		if p := r.Product; p != nil {
			facts["product"], facts["catalog"] = string(p.ID), string(p.Catalog)
		}
	}
	if r := c.Referral; r != nil {
		facts["referral"] = r.SourceURL
		facts["referral_id"] = string(r.SourceID)
		facts["referral_type"] = r.SourceType
		facts["referral_headline"] = r.Headline
		facts["referral_body"] = r.Body
		facts["ctwa_clid"] = r.ClickID
	}
	for k, v := range facts {
		if v == "" {
			delete(facts, k)
		}
	}
	if len(facts) > 0 {
		m.Meta = facts
	}
}

// start is the payload of a referral: the id of the advertisement or post.
func (c content) start() string {
	if c.Referral == nil {
		return ""
	}
	return string(c.Referral.SourceID)
}
