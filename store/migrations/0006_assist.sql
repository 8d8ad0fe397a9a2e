-- What agents work with: canned replies, chat actions, fields, tags, and where the words of messages stand.

CREATE TABLE replies (
  workspace  BIGINT NOT NULL,
  name       TEXT   NOT NULL,
  title      TEXT   NOT NULL DEFAULT '',
  shortcut   TEXT   NOT NULL, -- in small letters
  language   TEXT   NOT NULL, -- of the text for those whose language has none
  texts      TEXT   NOT NULL, -- by language
  queues     TEXT   NOT NULL DEFAULT '', -- every name between line ends; nothing: of all queues
  words      TEXT   NOT NULL, -- title and texts in small letters
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace, name)
);

CREATE TABLE actions (
  workspace  BIGINT NOT NULL,
  name       TEXT   NOT NULL,
  title      TEXT   NOT NULL DEFAULT '',
  url        TEXT   NOT NULL,
  secret     TEXT   NOT NULL, -- sealed
  queues     TEXT   NOT NULL DEFAULT '',
  settings   TEXT   NOT NULL DEFAULT '{}',
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace, name)
);

CREATE TABLE fields (
  workspace  BIGINT NOT NULL,
  name       TEXT   NOT NULL,
  owner      TEXT   NOT NULL, -- conversation, contact
  title      TEXT   NOT NULL DEFAULT '',
  type       TEXT   NOT NULL,
  choices    TEXT   NOT NULL DEFAULT '[]',
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace, name)
);

CREATE TABLE conversation_tags (
  workspace    BIGINT NOT NULL,
  tag          TEXT   NOT NULL,
  conversation BIGINT NOT NULL,
  PRIMARY KEY (workspace, tag, conversation)
) /*sqlite WITHOUT ROWID*/;

-- The messages that a search finds; ids grow with the position in the log.
CREATE TABLE search_entries (
  id           /*sqlite INTEGER PRIMARY KEY AUTOINCREMENT*/ /*postgres BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY*/,
  workspace    BIGINT NOT NULL,
  conversation BIGINT NOT NULL,
  seq          BIGINT NOT NULL
  /*postgres , words TSVECTOR NOT NULL*/
);
CREATE UNIQUE INDEX search_entries_event ON search_entries (workspace, conversation, seq);
/*postgres CREATE INDEX search_entries_words ON search_entries USING GIN (words);*/

-- Folded words are kept here too, so that what is deleted is really gone: a table without content only marks it as deleted.
/*sqlite CREATE VIRTUAL TABLE search_words USING fts5(mark, words, tokenize='ascii');*/
/*sqlite INSERT INTO search_words (search_words, rank) VALUES ('secure-delete', 1);*/

CREATE TABLE search_cursors (
  workspace BIGINT NOT NULL PRIMARY KEY,
  pos       BIGINT NOT NULL
);
