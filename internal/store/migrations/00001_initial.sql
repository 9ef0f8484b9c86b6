-- Neutral words: TEXT, BIGINT, BYTES, CLUSTERED (stored in key order) and
-- PLAIN; dialect.go has what each engine calls them. Dates are Unix seconds,
-- 0 means none; columns that end in _ms are Unix milliseconds.

CREATE TABLE data_keys (
  id            TEXT NOT NULL,
  master_key_id TEXT NOT NULL,
  wrapped       BYTES NOT NULL,
  created       BIGINT NOT NULL,
  PRIMARY KEY (id)
) CLUSTERED;

-- user_count is kept by the same transactions that insert and delete users,
-- so that the quota is exact without counting.
CREATE TABLE accounts (
  account       TEXT NOT NULL,
  aws_partition TEXT NOT NULL,
  created       BIGINT NOT NULL,
  user_count    BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (account)
) CLUSTERED;

CREATE TABLE account_aliases (
  account TEXT NOT NULL,
  alias   TEXT NOT NULL,
  PRIMARY KEY (account),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;
CREATE UNIQUE INDEX account_aliases_alias ON account_aliases (alias);

CREATE TABLE account_limits (
  account TEXT NOT NULL,
  name    TEXT NOT NULL,
  value   BIGINT NOT NULL,
  PRIMARY KEY (account, name),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE password_policies (
  account         TEXT NOT NULL,
  minimum_length  BIGINT NOT NULL,
  require_symbols BIGINT NOT NULL,
  require_numbers BIGINT NOT NULL,
  require_upper   BIGINT NOT NULL,
  require_lower   BIGINT NOT NULL,
  allow_change    BIGINT NOT NULL,
  max_age         BIGINT NOT NULL,
  reuse           BIGINT NOT NULL,
  -- hard_expiry: 0 false, 1 true, 2 never given.
  hard_expiry     BIGINT NOT NULL,
  PRIMARY KEY (account),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;

-- The root user of an account has the empty name_key, and is its first row.
CREATE TABLE users (
  account  TEXT NOT NULL,
  name_key TEXT NOT NULL,
  name     TEXT NOT NULL,
  path     TEXT NOT NULL,
  user_id  TEXT NOT NULL,
  created  BIGINT NOT NULL,
  PRIMARY KEY (account, name_key),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE user_tags (
  account   TEXT NOT NULL,
  name_key  TEXT NOT NULL,
  key_fold  TEXT NOT NULL,
  tag_key   TEXT NOT NULL,
  tag_value TEXT NOT NULL,
  PRIMARY KEY (account, name_key, key_fold),
  FOREIGN KEY (account, name_key) REFERENCES users (account, name_key) ON UPDATE CASCADE ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE login_profiles (
  account        TEXT NOT NULL,
  name_key       TEXT NOT NULL,
  password_hash  TEXT NOT NULL,
  created        BIGINT NOT NULL,
  changed        BIGINT NOT NULL,
  reset_required BIGINT NOT NULL,
  PRIMARY KEY (account, name_key),
  FOREIGN KEY (account, name_key) REFERENCES users (account, name_key) ON UPDATE CASCADE
) CLUSTERED;

CREATE TABLE password_history (
  account       TEXT NOT NULL,
  name_key      TEXT NOT NULL,
  seq           BIGINT NOT NULL,
  password_hash TEXT NOT NULL,
  PRIMARY KEY (account, name_key, seq),
  FOREIGN KEY (account, name_key) REFERENCES users (account, name_key) ON UPDATE CASCADE ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE password_last_used (
  account  TEXT NOT NULL,
  name_key TEXT NOT NULL,
  used     BIGINT NOT NULL,
  PRIMARY KEY (account, name_key),
  FOREIGN KEY (account, name_key) REFERENCES users (account, name_key) ON UPDATE CASCADE ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE access_keys (
  account  TEXT NOT NULL,
  name_key TEXT NOT NULL,
  key_id   TEXT NOT NULL,
  status   TEXT NOT NULL,
  created  BIGINT NOT NULL,
  secret   BYTES NOT NULL,
  PRIMARY KEY (account, name_key, key_id),
  FOREIGN KEY (account, name_key) REFERENCES users (account, name_key) ON UPDATE CASCADE
) CLUSTERED;
CREATE UNIQUE INDEX access_keys_key_id ON access_keys (key_id);

CREATE TABLE access_key_last_used (
  account  TEXT NOT NULL,
  name_key TEXT NOT NULL,
  key_id   TEXT NOT NULL,
  used     BIGINT NOT NULL,
  region   TEXT NOT NULL,
  service  TEXT NOT NULL,
  PRIMARY KEY (account, name_key, key_id),
  FOREIGN KEY (account, name_key, key_id) REFERENCES access_keys (account, name_key, key_id) ON UPDATE CASCADE ON DELETE CASCADE
) CLUSTERED;

-- name_key is NULL while a virtual device is assigned to nobody. device_id
-- is short and grows with time: lists are in its order, and it fits a marker.
CREATE TABLE mfa_devices (
  account   TEXT NOT NULL,
  serial    TEXT NOT NULL,
  device_id TEXT NOT NULL,
  name_key  TEXT,
  seed      BYTES NOT NULL,
  created   BIGINT NOT NULL,
  enabled   BIGINT NOT NULL DEFAULT 0,
  last_step BIGINT NOT NULL DEFAULT 0,
  drift     BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (account, serial),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE,
  FOREIGN KEY (account, name_key) REFERENCES users (account, name_key) ON UPDATE CASCADE
) CLUSTERED;
CREATE INDEX mfa_devices_user ON mfa_devices (account, name_key, serial);
CREATE UNIQUE INDEX mfa_devices_id ON mfa_devices (account, device_id);

-- The tag keys of devices differ by case, unlike those of users.
CREATE TABLE mfa_device_tags (
  account   TEXT NOT NULL,
  serial    TEXT NOT NULL,
  tag_key   TEXT NOT NULL,
  tag_value TEXT NOT NULL,
  PRIMARY KEY (account, serial, tag_key),
  FOREIGN KEY (account, serial) REFERENCES mfa_devices (account, serial) ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE signing_certificates (
  account        TEXT NOT NULL,
  name_key       TEXT NOT NULL,
  certificate_id TEXT NOT NULL,
  body           TEXT NOT NULL,
  status         TEXT NOT NULL,
  uploaded       BIGINT NOT NULL,
  PRIMARY KEY (account, name_key, certificate_id),
  FOREIGN KEY (account, name_key) REFERENCES users (account, name_key) ON UPDATE CASCADE
) CLUSTERED;
CREATE UNIQUE INDEX signing_certificates_id ON signing_certificates (account, certificate_id);

-- digest is the SHA-256 of the key itself, so that one key is found again in
-- whatever encoding it comes.
CREATE TABLE ssh_public_keys (
  account     TEXT NOT NULL,
  name_key    TEXT NOT NULL,
  key_id      TEXT NOT NULL,
  body        TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  digest      TEXT NOT NULL,
  status      TEXT NOT NULL,
  uploaded    BIGINT NOT NULL,
  PRIMARY KEY (account, name_key, key_id),
  FOREIGN KEY (account, name_key) REFERENCES users (account, name_key) ON UPDATE CASCADE
) CLUSTERED;
CREATE UNIQUE INDEX ssh_public_keys_id ON ssh_public_keys (account, key_id);
CREATE UNIQUE INDEX ssh_public_keys_digest ON ssh_public_keys (account, name_key, digest);

CREATE TABLE service_specific_credentials (
  account       TEXT NOT NULL,
  name_key      TEXT NOT NULL,
  credential_id TEXT NOT NULL,
  service       TEXT NOT NULL,
  -- service_user is a user name, or the alias of an API key.
  service_user  TEXT NOT NULL,
  secret        BYTES NOT NULL,
  status        TEXT NOT NULL,
  created       BIGINT NOT NULL,
  expires       BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (account, name_key, credential_id),
  FOREIGN KEY (account, name_key) REFERENCES users (account, name_key) ON UPDATE CASCADE
) CLUSTERED;
CREATE UNIQUE INDEX service_specific_credentials_id ON service_specific_credentials (account, credential_id);
-- The name to sign in to the service with: one credential has it.
CREATE UNIQUE INDEX service_specific_credentials_name ON service_specific_credentials (account, service, service_user);

-- One row per account that ever asked for a report. token grows with every
-- job and fences the writes of one that lost its lease.
CREATE TABLE report_jobs (
  account    TEXT NOT NULL,
  token      BIGINT NOT NULL,
  node       TEXT NOT NULL,
  running    BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL,
  PRIMARY KEY (account),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;

-- A report is visible from the moment its row is here, and never changes.
CREATE TABLE reports (
  account      TEXT NOT NULL,
  token        BIGINT NOT NULL,
  generated    BIGINT NOT NULL,
  published_ms BIGINT NOT NULL,
  size         BIGINT NOT NULL,
  users        BIGINT NOT NULL,
  sha256       TEXT NOT NULL,
  PRIMARY KEY (account, token),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE report_chunks (
  account TEXT NOT NULL,
  token   BIGINT NOT NULL,
  seq     BIGINT NOT NULL,
  size    BIGINT NOT NULL,
  data    BYTES NOT NULL,
  PRIMARY KEY (account, token, seq),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) PLAIN;
