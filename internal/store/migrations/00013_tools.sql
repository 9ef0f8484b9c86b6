-- Sessions of developer tools (aws login), which a person granted in a browser.
-- code_id is the SHA-256 of the code that the tool exchanges once, token_id that
-- of what all its refresh tokens begin with. generation counts those tokens, 0
-- where the code was not exchanged yet; the tokens themselves are derived.
-- proof_key is the thumbprint of the key that the tool proves to have. name_key is
-- whose sign-in it was, NULL for federation, and session the handle of that
-- sign-in's session. ended says why the session is over, '' while it is not.
CREATE TABLE tool_sessions (
  account    TEXT NOT NULL,
  tool_id    TEXT NOT NULL,
  name_key   TEXT,
  code_id    TEXT NOT NULL,
  token_id   TEXT NOT NULL,
  session    TEXT NOT NULL,
  state      BYTES NOT NULL,
  proof_key  TEXT NOT NULL,
  generation BIGINT NOT NULL,
  address    TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  created    BIGINT NOT NULL,
  renewed    BIGINT NOT NULL,
  expires    BIGINT NOT NULL,
  ended      TEXT NOT NULL,
  PRIMARY KEY (account, tool_id),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE,
  FOREIGN KEY (account, name_key) REFERENCES users (account, name_key) ON UPDATE CASCADE ON DELETE CASCADE
) CLUSTERED;
CREATE UNIQUE INDEX tool_sessions_code ON tool_sessions (code_id);
CREATE UNIQUE INDEX tool_sessions_token ON tool_sessions (token_id);
CREATE INDEX tool_sessions_user ON tool_sessions (account, name_key);

-- Proofs of possession that were shown, so that none counts twice. proof_id is
-- the SHA-256 of the key's thumbprint and the proof's own id.
CREATE TABLE tool_proofs (
  account  TEXT NOT NULL,
  proof_id TEXT NOT NULL,
  shown    BIGINT NOT NULL,
  PRIMARY KEY (account, proof_id),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;
