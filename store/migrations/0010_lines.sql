-- When an agent was last at the other end of an event stream, as far as that was noted while the agent was available.

CREATE TABLE agent_lines (
  workspace BIGINT NOT NULL,
  agent     TEXT   NOT NULL,
  seen_at   BIGINT NOT NULL,
  PRIMARY KEY (workspace, agent)
) /*sqlite WITHOUT ROWID*/;
