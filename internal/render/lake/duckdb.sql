-- Views over the files of this folder, for DuckDB 1.1 or newer. In this folder:
--   duckdb -init duckdb.sql
-- hive_types keeps account numbers text; DuckDB would take them for numbers and
-- drop their zeros.

CREATE OR REPLACE VIEW reports AS
SELECT * FROM read_parquet('reports/*/*/*.parquet', hive_partitioning = true, union_by_name = true,
                           hive_types = {'dt': DATE, 'account_id': VARCHAR});

CREATE OR REPLACE VIEW findings AS
SELECT * FROM read_parquet('findings/*/*/*.parquet', hive_partitioning = true, union_by_name = true,
                           hive_types = {'dt': DATE, 'account_id': VARCHAR});

-- The newest report of each account.
CREATE OR REPLACE VIEW newest AS
SELECT * FROM reports
QUALIFY coalesce(generated_at, dt) = max(coalesce(generated_at, dt)) OVER (PARTITION BY account_id);

-- What is to be acted upon: findings of the newest report of each account, and
-- of runs after it that got none.
CREATE OR REPLACE VIEW open_findings AS
SELECT f.* FROM findings f
LEFT JOIN (SELECT account_id, max(coalesce(generated_at, dt)) AS last FROM reports GROUP BY account_id) r USING (account_id)
WHERE (r.last IS NULL OR coalesce(f.generated_at, f.judged_at) >= r.last)
  AND f.status IN ('FAIL', 'WARN', 'NO_DATA') AND NOT f.suppressed;

-- One row for each credential of the newest reports.
CREATE OR REPLACE VIEW credentials AS
SELECT account_id, "user", arn, class, 'password' AS credential, password_enabled AS active,
       password_last_changed AS created, password_last_used AS last_used, generated_at
FROM newest WHERE password_enabled
UNION ALL
SELECT account_id, "user", arn, class, 'key 1', access_key_1_active, access_key_1_last_rotated, access_key_1_last_used_date, generated_at
FROM newest WHERE access_key_1_last_rotated IS NOT NULL
UNION ALL
SELECT account_id, "user", arn, class, 'key 2', access_key_2_active, access_key_2_last_rotated, access_key_2_last_used_date, generated_at
FROM newest WHERE access_key_2_last_rotated IS NOT NULL
UNION ALL
SELECT account_id, "user", arn, class, 'certificate 1', cert_1_active, cert_1_last_rotated, NULL, generated_at
FROM newest WHERE cert_1_last_rotated IS NOT NULL
UNION ALL
SELECT account_id, "user", arn, class, 'certificate 2', cert_2_active, cert_2_last_rotated, NULL, generated_at
FROM newest WHERE cert_2_last_rotated IS NOT NULL;

-- Active keys by age, in the buckets of policies.
CREATE OR REPLACE VIEW key_ages AS
SELECT account_id,
       CASE WHEN age <= 30 THEN '0-30' WHEN age <= 60 THEN '31-60' WHEN age <= 90 THEN '61-90'
            WHEN age <= 180 THEN '91-180' WHEN age <= 365 THEN '181-365' ELSE 'over 365' END AS days,
       count(*) AS keys, count(last_used) AS used
FROM (SELECT *, epoch(generated_at - created) / 86400 AS age FROM credentials WHERE credential LIKE 'key%' AND active)
GROUP BY ALL ORDER BY account_id, min(age);

-- The users with a password, with and without MFA.
CREATE OR REPLACE VIEW mfa_coverage AS
SELECT account_id, count(*) AS console_users, count(*) FILTER (mfa_active) AS with_mfa
FROM newest WHERE password_enabled AND NOT is_root
GROUP BY account_id ORDER BY account_id;

-- When each finding was first and last seen.
CREATE OR REPLACE VIEW first_seen AS
SELECT fingerprint, account_id, control, "user", credential, min(generated_at) AS first_seen, max(generated_at) AS last_seen, count(*) AS reports
FROM findings WHERE status = 'FAIL'
GROUP BY ALL;
