-- What the parsers of workers read for knowledge bases, the items that came of it, and files that belong to them.

CREATE TABLE knowledge_sources (
  id         /*sqlite INTEGER PRIMARY KEY AUTOINCREMENT*/ /*postgres BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY*/,
  workspace  BIGINT NOT NULL,
  base       BIGINT NOT NULL,
  parser     TEXT   NOT NULL DEFAULT '', -- none: the hub read the table itself
  url        TEXT   NOT NULL DEFAULT '',
  csv        TEXT   NOT NULL DEFAULT '', -- a file
  pdf        TEXT   NOT NULL DEFAULT '', -- likewise
  task       TEXT   NOT NULL UNIQUE,
  status     TEXT   NOT NULL,
  detail     TEXT   NOT NULL DEFAULT '', -- why it failed
  lease      BIGINT NOT NULL DEFAULT 0,  -- a pending one has failed if nobody was at it until then
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX knowledge_sources_workspace ON knowledge_sources (workspace, id);
CREATE INDEX knowledge_sources_pending ON knowledge_sources (lease) WHERE status = 'pending';

ALTER TABLE knowledge_items ADD COLUMN source BIGINT NOT NULL DEFAULT 0;

-- Pictures of items, and what a parser is given to read. Whose item or source is gone is deleted later, with its bytes.
CREATE TABLE knowledge_files (
  id         /*sqlite INTEGER PRIMARY KEY AUTOINCREMENT*/ /*postgres BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY*/,
  workspace  BIGINT NOT NULL,
  item       BIGINT NOT NULL DEFAULT 0,
  source     BIGINT NOT NULL DEFAULT 0,
  file       TEXT   NOT NULL,
  name       TEXT   NOT NULL DEFAULT '', -- by which an item's text shows it
  caption    TEXT   NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL
);
CREATE INDEX knowledge_files_item ON knowledge_files (item) WHERE item <> 0;
