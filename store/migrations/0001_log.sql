-- One text for SQLite and PostgreSQL: what stands in a comment of the form /*sqlite ...*/ is for SQLite alone.
-- Times are microseconds since 1970 UTC, JSON is text, ids inside are numbers counted per workspace.

CREATE TABLE workspaces (
  id                BIGINT NOT NULL PRIMARY KEY,
  uid               TEXT   NOT NULL UNIQUE,
  name              TEXT   NOT NULL,
  head              BIGINT NOT NULL DEFAULT 0,
  last_conversation BIGINT NOT NULL DEFAULT 0,
  last_contact      BIGINT NOT NULL DEFAULT 0,
  last_channel      BIGINT NOT NULL DEFAULT 0,
  epoch             BIGINT NOT NULL DEFAULT 0, -- counts changes of contacts and conversations that no event tells of
  created_at        BIGINT NOT NULL
);

CREATE TABLE channels (
  workspace  BIGINT NOT NULL,
  no         BIGINT NOT NULL,
  uid        TEXT   NOT NULL UNIQUE,
  connector  TEXT   NOT NULL,
  name       TEXT   NOT NULL,
  settings   TEXT   NOT NULL,
  status     TEXT   NOT NULL,
  detail     TEXT   NOT NULL DEFAULT '',
  flow       TEXT   NOT NULL DEFAULT '',
  queue      TEXT   NOT NULL DEFAULT '',
  last_seq   BIGINT NOT NULL DEFAULT 0,
  revision   BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace, no)
);

CREATE TABLE channel_notes (
  channel TEXT NOT NULL,
  name    TEXT NOT NULL,
  value   TEXT NOT NULL,
  PRIMARY KEY (channel, name)
);

CREATE TABLE contacts (
  workspace  BIGINT NOT NULL,
  no         BIGINT NOT NULL,
  uid        TEXT   NOT NULL UNIQUE,
  name       TEXT   NOT NULL DEFAULT '',
  language   TEXT   NOT NULL DEFAULT '',
  properties TEXT   NOT NULL DEFAULT '{}',
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  erased_at  BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (workspace, no)
);

CREATE TABLE identities (
  workspace  BIGINT NOT NULL,
  channel    BIGINT NOT NULL,
  address    TEXT   NOT NULL,
  contact    BIGINT NOT NULL,
  person     TEXT   NOT NULL DEFAULT '{}',
  blocked    BIGINT NOT NULL DEFAULT 0,
  profile_at BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (workspace, channel, address)
) /*sqlite WITHOUT ROWID*/;
CREATE INDEX identities_contact ON identities (workspace, contact);

CREATE TABLE conversations (
  workspace    BIGINT NOT NULL,
  no           BIGINT NOT NULL,
  uid          TEXT   NOT NULL UNIQUE,
  channel      BIGINT NOT NULL,
  contact      BIGINT NOT NULL,
  thread       TEXT   NOT NULL,
  thread_body  TEXT   NOT NULL,
  state        TEXT   NOT NULL,
  flow         TEXT   NOT NULL DEFAULT '',
  flow_version BIGINT NOT NULL DEFAULT 0,
  assignee     TEXT   NOT NULL DEFAULT '',
  queue        TEXT   NOT NULL DEFAULT '',
  previous     TEXT   NOT NULL DEFAULT '',
  last_seq     BIGINT NOT NULL DEFAULT 0,
  unread       BIGINT NOT NULL DEFAULT 0,
  preview      TEXT   NOT NULL DEFAULT '',
  opened_at    BIGINT NOT NULL,
  updated_at   BIGINT NOT NULL,
  closed_at    BIGINT NOT NULL DEFAULT 0,
  last_in_at   BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (workspace, no)
);
CREATE UNIQUE INDEX conversations_open ON conversations (workspace, channel, thread) WHERE state <> 'closed';
CREATE INDEX conversations_thread ON conversations (workspace, channel, thread, no);
CREATE INDEX conversations_contact ON conversations (workspace, contact, no);
CREATE INDEX conversations_recent ON conversations (workspace, state, updated_at, no);

-- The log. Events of a channel itself have the conversation minus channel number.
CREATE TABLE events (
  workspace    BIGINT NOT NULL,
  conversation BIGINT NOT NULL,
  seq          BIGINT NOT NULL,
  pos          BIGINT NOT NULL,
  kind         TEXT   NOT NULL,
  at           BIGINT NOT NULL,
  status       TEXT   NOT NULL DEFAULT '',
  external_id  TEXT   NOT NULL DEFAULT '',
  failure      TEXT   NOT NULL DEFAULT '',
  once_key     TEXT,
  body         TEXT   NOT NULL,
  PRIMARY KEY (workspace, conversation, seq)
) /*sqlite WITHOUT ROWID*/;
CREATE UNIQUE INDEX events_pos ON events (workspace, pos);
CREATE UNIQUE INDEX events_once ON events (workspace, once_key) WHERE once_key IS NOT NULL;

