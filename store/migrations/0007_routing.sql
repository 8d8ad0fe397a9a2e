-- What routing needs beside the queues themselves: teams, business hours, who waits since when, how fast a queue is answered.

ALTER TABLE queues ADD COLUMN secret TEXT   NOT NULL DEFAULT ''; -- of an outside rule, sealed
ALTER TABLE queues ADD COLUMN tells  BIGINT NOT NULL DEFAULT 0;  -- 1: who waits is told for how long

CREATE TABLE teams (
  workspace  BIGINT NOT NULL,
  name       TEXT   NOT NULL,
  title      TEXT   NOT NULL DEFAULT '',
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace, name)
);

CREATE TABLE team_members (
  workspace BIGINT NOT NULL,
  team      TEXT   NOT NULL,
  agent     TEXT   NOT NULL,
  PRIMARY KEY (workspace, team, agent)
) /*sqlite WITHOUT ROWID*/;
CREATE INDEX team_members_agent ON team_members (workspace, agent);

CREATE TABLE hours (
  workspace  BIGINT NOT NULL,
  name       TEXT   NOT NULL,
  body       TEXT   NOT NULL, -- JSON, the desk's own
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace, name)
);

-- A conversation that waits in a queue.
CREATE TABLE waits (
  workspace    BIGINT NOT NULL,
  conversation BIGINT NOT NULL,
  queue        TEXT   NOT NULL,
  first_at     BIGINT NOT NULL,             -- since when it waits, in whichever queue
  since_at     BIGINT NOT NULL,             -- since when in this one
  passed       TEXT   NOT NULL DEFAULT '[]', -- the queues that passed it on
  due_at       BIGINT NOT NULL DEFAULT 0,   -- the longest wait is over then; 0: never
  asked        BIGINT NOT NULL DEFAULT 0,   -- position of the event that asks an outside rule; 0: none is asked
  told         TEXT   NOT NULL DEFAULT '',  -- what the contact was told last of the wait
  told_at      BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (workspace, conversation)
) /*sqlite WITHOUT ROWID*/;
CREATE INDEX waits_queue ON waits (workspace, queue, first_at);
CREATE INDEX waits_due ON waits (due_at) WHERE due_at > 0;
INSERT INTO waits (workspace, conversation, queue, first_at, since_at)
 SELECT workspace, no, queue, opened_at, opened_at FROM conversations WHERE state = 'queued';

-- How many conversations of a queue were accepted in a minute.
CREATE TABLE accepts (
  workspace BIGINT NOT NULL,
  queue     TEXT   NOT NULL,
  minute    BIGINT NOT NULL, -- since 1970
  n         BIGINT NOT NULL,
  PRIMARY KEY (workspace, queue, minute)
) /*sqlite WITHOUT ROWID*/;
