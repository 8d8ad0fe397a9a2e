-- The people who work at the desk, how they prove who they are, and what was done by whom.

CREATE TABLE users (
  uid         TEXT   NOT NULL PRIMARY KEY,
  workspace   BIGINT NOT NULL,
  email       TEXT   NOT NULL, -- in lower case
  name        TEXT   NOT NULL,
  role        TEXT   NOT NULL,
  languages   TEXT   NOT NULL DEFAULT '',
  status      TEXT   NOT NULL,
  password    TEXT   NOT NULL DEFAULT '', -- a hash with its parameters; empty: none
  totp        TEXT   NOT NULL DEFAULT '', -- a sealed secret
  totp_active BIGINT NOT NULL DEFAULT 0,
  totp_step   BIGINT NOT NULL DEFAULT 0,  -- of the last code that was accepted
  subject     TEXT   NOT NULL DEFAULT '', -- who it is at the OpenID provider
  revision    BIGINT NOT NULL DEFAULT 1,
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL,
  login_at    BIGINT NOT NULL DEFAULT 0,
  UNIQUE (workspace, email)
);
CREATE INDEX users_page ON users (workspace, uid);
CREATE UNIQUE INDEX users_subject ON users (workspace, subject) WHERE subject <> '';

CREATE TABLE user_codes (
  uid  TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (uid, hash)
);

CREATE TABLE user_links (
  hash       TEXT   NOT NULL PRIMARY KEY,
  uid        TEXT   NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX user_links_user ON user_links (uid);

CREATE TABLE sessions (
  id         TEXT   NOT NULL PRIMARY KEY,
  hash       TEXT   NOT NULL UNIQUE,
  uid        TEXT   NOT NULL,
  address    TEXT   NOT NULL DEFAULT '',
  agent      TEXT   NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  seen_at    BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX sessions_user ON sessions (uid, created_at);

CREATE TABLE roles (
  workspace  BIGINT NOT NULL,
  name       TEXT   NOT NULL,
  rights     TEXT   NOT NULL,
  reach      TEXT   NOT NULL,
  revision   BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace, name)
);

CREATE TABLE audit (
  id         /*sqlite INTEGER PRIMARY KEY AUTOINCREMENT*/ /*postgres BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY*/,
  workspace  BIGINT NOT NULL,
  at         BIGINT NOT NULL,
  actor_type TEXT   NOT NULL,
  actor      TEXT   NOT NULL,
  actor_name TEXT   NOT NULL,
  act        TEXT   NOT NULL,
  kind       TEXT   NOT NULL,
  object     TEXT   NOT NULL,
  was        TEXT   NOT NULL, -- JSON, or nothing
  became     TEXT   NOT NULL,
  address    TEXT   NOT NULL,
  action     TEXT   NOT NULL
);
CREATE INDEX audit_page ON audit (workspace, id);
CREATE INDEX audit_object ON audit (workspace, kind, object, id);
CREATE INDEX audit_actor ON audit (workspace, actor, id);

-- Rows are added and never touched again.
/*sqlite 
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
*/
/*postgres 
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit log is never changed'; END $$;
CREATE TRIGGER audit_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
*/
