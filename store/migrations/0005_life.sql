-- The life of a conversation: whose turn it is, how it rests and ends, and what people make of it.

ALTER TABLE conversations ADD COLUMN snoozed_until  BIGINT NOT NULL DEFAULT 0; -- rests with its agent until then; 0: it does not rest
ALTER TABLE conversations ADD COLUMN close_reason   TEXT   NOT NULL DEFAULT '';
ALTER TABLE conversations ADD COLUMN first_reply_at BIGINT NOT NULL DEFAULT 0; -- of a person
ALTER TABLE conversations ADD COLUMN last_out_at    BIGINT NOT NULL DEFAULT 0; -- our last message
ALTER TABLE conversations ADD COLUMN waiting_since  BIGINT NOT NULL DEFAULT 0; -- the contact waits for us; 0: it is the contact's turn
ALTER TABLE conversations ADD COLUMN priority       BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN tags           TEXT   NOT NULL DEFAULT '[]';
ALTER TABLE conversations ADD COLUMN fields         TEXT   NOT NULL DEFAULT '{}';
ALTER TABLE conversations ADD COLUMN placed_at      BIGINT NOT NULL DEFAULT 0; -- since when it is where it is, or has ended its rest
UPDATE conversations SET placed_at = opened_at, waiting_since = CASE WHEN state <> 'closed' AND unread > 0 THEN last_in_at ELSE 0 END;
CREATE INDEX conversations_snoozed ON conversations (snoozed_until) WHERE snoozed_until > 0;