-- Which message a platform's id stands for. status: a receipt that came before the message was known.
CREATE TABLE message_ids (
  workspace    BIGINT NOT NULL,
  channel      BIGINT NOT NULL,
  external_id  TEXT   NOT NULL,
  conversation BIGINT NOT NULL,
  seq          BIGINT NOT NULL,
  status       TEXT   NOT NULL DEFAULT '',
  failure      TEXT   NOT NULL DEFAULT '',
  PRIMARY KEY (workspace, channel, external_id)
) /*sqlite WITHOUT ROWID*/;

CREATE TABLE jobs (
  workspace    BIGINT NOT NULL,
  work         TEXT   NOT NULL,
  pos          BIGINT NOT NULL,
  lane         TEXT   NOT NULL,
  grp          TEXT   NOT NULL,
  conversation BIGINT NOT NULL,
  seq          BIGINT NOT NULL,
  state        TEXT   NOT NULL,
  attempts     BIGINT NOT NULL DEFAULT 0,
  due_at       BIGINT NOT NULL DEFAULT 0,
  progress     TEXT   NOT NULL DEFAULT '',
  failure      TEXT   NOT NULL DEFAULT '',
  created_at   BIGINT NOT NULL,
  updated_at   BIGINT NOT NULL,
  PRIMARY KEY (workspace, work, pos)
) /*sqlite WITHOUT ROWID*/;
CREATE INDEX jobs_group ON jobs (workspace, work, grp, pos);
CREATE INDEX jobs_dead ON jobs (workspace, pos) WHERE state = 'dead';

CREATE TABLE followers (
  workspace   BIGINT NOT NULL,
  name        TEXT   NOT NULL,
  pos         BIGINT NOT NULL DEFAULT 0,
  holder      TEXT   NOT NULL DEFAULT '',
  fence       BIGINT NOT NULL DEFAULT 0,
  lease_until BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (workspace, name)
);

-- What a follower remembers of a conversation, e.g. the bot's session.
CREATE TABLE follower_state (
  workspace    BIGINT NOT NULL,
  follower     TEXT   NOT NULL,
  conversation BIGINT NOT NULL,
  body         TEXT   NOT NULL,
  PRIMARY KEY (workspace, follower, conversation)
) /*sqlite WITHOUT ROWID*/;

CREATE TABLE flows (
  workspace  BIGINT NOT NULL,
  name       TEXT   NOT NULL,
  version    BIGINT NOT NULL,
  definition TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace, name, version)
);

CREATE TABLE files (
  uid          TEXT   NOT NULL PRIMARY KEY,
  workspace    BIGINT NOT NULL,
  channel      TEXT   NOT NULL DEFAULT '',
  conversation TEXT   NOT NULL DEFAULT '',
  contact      BIGINT NOT NULL DEFAULT 0,
  status       TEXT   NOT NULL,
  name         TEXT   NOT NULL DEFAULT '',
  mime         TEXT   NOT NULL DEFAULT '',
  size         BIGINT NOT NULL DEFAULT 0,
  sha256       TEXT   NOT NULL DEFAULT '',
  source       TEXT   NOT NULL DEFAULT '',
  detail       TEXT   NOT NULL DEFAULT '',
  created_at   BIGINT NOT NULL
);
CREATE INDEX files_conversation ON files (workspace, conversation);

-- Payloads of buttons that are longer than their platform allows; the short key goes out instead.
CREATE TABLE payloads (
  workspace BIGINT NOT NULL,
  short     TEXT   NOT NULL,
  payload   TEXT   NOT NULL,
  PRIMARY KEY (workspace, short)
);

CREATE TABLE tokens (
  uid        TEXT   NOT NULL PRIMARY KEY,
  workspace  BIGINT NOT NULL,
  name       TEXT   NOT NULL,
  hash       TEXT   NOT NULL UNIQUE,
  scopes     TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL DEFAULT 0,
  revoked_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX tokens_workspace ON tokens (workspace, created_at);

-- Answers kept for Idempotency-Key: a repeated request gets the first answer.
CREATE TABLE answers (
  workspace  BIGINT NOT NULL,
  name       TEXT   NOT NULL,
  request    TEXT   NOT NULL,
  status     BIGINT NOT NULL,
  body       TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace, name)
);
CREATE INDEX answers_age ON answers (created_at);
