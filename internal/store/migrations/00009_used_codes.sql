-- The codes of a device that were used, by their time step: each works once, in
-- any order. last_step is that of the second code of the newest pair alone.
CREATE TABLE mfa_used_codes (
  account TEXT NOT NULL,
  serial  TEXT NOT NULL,
  step    BIGINT NOT NULL,
  PRIMARY KEY (account, serial, step),
  FOREIGN KEY (account, serial) REFERENCES mfa_devices (account, serial) ON DELETE CASCADE
) CLUSTERED;

-- Which codes were used until now is not known but for the last one: of those
-- that could still be used none is.
INSERT INTO mfa_used_codes (account, serial, step)
  SELECT account, serial, last_step - back.steps FROM mfa_devices,
    (SELECT 0 AS steps UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4) AS back
  WHERE last_step > 4;
