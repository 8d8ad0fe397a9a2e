-- What bots look things up in, and the language models that they may ask. Also here what stands in /*sqlite ...*/ is for SQLite
-- alone and what stands in /*postgres ...*/ for PostgreSQL alone.

CREATE TABLE knowledge_bases (
  id         /*sqlite INTEGER PRIMARY KEY AUTOINCREMENT*/ /*postgres BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY*/,
  workspace  BIGINT NOT NULL,
  name       TEXT   NOT NULL,
  language   TEXT   NOT NULL DEFAULT '',
  items      BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (workspace, name)
);

CREATE TABLE knowledge_documents (
  base       BIGINT NOT NULL,
  name       TEXT   NOT NULL,
  format     TEXT   NOT NULL,
  url        TEXT   NOT NULL DEFAULT '',
  bytes      BIGINT NOT NULL,
  items      BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (base, name)
);

-- An item is what a search finds. words: in every item of a base the base's mark, so that a search reads no other base.
CREATE TABLE knowledge_items (
  id          /*sqlite INTEGER PRIMARY KEY AUTOINCREMENT*/ /*postgres BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY*/,
  workspace   BIGINT NOT NULL,
  base        BIGINT NOT NULL,
  document    TEXT   NOT NULL DEFAULT '',
  title       TEXT   NOT NULL DEFAULT '',
  content     TEXT   NOT NULL,
  url         TEXT   NOT NULL DEFAULT '',
  section     TEXT   NOT NULL DEFAULT '',
  role        TEXT   NOT NULL DEFAULT '',
  page_number BIGINT NOT NULL DEFAULT 0,
  metadata    TEXT   NOT NULL DEFAULT '{}',
  message     TEXT   NOT NULL DEFAULT '',
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL
  /*postgres , words TSVECTOR NOT NULL*/
);
CREATE INDEX knowledge_items_base ON knowledge_items (base, id);
CREATE INDEX knowledge_items_document ON knowledge_items (base, document);
/*postgres CREATE INDEX knowledge_items_words ON knowledge_items USING GIN (words);*/

-- The words of items, folded by whoever writes them; nothing but the index is stored. The second one cuts English endings off.
/*sqlite CREATE VIRTUAL TABLE knowledge_words USING fts5(base, title, body, content='', contentless_delete=1, tokenize='ascii');*/
/*sqlite CREATE VIRTUAL TABLE knowledge_words_en USING fts5(base, title, body, content='', contentless_delete=1, tokenize='porter ascii');*/

CREATE TABLE llm_configs (
  workspace  BIGINT NOT NULL,
  name       TEXT   NOT NULL,
  base_url   TEXT   NOT NULL,
  model      TEXT   NOT NULL,
  api_key    TEXT   NOT NULL DEFAULT '',
  defaults   TEXT   NOT NULL DEFAULT '{}',
  revision   BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace, name)
);

CREATE TABLE prompt_configs (
  workspace  BIGINT NOT NULL,
  name       TEXT   NOT NULL,
  prompt     TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace, name)
);
