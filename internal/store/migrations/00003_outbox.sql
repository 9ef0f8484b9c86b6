-- A row is left by each transaction of a call that changes something, until the
-- call's record is in the audit trail. A record that is '' says that the
-- transaction will never commit, '-' that the record was written for a node
-- that had died.

CREATE TABLE outbox (
  event_id   TEXT NOT NULL,
  seq        BIGINT NOT NULL,
  node       TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  record     TEXT NOT NULL,
  PRIMARY KEY (event_id, seq)
) CLUSTERED;
