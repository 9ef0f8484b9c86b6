-- The issuer of an account's web identity tokens. It stays while outbound
-- federation is disabled, because AWS gives an account the same one again.
CREATE TABLE token_issuers (
  account   TEXT NOT NULL,
  issuer_id TEXT NOT NULL,
  enabled   BIGINT NOT NULL,
  created   BIGINT NOT NULL,
  PRIMARY KEY (account),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;
CREATE UNIQUE INDEX token_issuers_id ON token_issuers (issuer_id);

-- The keys that sign those tokens. A key signs from one moment on and, once
-- another has followed it, is published until a second one; ends is 0 before.
CREATE TABLE token_keys (
  account     TEXT NOT NULL,
  algorithm   TEXT NOT NULL,
  serial      BIGINT NOT NULL,
  public_key  BYTES NOT NULL,
  private_key BYTES NOT NULL,
  signs       BIGINT NOT NULL,
  ends        BIGINT NOT NULL,
  PRIMARY KEY (account, algorithm, serial),
  FOREIGN KEY (account) REFERENCES token_issuers (account) ON DELETE CASCADE
) CLUSTERED;
