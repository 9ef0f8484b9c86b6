-- The triggers of each table and column that a report is read from.

CREATE TRIGGER report_marks_users_insert AFTER INSERT ON users
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = NEW.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT NEW.account, NEW.name_key, 1 WHERE NEW.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_users_delete AFTER DELETE ON users
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = OLD.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT OLD.account, OLD.name_key, 1 WHERE OLD.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_users_update AFTER UPDATE OF name_key, name, path, created ON users
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = OLD.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT OLD.account, OLD.name_key, 1 WHERE OLD.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
  INSERT INTO report_marks (account, name_key, version)
    SELECT NEW.account, NEW.name_key, 1 WHERE NEW.name_key IS NOT NULL AND NEW.name_key IS NOT OLD.name_key
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_login_profiles_insert AFTER INSERT ON login_profiles
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = NEW.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT NEW.account, NEW.name_key, 1 WHERE NEW.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_login_profiles_delete AFTER DELETE ON login_profiles
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = OLD.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT OLD.account, OLD.name_key, 1 WHERE OLD.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_login_profiles_update AFTER UPDATE OF name_key, changed ON login_profiles
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = OLD.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT OLD.account, OLD.name_key, 1 WHERE OLD.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
  INSERT INTO report_marks (account, name_key, version)
    SELECT NEW.account, NEW.name_key, 1 WHERE NEW.name_key IS NOT NULL AND NEW.name_key IS NOT OLD.name_key
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_password_last_used_insert AFTER INSERT ON password_last_used
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = NEW.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT NEW.account, NEW.name_key, 1 WHERE NEW.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_password_last_used_delete AFTER DELETE ON password_last_used
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = OLD.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT OLD.account, OLD.name_key, 1 WHERE OLD.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_password_last_used_update AFTER UPDATE OF name_key, used ON password_last_used
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = OLD.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT OLD.account, OLD.name_key, 1 WHERE OLD.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
  INSERT INTO report_marks (account, name_key, version)
    SELECT NEW.account, NEW.name_key, 1 WHERE NEW.name_key IS NOT NULL AND NEW.name_key IS NOT OLD.name_key
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_mfa_devices_insert AFTER INSERT ON mfa_devices
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = NEW.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT NEW.account, NEW.name_key, 1 WHERE NEW.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_mfa_devices_delete AFTER DELETE ON mfa_devices
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = OLD.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT OLD.account, OLD.name_key, 1 WHERE OLD.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_mfa_devices_update AFTER UPDATE OF name_key ON mfa_devices
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = OLD.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT OLD.account, OLD.name_key, 1 WHERE OLD.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
  INSERT INTO report_marks (account, name_key, version)
    SELECT NEW.account, NEW.name_key, 1 WHERE NEW.name_key IS NOT NULL AND NEW.name_key IS NOT OLD.name_key
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_passkeys_insert AFTER INSERT ON passkeys
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = NEW.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT NEW.account, NEW.name_key, 1 WHERE NEW.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_passkeys_delete AFTER DELETE ON passkeys
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = OLD.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT OLD.account, OLD.name_key, 1 WHERE OLD.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_passkeys_update AFTER UPDATE OF name_key ON passkeys
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = OLD.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT OLD.account, OLD.name_key, 1 WHERE OLD.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
  INSERT INTO report_marks (account, name_key, version)
    SELECT NEW.account, NEW.name_key, 1 WHERE NEW.name_key IS NOT NULL AND NEW.name_key IS NOT OLD.name_key
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_access_keys_insert AFTER INSERT ON access_keys
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = NEW.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT NEW.account, NEW.name_key, 1 WHERE NEW.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_access_keys_delete AFTER DELETE ON access_keys
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = OLD.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT OLD.account, OLD.name_key, 1 WHERE OLD.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_access_keys_update AFTER UPDATE OF name_key, status, created ON access_keys
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = OLD.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT OLD.account, OLD.name_key, 1 WHERE OLD.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
  INSERT INTO report_marks (account, name_key, version)
    SELECT NEW.account, NEW.name_key, 1 WHERE NEW.name_key IS NOT NULL AND NEW.name_key IS NOT OLD.name_key
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_access_key_last_used_insert AFTER INSERT ON access_key_last_used
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = NEW.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT NEW.account, NEW.name_key, 1 WHERE NEW.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_access_key_last_used_delete AFTER DELETE ON access_key_last_used
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = OLD.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT OLD.account, OLD.name_key, 1 WHERE OLD.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_access_key_last_used_update AFTER UPDATE OF name_key, used, region, service ON access_key_last_used
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = OLD.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT OLD.account, OLD.name_key, 1 WHERE OLD.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
  INSERT INTO report_marks (account, name_key, version)
    SELECT NEW.account, NEW.name_key, 1 WHERE NEW.name_key IS NOT NULL AND NEW.name_key IS NOT OLD.name_key
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_signing_certificates_insert AFTER INSERT ON signing_certificates
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = NEW.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT NEW.account, NEW.name_key, 1 WHERE NEW.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_signing_certificates_delete AFTER DELETE ON signing_certificates
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = OLD.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT OLD.account, OLD.name_key, 1 WHERE OLD.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;

CREATE TRIGGER report_marks_signing_certificates_update AFTER UPDATE OF name_key, status, uploaded ON signing_certificates
WHEN EXISTS (SELECT 1 FROM report_recordings WHERE account = OLD.account)
BEGIN
  INSERT INTO report_marks (account, name_key, version)
    SELECT OLD.account, OLD.name_key, 1 WHERE OLD.name_key IS NOT NULL
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
  INSERT INTO report_marks (account, name_key, version)
    SELECT NEW.account, NEW.name_key, 1 WHERE NEW.name_key IS NOT NULL AND NEW.name_key IS NOT OLD.name_key
    ON CONFLICT (account, name_key) DO UPDATE SET version = version + 1;
END;
