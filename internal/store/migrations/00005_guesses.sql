-- How often a user's password was guessed since a moment, right or wrong. A
-- right guess removes the row.
CREATE TABLE password_guesses (
  account  TEXT NOT NULL,
  name_key TEXT NOT NULL,
  since    BIGINT NOT NULL,
  guesses  BIGINT NOT NULL,
  PRIMARY KEY (account, name_key),
  FOREIGN KEY (account, name_key) REFERENCES users (account, name_key) ON UPDATE CASCADE ON DELETE CASCADE
) CLUSTERED;

-- The same of a device's codes. It does not refer to the device: one that is
-- made again under its serial starts with no more guesses.
CREATE TABLE code_guesses (
  account TEXT NOT NULL,
  serial  TEXT NOT NULL,
  since   BIGINT NOT NULL,
  guesses BIGINT NOT NULL,
  PRIMARY KEY (account, serial),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;
CREATE INDEX code_guesses_since ON code_guesses (account, since);
