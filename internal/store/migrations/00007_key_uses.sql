-- What a data key seals: rows, whose secrets live as long as they do, or tokens,
-- which expire. sealed is how many messages it has sealed, as far as its nodes
-- have told.
ALTER TABLE data_keys ADD COLUMN purpose TEXT NOT NULL DEFAULT 'rows';
ALTER TABLE data_keys ADD COLUMN sealed BIGINT NOT NULL DEFAULT 0;
