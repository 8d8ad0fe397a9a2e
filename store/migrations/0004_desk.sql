-- The human side: who answers, where conversations wait, and to whom they are offered.

CREATE TABLE queues (
  workspace  BIGINT NOT NULL,
  name       TEXT   NOT NULL,
  title      TEXT   NOT NULL DEFAULT '',
  rule       TEXT   NOT NULL,
  settings   TEXT   NOT NULL DEFAULT '{}',
  last_agent TEXT   NOT NULL DEFAULT '', -- who was offered the last conversation
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace, name)
);

CREATE TABLE queue_members (
  workspace BIGINT NOT NULL,
  queue     TEXT   NOT NULL,
  agent     TEXT   NOT NULL,
  PRIMARY KEY (workspace, queue, agent)
) /*sqlite WITHOUT ROWID*/;
CREATE INDEX queue_members_agent ON queue_members (workspace, agent);

CREATE TABLE agents (
  workspace  BIGINT NOT NULL,
  uid        TEXT   NOT NULL,
  name       TEXT   NOT NULL DEFAULT '',
  capacity   BIGINT NOT NULL,
  skills     TEXT   NOT NULL DEFAULT '{}',
  state      TEXT   NOT NULL,
  available  BIGINT NOT NULL,
  state_at   BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace, uid)
);

-- The states that a workspace has beside active and inactive.
CREATE TABLE agent_states (
  workspace BIGINT NOT NULL,
  name      TEXT   NOT NULL,
  title     TEXT   NOT NULL DEFAULT '',
  available BIGINT NOT NULL,
  PRIMARY KEY (workspace, name)
);

-- How long an agent was in a state; ended_at is 0 while the agent is.
CREATE TABLE agent_sessions (
  workspace BIGINT NOT NULL,
  agent     TEXT   NOT NULL,
  begun_at  BIGINT NOT NULL,
  state     TEXT   NOT NULL,
  ended_at  BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (workspace, agent, begun_at)
) /*sqlite WITHOUT ROWID*/;

-- Whom a waiting conversation is offered to, and who did not take it.
CREATE TABLE offers (
  workspace    BIGINT NOT NULL,
  conversation BIGINT NOT NULL,
  agents       TEXT   NOT NULL,
  declined     TEXT   NOT NULL DEFAULT '[]',
  offered_at   BIGINT NOT NULL,
  until_at     BIGINT NOT NULL, -- 0: nobody has to answer
  PRIMARY KEY (workspace, conversation)
) /*sqlite WITHOUT ROWID*/;
CREATE INDEX offers_until ON offers (until_at) WHERE until_at > 0;
CREATE INDEX conversations_assignee ON conversations (workspace, assignee, no) WHERE state = 'assigned';
