-- The triggers of each table and column that a report is read from.

CREATE FUNCTION report_mark() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO report_marks (account, name_key, version)
      SELECT account, OLD.name_key, 1 FROM report_recordings WHERE account = OLD.account AND OLD.name_key IS NOT NULL
      ON CONFLICT (account, name_key) DO UPDATE SET version = report_marks.version + 1;
  END IF;
  IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND NEW.name_key IS DISTINCT FROM OLD.name_key THEN
    INSERT INTO report_marks (account, name_key, version)
      SELECT account, NEW.name_key, 1 FROM report_recordings WHERE account = NEW.account AND NEW.name_key IS NOT NULL
      ON CONFLICT (account, name_key) DO UPDATE SET version = report_marks.version + 1;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER report_mark AFTER INSERT OR DELETE OR UPDATE OF name_key, name, path, created ON users
  FOR EACH ROW EXECUTE FUNCTION report_mark();
CREATE TRIGGER report_mark AFTER INSERT OR DELETE OR UPDATE OF name_key, changed ON login_profiles
  FOR EACH ROW EXECUTE FUNCTION report_mark();
CREATE TRIGGER report_mark AFTER INSERT OR DELETE OR UPDATE OF name_key, used ON password_last_used
  FOR EACH ROW EXECUTE FUNCTION report_mark();
CREATE TRIGGER report_mark AFTER INSERT OR DELETE OR UPDATE OF name_key ON mfa_devices
  FOR EACH ROW EXECUTE FUNCTION report_mark();
CREATE TRIGGER report_mark AFTER INSERT OR DELETE OR UPDATE OF name_key ON passkeys
  FOR EACH ROW EXECUTE FUNCTION report_mark();
CREATE TRIGGER report_mark AFTER INSERT OR DELETE OR UPDATE OF name_key, status, created ON access_keys
  FOR EACH ROW EXECUTE FUNCTION report_mark();
CREATE TRIGGER report_mark AFTER INSERT OR DELETE OR UPDATE OF name_key, used, region, service ON access_key_last_used
  FOR EACH ROW EXECUTE FUNCTION report_mark();
CREATE TRIGGER report_mark AFTER INSERT OR DELETE OR UPDATE OF name_key, status, uploaded ON signing_certificates
  FOR EACH ROW EXECUTE FUNCTION report_mark();
