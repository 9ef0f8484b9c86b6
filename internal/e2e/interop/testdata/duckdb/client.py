"""DuckDB runs the shipped duckdb.sql on the files beside it, and prints each view."""
import sys

import duckdb

VIEWS = {
    "reports": 'SELECT dt, account_id, "user", is_root, password_enabled, mfa_active, access_key_1_last_rotated_absence FROM reports',
    "findings": 'SELECT dt, control, status, count(*) FROM findings GROUP BY ALL',
    "newest": 'SELECT dt, account_id, "user" FROM newest',
    "open_findings": 'SELECT dt, account_id, control, "user", credential, status FROM open_findings',
    "credentials": 'SELECT account_id, "user", credential, active, created, last_used FROM credentials',
    "key_ages": "SELECT * FROM key_ages",
    "mfa_coverage": "SELECT * FROM mfa_coverage",
    "first_seen": 'SELECT account_id, control, "user", first_seen, last_seen, reports FROM first_seen',
}

lake = duckdb.connect()
lake.execute("SET TimeZone = 'UTC'")
lake.execute(open("duckdb.sql").read())
found = {name for (name,) in lake.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()}
if found != set(VIEWS):
    sys.exit(f"the views are {sorted(found)}")
for name, query in VIEWS.items():
    print(name)
    lines = lake.execute(query).fetchall()
    for line in lines if name in ("key_ages", "mfa_coverage") else sorted(lines, key=str):
        print(" ", *("-" if v is None else v for v in line), sep="|")
print("findings.csv")
for line in lake.execute("""SELECT control, status, count(*) FROM read_csv('findings.csv', all_varchar = true)
                            GROUP BY ALL ORDER BY ALL""").fetchall():
    print(" ", *line, sep="|")
