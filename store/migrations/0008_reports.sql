-- What happened, counted by quarters of an hour, and what the desk's live figures are read from.

-- A projection of the log: it is filled by a follower and can be thrown away and made again. version is the form of the projection.
CREATE TABLE report_counts (
  workspace BIGINT NOT NULL,
  version   BIGINT NOT NULL,
  slot      BIGINT NOT NULL, -- quarters of an hour since 1970 UTC
  queue     TEXT   NOT NULL,
  channel   BIGINT NOT NULL,
  agent     TEXT   NOT NULL, -- '': of the queue and channel, else what this agent did
  measure   TEXT   NOT NULL,
  bucket    BIGINT NOT NULL, -- of a duration; 0: plain counts
  n         BIGINT NOT NULL,
  PRIMARY KEY (workspace, version, slot, queue, channel, agent, measure, bucket)
) /*sqlite WITHOUT ROWID*/;

-- How soon a queue's conversations want an answer, in microseconds; 0: never due. They stand in its settings too.
ALTER TABLE queues ADD COLUMN first_reply BIGINT NOT NULL DEFAULT 0;
ALTER TABLE queues ADD COLUMN next_reply  BIGINT NOT NULL DEFAULT 0;
ALTER TABLE queues ADD COLUMN target      BIGINT NOT NULL DEFAULT 0; -- so soon most first replies are to come

CREATE INDEX conversations_line ON conversations (workspace, queue, state, waiting_since, first_reply_at)
 WHERE queue <> '' AND state IN ('queued', 'assigned');
