-- The last record of each file of the audit trail that was on disk. place
-- identifies the file, on one machine; host and path describe it to people.
-- chain, seq and hash are those of the record. proof is a MAC of all of these
-- under the keys, so that only a holder of the keys can write a row.

CREATE TABLE trail_heads (
  place     TEXT NOT NULL,
  host      TEXT NOT NULL,
  path      TEXT NOT NULL,
  chain     TEXT NOT NULL,
  seq       BIGINT NOT NULL,
  hash      TEXT NOT NULL,
  proof     BYTES NOT NULL,
  stored_ms BIGINT NOT NULL,
  PRIMARY KEY (place)
) CLUSTERED;
