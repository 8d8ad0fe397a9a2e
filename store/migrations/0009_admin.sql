-- What looking after a hub needs: flows that are gone, why something was done, when a token was used last.

ALTER TABLE flows  ADD COLUMN deleted_at BIGINT NOT NULL DEFAULT 0;  -- the name and its versions are never given anew: history names them
ALTER TABLE tokens ADD COLUMN used_at    BIGINT NOT NULL DEFAULT 0;  -- to the minute; 0: never, or before this was noted
ALTER TABLE audit  ADD COLUMN reason     TEXT   NOT NULL DEFAULT ''; -- as the actor gave it
