package chat

import "github.com/google/uuid"

// Ids are opaque text outside (UUID version 7) and types of their own inside, so that one cannot be
// taken for another.
type (
	// WorkspaceID names a tenant.
	WorkspaceID string
	// ChannelID names one configured account on a platform.
	ChannelID string
	// ContactID names a person.
	ContactID string
	// ConversationID names the ordered events between one contact and us on one channel.
	ConversationID string
	// FileID names a stored attachment.
	FileID string
	// ActionID follows one cause through everything that it sets off, from the webhook to the last send.
	ActionID string
)

// NewID makes a new id; v7, so that ids made later sort later.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }
