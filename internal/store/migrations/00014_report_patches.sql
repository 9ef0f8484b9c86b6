-- A report is its base, a whole report in chunks, and the patches that were
-- added to the base until then: docs/decisions/032. base is a token; a report
-- that is its own base has its own. patches counts those added so far. sha256
-- is '' until somebody asks for it.
ALTER TABLE reports ADD COLUMN base BIGINT NOT NULL DEFAULT 0;
ALTER TABLE reports ADD COLUMN patches BIGINT NOT NULL DEFAULT 0;
UPDATE reports SET base = token;
CREATE INDEX reports_base ON reports (account, base);
CREATE INDEX reports_published ON reports (account, published_ms);

-- The bases that have chunks here, those of lost jobs included.
CREATE TABLE report_bases (
  account TEXT NOT NULL,
  token   BIGINT NOT NULL,
  PRIMARY KEY (account, token),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;
INSERT INTO report_bases (account, token) SELECT DISTINCT account, token FROM report_chunks;

-- For each chunk of a base, where its pieces are and which users they begin
-- with.
CREATE TABLE report_pieces (
  account TEXT NOT NULL,
  token   BIGINT NOT NULL,
  seq     BIGINT NOT NULL,
  pieces  BYTES NOT NULL,
  PRIMARY KEY (account, token, seq),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;

-- How the row of a user differs from that in the base, from the report since on
-- until the next patch of that user; '' where the user has none.
CREATE TABLE report_patches (
  account  TEXT NOT NULL,
  base     BIGINT NOT NULL,
  name_key TEXT NOT NULL,
  since    BIGINT NOT NULL,
  data     TEXT NOT NULL,
  PRIMARY KEY (account, base, name_key, since),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;

-- While an account is here, triggers mark every user whose row of the report
-- may have changed. shape says what else the rows on that base depend on; it
-- is '' until the base is a report.
CREATE TABLE report_recordings (
  account TEXT NOT NULL,
  base    BIGINT NOT NULL,
  shape   TEXT NOT NULL,
  PRIMARY KEY (account),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;

-- version changes with each change, so that the next report forgets only what
-- it has seen. There is no foreign key: each change would have to check it.
CREATE TABLE report_marks (
  account  TEXT NOT NULL,
  name_key TEXT NOT NULL,
  version  BIGINT NOT NULL,
  PRIMARY KEY (account, name_key)
) CLUSTERED;
