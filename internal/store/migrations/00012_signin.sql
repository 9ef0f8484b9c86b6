-- Passkeys and security keys (WebAuthn). credential is what the browser's
-- answer proved at enrolment, as JSON: a public key and no secret. sign_count
-- grows with each use of a device that counts, so that a copy is noticed.
CREATE TABLE passkeys (
  account       TEXT NOT NULL,
  name_key      TEXT NOT NULL,
  serial        TEXT NOT NULL,
  device_id     TEXT NOT NULL,
  credential_id TEXT NOT NULL,
  credential    BYTES NOT NULL,
  sign_count    BIGINT NOT NULL,
  enabled       BIGINT NOT NULL,
  PRIMARY KEY (account, name_key, serial),
  FOREIGN KEY (account, name_key) REFERENCES users (account, name_key) ON UPDATE CASCADE
) CLUSTERED;
CREATE UNIQUE INDEX passkeys_serial ON passkeys (account, serial);
CREATE UNIQUE INDEX passkeys_credential ON passkeys (account, credential_id);

-- Sessions of people who signed in. session_id is the SHA-256 of the token that
-- the browser holds, handle the name by which its owner can end it. name_key is
-- NULL for whoever signed in by federation and is no user. address is where it
-- was begun from. The session of a user ends with the user, the password and
-- the account.
CREATE TABLE signin_sessions (
  account    TEXT NOT NULL,
  session_id TEXT NOT NULL,
  name_key   TEXT,
  handle     TEXT NOT NULL,
  state      BYTES NOT NULL,
  address    TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  created    BIGINT NOT NULL,
  used       BIGINT NOT NULL,
  expires    BIGINT NOT NULL,
  PRIMARY KEY (account, session_id),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE,
  FOREIGN KEY (account, name_key) REFERENCES users (account, name_key) ON UPDATE CASCADE ON DELETE CASCADE
) CLUSTERED;
CREATE UNIQUE INDEX signin_sessions_id ON signin_sessions (session_id);
CREATE INDEX signin_sessions_user ON signin_sessions (account, name_key);

-- What was given to a browser or a client to come back with once: the next step
-- of a sign-in, a challenge, a code. ticket_id is the SHA-256 of it.
CREATE TABLE signin_tickets (
  account   TEXT NOT NULL,
  ticket_id TEXT NOT NULL,
  name_key  TEXT,
  purpose   TEXT NOT NULL,
  state     BYTES NOT NULL,
  tries     BIGINT NOT NULL,
  created   BIGINT NOT NULL,
  expires   BIGINT NOT NULL,
  PRIMARY KEY (account, ticket_id),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE,
  FOREIGN KEY (account, name_key) REFERENCES users (account, name_key) ON UPDATE CASCADE ON DELETE CASCADE
) CLUSTERED;
CREATE UNIQUE INDEX signin_tickets_id ON signin_tickets (ticket_id);
CREATE INDEX signin_tickets_user ON signin_tickets (account, name_key, purpose);

-- How often passwords were tried lately, by whom or from where. place is a MAC:
-- people type passwords where their names belong.
CREATE TABLE signin_pauses (
  place TEXT NOT NULL,
  tries BIGINT NOT NULL,
  last  BIGINT NOT NULL,
  PRIMARY KEY (place)
) CLUSTERED;

-- From where a user has signed in lately. place is a MAC of the address.
CREATE TABLE signin_places (
  account  TEXT NOT NULL,
  name_key TEXT NOT NULL,
  place    TEXT NOT NULL,
  last     BIGINT NOT NULL,
  PRIMARY KEY (account, name_key, place),
  FOREIGN KEY (account, name_key) REFERENCES users (account, name_key) ON UPDATE CASCADE ON DELETE CASCADE
) CLUSTERED;
