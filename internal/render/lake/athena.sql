-- Tables over a copy of this folder in S3, for Athena, engine version 3. Put the
-- place of your copy for s3://BUCKET/PREFIX, and run the statements one by one.
-- After adding files, run the two MSCK REPAIR TABLE again.

CREATE EXTERNAL TABLE IF NOT EXISTS rollcall_reports (
{{reports}}
)
PARTITIONED BY (`dt` date, `account_id` string)
STORED AS PARQUET
LOCATION 's3://BUCKET/PREFIX/reports/';

CREATE EXTERNAL TABLE IF NOT EXISTS rollcall_findings (
{{findings}}
)
PARTITIONED BY (`dt` date, `account_id` string)
STORED AS PARQUET
LOCATION 's3://BUCKET/PREFIX/findings/';

MSCK REPAIR TABLE rollcall_reports;

MSCK REPAIR TABLE rollcall_findings;

-- The newest report of each account.
CREATE OR REPLACE VIEW rollcall_newest AS
SELECT * FROM (
  SELECT *, rank() OVER (PARTITION BY account_id ORDER BY coalesce(generated_at, cast(dt AS timestamp)) DESC) AS age_rank FROM rollcall_reports
) WHERE age_rank = 1;

-- What is to be acted upon: findings of the newest report of each account, and
-- of runs after it that got none.
CREATE OR REPLACE VIEW rollcall_open_findings AS
SELECT f.* FROM rollcall_findings f
LEFT JOIN (SELECT account_id, max(coalesce(generated_at, cast(dt AS timestamp))) AS last FROM rollcall_reports GROUP BY account_id) r
  ON r.account_id = f.account_id
WHERE (r.last IS NULL OR coalesce(f.generated_at, f.judged_at) >= r.last)
  AND f.status IN ('FAIL', 'WARN', 'NO_DATA') AND NOT f.suppressed;

-- The users with a password, with and without MFA.
CREATE OR REPLACE VIEW rollcall_mfa_coverage AS
SELECT account_id, count(*) AS console_users, count_if(mfa_active) AS with_mfa
FROM rollcall_newest WHERE password_enabled AND NOT is_root
GROUP BY account_id;
