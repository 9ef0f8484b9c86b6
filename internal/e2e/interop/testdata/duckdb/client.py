"""DuckDB reads the views that lie beside the files."""
import duckdb

lake = duckdb.connect()
lake.execute(open("duckdb.sql").read())
users = lake.execute('SELECT "user" FROM newest ORDER BY NOT is_root, "user"').fetchall()
print("users", ",".join(name for (name,) in users))
print("keys", lake.execute("SELECT sum(keys) FROM key_ages").fetchone()[0])
users, mfa = lake.execute("SELECT console_users, with_mfa FROM mfa_coverage").fetchone()
print("console users", users, "of them with MFA", mfa)
for view in ("reports", "findings", "newest", "open_findings", "credentials", "key_ages", "mfa_coverage"):
    lake.execute(f"SELECT * FROM {view}").fetchall()
